import type { MessageInitShape } from "@bufbuild/protobuf";
import { AT } from "../../../ffi/abi/constants.ts";
import type { ControlClient } from "../control/client.ts";
import { optionsToMessage, passToMessage, rootsToMessages } from "../control/messages.ts";
import type {
  ClientPushRequestSchema,
  DataTransferNegotiation,
  ServerPushResponse,
} from "../control/proto/blit_pb.js";
import { PassReportReader, sourceReportParts } from "../control/report-parts.ts";
import { bytesOfPath, pathOfBytes } from "../control/wire-values.ts";
import type { PlaceEndpoint } from "../endpoint.ts";
import { SendSession } from "../send/send-session.ts";
import type { PassPurpose } from "../session/types.ts";
import { capabilities } from "./capabilities.ts";
import {
  type ClientStreams,
  connectStreams,
  pumpStreams,
  type WantedStreams,
  wantedStreams,
} from "./client-streams.ts";
import { DataPortUnreachable } from "./data-connection.ts";
import { withReasonOf } from "./echo.ts";
import { Heard } from "./heard.ts";
import type { Link, LinkProgress, LinkRequest, PassOutcome } from "./link.ts";
import { sessionPath } from "./route.ts";
import { splitPays } from "./split-pays.ts";
import { Talk } from "./talk.ts";

type Request = MessageInitShape<typeof ClientPushRequestSchema>;
type PushTalk = Talk<Request, ServerPushResponse>;

/**
 * Sends local sources to a place on a daemon.
 * @throws {Fault} of the local sources, of the connection, and whatever the daemon refuses with
 */
export async function openPush(
  client: ControlClient,
  sources: readonly string[],
  target: PlaceEndpoint,
  request: LinkRequest,
): Promise<Link> {
  const base = { fd: AT.FDCWD, resolve: 0 };
  const wanted = await wantedStreams(client);
  const { options } = request;
  const session = await SendSession.open({ options, base, sources, streams: wanted.count });
  const parts = { client, session, target, request, wanted };
  try {
    try {
      return await PushLink.begin(parts, request.forceGrpcData);
    } catch (error) {
      if (!(error instanceof DataPortUnreachable)) throw error;
      request.warn(...unreachableWarning(client.endpoint, error));
      return await PushLink.begin(parts, true);
    }
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** The one warning of a transfer that goes through the control connection. */
export function unreachableWarning(endpoint: string, why: Error): [string, string] {
  return [
    `the data port of "${endpoint}" cannot be reached (${why.message}): content goes through ` +
      "the control connection, which is slower",
    "open the data port in the firewall, or use --force-grpc-data",
  ];
}

type Parts = {
  readonly client: ControlClient;
  readonly session: SendSession;
  readonly target: PlaceEndpoint;
  readonly request: LinkRequest;
  readonly wanted: WantedStreams;
};

class PushLink implements Link {
  readonly #parts: Parts;
  readonly #talk: PushTalk;
  readonly #offer: DataTransferNegotiation;
  readonly #streams: ClientStreams;
  readonly #heard: Heard;
  #isFinished = false;

  private constructor(
    parts: Parts,
    begun: { talk: PushTalk; heard: Heard; offer: DataTransferNegotiation; streams: ClientStreams },
  ) {
    this.#parts = parts;
    this.#talk = begun.talk;
    this.#heard = begun.heard;
    this.#offer = begun.offer;
    this.#streams = begun.streams;
  }

  /** @throws {DataPortUnreachable} before anything has reached the session */
  static async begin(parts: Parts, forceGrpcData: boolean): Promise<PushLink> {
    const { client, session, target, request, wanted } = parts;
    const heard = new Heard(request.warn);
    const talk: PushTalk = new Talk(client.push, heard.listeners());
    try {
      const { module } = target;
      const header = {
        target: { module, path: bytesOfPath(sessionPath(target)) },
        options: optionsToMessage(request.options),
        roots: rootsToMessages(session.roots),
        capabilities: capabilities(forceGrpcData, wanted, client),
      };
      talk.requests.push({ payload: { case: "header", value: header } });
      const offer = await talk.next("negotiation");
      const streams = offer.overGrpc
        ? await pumpStreams(
            offer.oneTimeTokens.length,
            talk.requests,
            (value): Request => ({ payload: { case: "data", value } }),
          )
        : await connectStreams(client, offer, { signal: request.signal, isFar: wanted.isFar });
      heard.streams = streams;
      const canSplit = offer.supportsParts && !offer.overGrpc;
      if (canSplit && splitPays(client.address)) session.splitFiles();
      for (const seat of streams.seats) session.addStream(seat);
      return new PushLink(parts, { talk, heard, offer, streams });
    } catch (error) {
      talk.abort();
      throw error;
    }
  }

  get transport() {
    return this.#offer.overGrpc ? "grpc" : this.#streams.transport;
  }

  get streams(): number {
    return this.#streams.seats.length;
  }

  get isEncrypted(): boolean {
    return this.#parts.client.isEncrypted;
  }

  get roots() {
    return this.#parts.session.roots;
  }

  get shownTarget(): string {
    return pathOfBytes(this.#offer.shownPath, "a path");
  }

  get sourceFs(): string {
    return "unknown";
  }

  get targetFs(): string {
    return this.#offer.fileSystem;
  }

  async runPass(purpose: PassPurpose, agreedDeletions: number | undefined): Promise<PassOutcome> {
    const talk = this.#talk;
    const reports = new PassReportReader();
    const value = passToMessage({ purpose, agreedDeletions });
    talk.requests.push({ payload: { case: "passStart", value } });
    const source = await withReasonOf(talk, this.#parts.session.runPass(purpose));
    for (const part of sourceReportParts(source)) {
      talk.requests.push({ payload: { case: "sourceReport", value: part } });
    }
    for (;;) {
      const target = reports.add(await talk.next("passReport"));
      if (target !== undefined) return { source, target };
    }
  }

  progress(): LinkProgress {
    return { source: this.#parts.session.progress(), target: this.#heard.progress };
  }

  cancel(reason: number): void {
    this.#parts.session.cancel(reason);
    this.#talk.requests.push({ payload: { case: "cancel", value: {} } });
  }

  async finish(): Promise<void> {
    this.#isFinished = true;
    this.#talk.requests.push({ payload: { case: "finish", value: {} } });
    this.#talk.requests.end();
    await this.#parts.session.close();
    await this.#talk.over;
    if (this.#talk.failure !== undefined) throw this.#talk.failure;
  }

  async close(): Promise<void> {
    this.#streams.close({ seatsToo: false });
    if (!this.#isFinished) await this.#parts.session.close();
    this.#talk.abort();
    await this.#talk.over;
  }
}
