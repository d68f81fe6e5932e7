import type { MessageInitShape } from "@bufbuild/protobuf";
import { Fault } from "../../kit/fault/fault.ts";
import type { ControlClient } from "../control/client.ts";
import { optionsToMessage, passToMessage, rootsFromMessages } from "../control/messages.ts";
import type {
  ClientPullRequestSchema,
  DataTransferNegotiation,
  ServerPullResponse,
} from "../control/proto/blit_pb.js";
import { SourceReportReader } from "../control/report-parts.ts";
import { bytesOfPath } from "../control/wire-values.ts";
import { meansContents, splitPath } from "../engine/path.ts";
import { ReceiveSession } from "../receive/receive-session.ts";
import type { Base, PassPurpose, SourceRoot } from "../session/types.ts";
import type { WorkerSource } from "../session/warm-workers.ts";
import { capabilities } from "./capabilities.ts";
import {
  type ClientStreams,
  connectStreams,
  pumpStreams,
  wantedStreams,
} from "./client-streams.ts";
import { DataPortUnreachable } from "./data-connection.ts";
import { withReasonOf } from "./echo.ts";
import { Heard } from "./heard.ts";
import type { Link, LinkProgress, LinkRequest, PassOutcome } from "./link.ts";
import { unreachableWarning } from "./push-link.ts";
import { Talk } from "./talk.ts";

type Request = MessageInitShape<typeof ClientPullRequestSchema>;
type PullTalk = Talk<Request, ServerPullResponse>;

/** What is pulled: paths below a module, as sessions take them. */
export type PullSources = { readonly module: string; readonly paths: readonly string[] };

/** Where it goes on this machine. */
export type PullTarget = {
  readonly base: Base;
  readonly path: string;
  /** Of a daemon: see ReceiveRequest. */
  readonly workers?: WorkerSource | undefined;
};

/**
 * Brings what a daemon has to a place on this machine. A daemon that pulls from another one uses
 * this too.
 * @throws {Fault} of the connection and the target, and whatever the daemon refuses with
 */
export async function openPull(
  client: ControlClient,
  sources: PullSources,
  target: PullTarget,
  request: LinkRequest,
): Promise<Link> {
  const parts = { client, sources, target, request };
  try {
    return await PullLink.begin(parts, request.forceGrpcData);
  } catch (error) {
    if (!(error instanceof DataPortUnreachable)) throw error;
    request.warn(...unreachableWarning(client.endpoint, error));
    return await PullLink.begin(parts, true);
  }
}

type Parts = {
  readonly client: ControlClient;
  readonly sources: PullSources;
  readonly target: PullTarget;
  readonly request: LinkRequest;
};

type Begun = {
  readonly talk: PullTalk;
  readonly heard: Heard;
  readonly offer: DataTransferNegotiation;
  readonly streams: ClientStreams;
  readonly session: ReceiveSession;
  readonly roots: readonly SourceRoot[];
};

class PullLink implements Link {
  readonly #parts: Parts;
  readonly #begun: Begun;
  #isFinished = false;

  private constructor(parts: Parts, begun: Begun) {
    this.#parts = parts;
    this.#begun = begun;
  }

  /** @throws {DataPortUnreachable} before anything has been made on this side */
  static async begin(parts: Parts, forceGrpcData: boolean): Promise<PullLink> {
    const { client, sources, target, request } = parts;
    const { options } = request;
    const heard = new Heard(request.warn);
    const talk: PullTalk = new Talk(client.pull, heard.listeners());
    let streams: ClientStreams | undefined;
    try {
      const wanted = await wantedStreams(client);
      const header = {
        module: sources.module,
        sources: sources.paths.map(bytesOfPath),
        options: optionsToMessage(options),
        capabilities: capabilities(forceGrpcData, wanted, client),
      };
      talk.requests.push({ payload: { case: "header", value: header } });
      const offer = await talk.next("negotiation");
      const roots = rootsFromMessages(offer.roots);
      checkRoots(roots, sources);
      streams = offer.overGrpc
        ? await pumpStreams(
            offer.oneTimeTokens.length,
            talk.requests,
            (value): Request => ({ payload: { case: "data", value } }),
          )
        : await connectStreams(client, offer, { signal: request.signal, isFar: wanted.isFar });
      const { seats } = streams;
      const { base, path, workers } = target;
      const count = seats.length;
      const session = await ReceiveSession.open({
        options,
        base,
        target: path,
        roots,
        streams: count,
        workers,
      });
      heard.streams = streams;
      for (const seat of seats) session.addStream(seat);
      return new PullLink(parts, { talk, heard, offer, streams, session, roots });
    } catch (error) {
      streams?.close({ seatsToo: true });
      talk.abort();
      throw error;
    }
  }

  get transport() {
    return this.#begun.offer.overGrpc ? "grpc" : this.#begun.streams.transport;
  }

  get streams(): number {
    return this.#begun.streams.seats.length;
  }

  get isEncrypted(): boolean {
    return this.#parts.client.isEncrypted;
  }

  get roots(): readonly SourceRoot[] {
    return this.#begun.roots;
  }

  get shownTarget(): string {
    return this.#begun.session.shown;
  }

  get sourceFs(): string {
    return this.#begun.offer.fileSystem;
  }

  get targetFs(): string {
    return this.#begun.session.fileSystem;
  }

  async runPass(purpose: PassPurpose, agreedDeletions: number | undefined): Promise<PassOutcome> {
    const { talk, session } = this.#begun;
    session.startPass(purpose, agreedDeletions);
    const value = passToMessage({ purpose, agreedDeletions });
    talk.requests.push({ payload: { case: "passStart", value } });
    const failed = session.failed.then((fault) => {
      throw fault;
    });
    failed.catch(() => {});
    return withReasonOf(talk, Promise.race([failed, this.#reports()]));
  }

  async #reports(): Promise<PassOutcome> {
    const { talk, session } = this.#begun;
    const reports = new SourceReportReader();
    let source = reports.add(await talk.next("sourceReport"));
    while (source === undefined) source = reports.add(await talk.next("sourceReport"));
    return { source, target: await session.finishPass(source) };
  }

  progress(): LinkProgress {
    return { source: this.#begun.heard.progress, target: this.#begun.session.progress() };
  }

  cancel(reason: number): void {
    this.#begun.session.cancel(reason);
    this.#begun.talk.requests.push({ payload: { case: "cancel", value: {} } });
  }

  async finish(): Promise<void> {
    const { talk, session } = this.#begun;
    this.#isFinished = true;
    talk.requests.push({ payload: { case: "finish", value: {} } });
    talk.requests.end();
    await session.close();
    await talk.over;
    if (talk.failure !== undefined) throw talk.failure;
  }

  async close(): Promise<void> {
    const { talk, session, streams } = this.#begun;
    streams.close({ seatsToo: false });
    if (!this.#isFinished) await session.close();
    talk.abort();
    await talk.over;
  }
}

/** A daemon sends what was asked for and nothing else: the names in the target are the user's. */
function checkRoots(roots: readonly SourceRoot[], sources: PullSources): void {
  const isEach = roots.length === sources.paths.length;
  const isAsked = roots.every((root, index) => isRootOf(root, sources.paths[index] ?? ""));
  if (isEach && isAsked) return;
  throw new Fault({
    code: "E_INTEGRITY",
    message: "The daemon offers other sources than it was asked for",
    hint: "are both sides of the same version of blit?",
  });
}

function isRootOf(root: SourceRoot, path: string): boolean {
  if (root.isContents !== meansContents(path)) return false;
  return root.isContents || root.name === splitPath(path).name;
}
