import type { MessageInitShape } from "@bufbuild/protobuf";
import { Fault } from "../../kit/fault/fault.ts";
import type { CallContext } from "../control/calls.ts";
import {
  optionsFromMessage,
  passFromMessage,
  progressToMessage,
  rootsFromMessages,
} from "../control/messages.ts";
import type {
  ClientPushRequest,
  PassStart,
  PushHeader,
  ServerPushResponseSchema,
} from "../control/proto/blit_pb.js";
import { passReportParts, SourceReportReader } from "../control/report-parts.ts";
import { bytesOfPath, pathOfBytes } from "../control/wire-values.ts";
import { ReceiveSession } from "../receive/receive-session.ts";
import type { SourceReport } from "../session/types.ts";
import { Conversation, firstMessage, outOfOrder } from "./conversation.ts";
import {
  checkVersion,
  negotiationOf,
  openStreams,
  startJob,
  type TransferHost,
} from "./transfer-host.ts";

type Answer = MessageInitShape<typeof ServerPushResponseSchema>;

/** Takes what a client sends into a module. */
export async function* push(
  host: TransferHost,
  requests: AsyncIterable<ClientPushRequest>,
  context: CallContext,
): AsyncGenerator<Answer, void, undefined> {
  const { first, rest } = await firstMessage(requests);
  if (first.payload.case !== "header") throw outOfOrder();
  yield* new Push(host, context, first.payload.value).answers(rest);
}

class Push {
  readonly #host: TransferHost;
  readonly #context: CallContext;
  readonly #header: PushHeader;
  readonly #module: string;
  readonly #path: string;
  readonly #conversation: Conversation<Answer>;
  readonly #reports = new SourceReportReader();
  #session: ReceiveSession | undefined;
  #isInPass = false;

  /** @throws {Fault} E_NETWORK, E_INTEGRITY for what the header says */
  constructor(host: TransferHost, context: CallContext, header: PushHeader) {
    checkVersion(header.capabilities);
    this.#host = host;
    this.#context = context;
    this.#header = header;
    this.#module = header.target?.module ?? "";
    this.#path = pathOfBytes(header.target?.path ?? new Uint8Array(), "a target");
    const about = { kind: "push", module: this.#module, path: this.#path };
    const { job, bind } = startJob(host, context, about);
    this.#conversation = new Conversation(context, job, host.log);
    bind((reason) => this.#conversation.cancel(reason));
  }

  answers(requests: AsyncIterable<ClientPushRequest>): AsyncGenerator<Answer, void, undefined> {
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
    const { capabilities } = this.#header;
    const options = optionsFromMessage(this.#header.options);
    const roots = rootsFromMessages(this.#header.roots);
    const lease = await this.#host.modules.enter(this.#context.peer, this.#module, "write");
    this.#conversation.hold(() => lease[Symbol.dispose]());
    const streams = await openStreams(this.#host, this.#context, capabilities, {
      answers: this.#conversation.answers,
      message: (value): Answer => ({ payload: { case: "data", value } }),
    });
    this.#conversation.hold(() => streams.close());
    const target = this.#path;
    const count = streams.tokens.length;
    const session = await ReceiveSession.open({
      options,
      base: lease.base,
      target,
      roots,
      streams: count,
      workers: this.#host.workers.receive,
    });
    this.#session = session;
    const { fileSystem, shown } = session;
    this.#say({
      case: "negotiation",
      value: { ...negotiationOf(streams), fileSystem, shownPath: bytesOfPath(shown) },
    });
    this.#conversation.open(session);
    this.#conversation.attach(streams, (seat) => session.addStream(seat));
  }

  async #hear(payload: ClientPushRequest["payload"]): Promise<void> {
    switch (payload.case) {
      case "data":
        await this.#conversation.streams.take(payload.value);
        return;
      case "passStart":
        await this.#conversation.allAttached();
        this.#startPass(payload.value);
        return;
      case "sourceReport": {
        const report = this.#reports.add(payload.value);
        if (report !== undefined) this.#finishPass(report);
        return;
      }
      case "cancel":
        this.#conversation.cancel();
        return;
      case "progress":
        return;
      default:
        throw outOfOrder();
    }
  }

  #startPass(message: PassStart): void {
    if (this.#session === undefined || this.#isInPass) throw outOfOrder();
    const { purpose, agreedDeletions } = passFromMessage(message);
    this.#isInPass = true;
    this.#session.startPass(purpose, agreedDeletions);
    this.#conversation.tell((progress) => ({
      payload: { case: "progress", value: progressToMessage(progress) },
    }));
  }

  /** Beside the reading of requests: the data of the pass may still be among them. */
  #finishPass(source: SourceReport): void {
    const session = this.#session;
    if (session === undefined || !this.#isInPass) throw outOfOrder();
    const finish = async (): Promise<void> => {
      const report = await session.finishPass(source);
      this.#conversation.quiet();
      // The client may begin the next pass as soon as it has the last part.
      this.#isInPass = false;
      for (const value of passReportParts(report)) this.#say({ case: "passReport", value });
    };
    this.#conversation.also(finish());
  }

  #say(payload: NonNullable<Answer["payload"]>): void {
    this.#conversation.answers.push({ payload });
  }
}
