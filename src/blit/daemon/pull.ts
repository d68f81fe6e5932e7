import type { MessageInitShape } from "@bufbuild/protobuf";
import { Fault } from "../../kit/fault/fault.ts";
import type { CallContext } from "../control/calls.ts";
import {
  optionsFromMessage,
  passFromMessage,
  progressToMessage,
  ROOTS_MAX,
  rootsToMessages,
} from "../control/messages.ts";
import type {
  ClientPullRequest,
  PassStart,
  PullHeader,
  ServerPullResponseSchema,
} from "../control/proto/blit_pb.js";
import { sourceReportParts } from "../control/report-parts.ts";
import { bounded, pathOfBytes } from "../control/wire-values.ts";
import { splitPays } from "../remote/split-pays.ts";
import { SendSession } from "../send/send-session.ts";
import { Conversation, firstMessage, outOfOrder } from "./conversation.ts";
import {
  checkVersion,
  negotiationOf,
  openStreams,
  startJob,
  type TransferHost,
} from "./transfer-host.ts";

type Answer = MessageInitShape<typeof ServerPullResponseSchema>;

/** Sends what a client asks for out of a module. */
export async function* pull(
  host: TransferHost,
  requests: AsyncIterable<ClientPullRequest>,
  context: CallContext,
): AsyncGenerator<Answer, void, undefined> {
  const { first, rest } = await firstMessage(requests);
  if (first.payload.case !== "header") throw outOfOrder();
  yield* new Pull(host, context, first.payload.value).answers(rest);
}

class Pull {
  readonly #host: TransferHost;
  readonly #context: CallContext;
  readonly #header: PullHeader;
  readonly #sources: readonly string[];
  readonly #conversation: Conversation<Answer>;
  #session: SendSession | undefined;
  #isInPass = false;
  #mayRemove = false;

  /** @throws {Fault} E_NETWORK, E_INTEGRITY for what the header says */
  constructor(host: TransferHost, context: CallContext, header: PullHeader) {
    checkVersion(header.capabilities);
    this.#host = host;
    this.#context = context;
    this.#header = header;
    this.#sources = bounded(header.sources, ROOTS_MAX, "sources").map((source) =>
      pathOfBytes(source, "a source"),
    );
    const { module } = header;
    const { job, bind } = startJob(host, context, {
      kind: "pull",
      module,
      path: this.#sources[0] ?? "",
    });
    this.#conversation = new Conversation(context, job, host.log);
    bind((reason) => this.#conversation.cancel(reason));
  }

  answers(requests: AsyncIterable<ClientPullRequest>): AsyncGenerator<Answer, void, undefined> {
    return this.#conversation.run(async () => {
      await this.#open();
      for await (const { payload } of requests) {
        if (payload.case === "finish") return;
        await this.#hear(payload);
      }
      throw new Fault({ code: "E_NETWORK", message: "The client has left without finishing" });
    });
  }

  async #open(): Promise<void> {
    const options = optionsFromMessage(this.#header.options);
    // A move removes what has arrived, and so changes the module.
    this.#mayRemove = options.command === "move";
    const access = this.#mayRemove ? "write" : "read";
    const { module, capabilities } = this.#header;
    const lease = await this.#host.modules.enter(this.#context.peer, module, access);
    this.#conversation.hold(() => lease[Symbol.dispose]());
    const streams = await openStreams(this.#host, this.#context, capabilities, {
      answers: this.#conversation.answers,
      message: (value): Answer => ({ payload: { case: "data", value } }),
    });
    this.#conversation.hold(() => streams.close());
    const session = await SendSession.open({
      options,
      base: lease.base,
      sources: this.#sources,
      streams: streams.tokens.length,
      workers: this.#host.workers.send,
    });
    const canSplit = capabilities?.supportsParts === true && !streams.isOverGrpc;
    if (canSplit && splitPays(this.#context.peer.address)) session.splitFiles();
    this.#session = session;
    this.#say({
      case: "negotiation",
      value: { ...negotiationOf(streams), roots: rootsToMessages(session.roots) },
    });
    this.#conversation.open(session);
    this.#conversation.attach(streams, (seat) => session.addStream(seat));
  }

  async #hear(payload: ClientPullRequest["payload"]): Promise<void> {
    switch (payload.case) {
      case "data":
        await this.#conversation.streams.take(payload.value);
        return;
      case "passStart":
        await this.#conversation.allAttached();
        this.#startPass(payload.value);
        return;
      case "cancel":
        this.#conversation.cancel();
        return;
      case "progress":
        return;
      default:
        throw outOfOrder();
    }
  }

  /** Beside the reading of requests: what the target has to say may be among them. */
  #startPass(message: PassStart): void {
    const session = this.#session;
    if (session === undefined || this.#isInPass) throw outOfOrder();
    const { purpose } = passFromMessage(message);
    if (purpose === "settle" && !this.#mayRemove) throw outOfOrder();
    this.#isInPass = true;
    const runPass = async (): Promise<void> => {
      const report = await session.runPass(purpose);
      this.#conversation.quiet();
      this.#isInPass = false;
      for (const value of sourceReportParts(report)) this.#say({ case: "sourceReport", value });
    };
    this.#conversation.tell((progress) => ({
      payload: { case: "progress", value: progressToMessage(progress) },
    }));
    this.#conversation.also(runPass());
  }

  #say(payload: NonNullable<Answer["payload"]>): void {
    this.#conversation.answers.push({ payload });
  }
}
