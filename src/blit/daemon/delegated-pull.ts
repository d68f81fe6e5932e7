import { promises as dns } from "node:dns";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Fault } from "../../kit/fault/fault.ts";
import type { CallContext } from "../control/calls.ts";
import { type ControlClient, connectControl } from "../control/client.ts";
import type { ClientSecurity } from "../control/dial.ts";
import {
  optionsFromMessage,
  passFromMessage,
  progressToMessage,
  ROOTS_MAX,
  rootsToMessages,
} from "../control/messages.ts";
import { canonicalAddress, isLoopback } from "../control/peer-address.ts";
import type {
  DelegatedPullHeader,
  DelegatedPullRequest,
  PassStart,
  ServerPushResponseSchema,
} from "../control/proto/blit_pb.js";
import { passReportParts, sourceReportParts } from "../control/report-parts.ts";
import { bounded, bytesOfPath, pathOfBytes } from "../control/wire-values.ts";
import type { Link } from "../remote/link.ts";
import { openPull } from "../remote/pull-link.ts";
import type { SessionProgress } from "../session/types.ts";
import { Conversation, firstMessage, outOfOrder } from "./conversation.ts";
import { isHostAllowed } from "./host-rules.ts";
import { checkVersion, startJob, type TransferHost } from "./transfer-host.ts";

type Answer = MessageInitShape<typeof ServerPushResponseSchema>;

/** Pulls from another daemon into a module; the client only directs. */
export async function* delegatedPull(
  host: TransferHost,
  requests: AsyncIterable<DelegatedPullRequest>,
  context: CallContext,
): AsyncGenerator<Answer, void, undefined> {
  const { first, rest } = await firstMessage(requests);
  if (first.payload.case !== "header") throw outOfOrder();
  yield* new DelegatedPull(host, context, first.payload.value).answers(rest);
}

class DelegatedPull {
  readonly #host: TransferHost;
  readonly #context: CallContext;
  readonly #header: DelegatedPullHeader;
  readonly #path: string;
  readonly #conversation: Conversation<Answer>;
  readonly #abort = new AbortController();
  #link: Link | undefined;
  #isInPass = false;

  /** @throws {Fault} E_NETWORK, E_INTEGRITY for what the header says */
  constructor(host: TransferHost, context: CallContext, header: DelegatedPullHeader) {
    checkVersion(header.capabilities);
    this.#host = host;
    this.#context = context;
    this.#header = header;
    const module = header.target?.module ?? "";
    this.#path = pathOfBytes(header.target?.path ?? new Uint8Array(), "a target");
    const about = { kind: "delegated-pull", module, path: this.#path };
    const { job, bind } = startJob(host, context, about);
    this.#conversation = new Conversation(context, job, host.log);
    this.#conversation.hold(() => this.#abort.abort());
    bind((reason) => this.#conversation.cancel(reason));
  }

  answers(requests: AsyncIterable<DelegatedPullRequest>): AsyncGenerator<Answer, void, undefined> {
    return this.#conversation.run(async () => {
      await this.#open();
      for await (const { payload } of requests) {
        switch (payload.case) {
          case "passStart":
            this.#startPass(payload.value);
            break;
          case "cancel":
            this.#conversation.cancel();
            break;
          case "finish":
            await this.#link?.finish();
            return;
          default:
            throw outOfOrder();
        }
      }
      throw new Fault({ code: "E_NETWORK", message: "The client has left without finishing" });
    });
  }

  async #open(): Promise<void> {
    const header = this.#header;
    const options = optionsFromMessage(header.options);
    const paths = bounded(header.sources, ROOTS_MAX, "sources").map((source) =>
      pathOfBytes(source, "a source"),
    );
    const module = header.target?.module ?? "";
    const lease = await this.#host.modules.enter(this.#context.peer, module, "write");
    this.#conversation.hold(() => lease[Symbol.dispose]());
    const client = await this.#connect();
    this.#conversation.hold(() => client.close());
    const link = await openPull(
      client,
      { module: header.sourceModule, paths },
      { base: lease.base, path: this.#path, workers: this.#host.workers.receive },
      {
        options,
        forceGrpcData: header.capabilities?.forceGrpcData === true,
        signal: this.#abort.signal,
        warn: (text) => this.#say({ case: "warning", value: text }),
      },
    );
    this.#link = link;
    this.#say({
      case: "negotiation",
      value: {
        roots: rootsToMessages(link.roots),
        fileSystem: link.targetFs,
        shownPath: bytesOfPath(link.shownTarget),
        isEncrypted: link.isEncrypted,
        overGrpc: link.transport === "grpc",
        oneTimeTokens: Array.from({ length: link.streams }, () => new Uint8Array()),
      },
    });
    this.#conversation.open({
      progress: () => progressOf(link),
      cancel: (reason) => link.cancel(reason),
      close: () => link.close(),
    });
  }

  /** @throws {Fault} E_REFUSED where the config does not allow it; E_NETWORK: the client relays */
  async #connect(): Promise<ControlClient> {
    const { sourceHost, sourcePort, sourceCertificateSha256, sourceToken } = this.#header;
    const address = await this.#sourceAddress(sourceHost);
    const token = sourceToken.length === 0 ? undefined : Buffer.from(sourceToken).toString("utf8");
    const sha256 = Buffer.from(sourceCertificateSha256).toString("hex");
    const security: ClientSecurity =
      sha256 === ""
        ? { kind: "plain", token }
        : { kind: "tls", token, trust: { kind: "pinned", certificateSha256: sha256 } };
    const { signal } = this.#abort;
    return connectControl({ host: address, port: sourcePort }, security, { signal });
  }

  /** The address is looked up once, so that what is checked is what is connected to. */
  async #sourceAddress(sourceHost: string): Promise<string> {
    const { enabled, hosts } = this.#host.delegation();
    if (!enabled) throw notDelegated("this daemon does not pull from others");
    const found = await dns.lookup(sourceHost).catch(() => undefined);
    if (found === undefined) throw unreachable(sourceHost);
    const address = canonicalAddress(found.address);
    // What the client calls "localhost" is not what this daemon calls so.
    const isMeantHere = isLoopback(this.#context.peer.address) || hosts.allow !== undefined;
    if (isLoopback(address) && !isMeantHere) throw unreachable(sourceHost);
    if (!(await isHostAllowed(hosts, address))) {
      throw notDelegated(`this daemon does not pull from "${sourceHost.slice(0, 255)}"`);
    }
    return address;
  }

  /** Beside the reading of requests: the client may cancel. */
  #startPass(message: PassStart): void {
    const link = this.#link;
    if (link === undefined || this.#isInPass) throw outOfOrder();
    const { purpose, agreedDeletions } = passFromMessage(message);
    this.#isInPass = true;
    this.#conversation.tell((progress) => ({
      payload: { case: "progress", value: progressToMessage(progress) },
    }));
    const runPass = async (): Promise<void> => {
      const { source, target } = await link.runPass(purpose, agreedDeletions);
      this.#conversation.quiet();
      this.#isInPass = false;
      for (const value of sourceReportParts(source)) this.#say({ case: "sourceReport", value });
      for (const value of passReportParts(target)) this.#say({ case: "passReport", value });
    };
    this.#conversation.also(runPass());
  }

  #say(payload: NonNullable<Answer["payload"]>): void {
    this.#conversation.answers.push({ payload });
  }
}

/** Each side counts what the other one cannot know: the larger count is the one that knows. */
function progressOf(link: Link): SessionProgress {
  const { source, target } = link.progress();
  const seen = source?.counts ?? [];
  const done = target?.counts ?? [];
  const length = Math.max(seen.length, done.length);
  return {
    counts: Array.from({ length }, (_, at) => Math.max(seen[at] ?? 0, done[at] ?? 0)),
    isFinal: source?.isFinal ?? false,
  };
}

function notDelegated(why: string): Fault {
  return new Fault({
    code: "E_REFUSED",
    message: `Cannot let the data go from daemon to daemon: ${why}`,
    hint: "see [daemon.delegation] in its configuration",
  });
}

function unreachable(sourceHost: string): Fault {
  return new Fault({
    code: "E_NETWORK",
    message: `The daemon cannot reach "${sourceHost.slice(0, 255)}"`,
  });
}
