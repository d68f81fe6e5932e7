import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ControlClient } from "../control/client.ts";
import { optionsToMessage, passToMessage, rootsFromMessages } from "../control/messages.ts";
import type {
  DataTransferNegotiation,
  DelegatedPullRequestSchema,
  ServerPushResponse,
} from "../control/proto/blit_pb.js";
import { PassReportReader, SourceReportReader } from "../control/report-parts.ts";
import { bytesOfPath, pathOfBytes } from "../control/wire-values.ts";
import type { PlaceEndpoint } from "../endpoint.ts";
import type { PassPurpose, SourceRoot } from "../session/types.ts";
import { capabilities } from "./capabilities.ts";
import { nearStreams } from "./client-streams.ts";
import { Heard } from "./heard.ts";
import type { Link, LinkProgress, LinkRequest, PassOutcome } from "./link.ts";
import { type RemoteSources, sessionPath } from "./route.ts";
import { Talk } from "./talk.ts";

type Request = MessageInitShape<typeof DelegatedPullRequestSchema>;
type DelegatedTalk = Talk<Request, ServerPushResponse>;

/** How the target's daemon gets at the source's. */
export type SourceAccess = {
  /** Numeric address of the source's daemon, as seen from here. */
  readonly address: string;
  /** SHA-256 (hexadecimal) of the certificate that this machine has checked; undefined: plain. */
  readonly certificateSha256: string | undefined;
  readonly token: string | undefined;
};

/**
 * Lets the target's daemon pull from the source's; no content comes through here.
 * @param client connected to the target's daemon
 * @throws {Fault} E_NETWORK where the daemons cannot reach each other: see `isUnreachable`
 */
export async function openDelegated(
  client: ControlClient,
  places: { readonly from: RemoteSources; readonly target: PlaceEndpoint },
  access: SourceAccess,
  request: LinkRequest,
): Promise<Link> {
  const { from, target } = places;
  const heard = new Heard(request.warn);
  const talk: DelegatedTalk = new Talk(client.delegatedPull, heard.listeners());
  try {
    const header = {
      sourceHost: from.host,
      sourcePort: from.port,
      sourceModule: from.module,
      sources: from.places.map((place) => bytesOfPath(sessionPath(place))),
      target: { module: target.module, path: bytesOfPath(sessionPath(target)) },
      options: optionsToMessage(request.options),
      sourceCertificateSha256: new Uint8Array(Buffer.from(access.certificateSha256 ?? "", "hex")),
      sourceToken: new Uint8Array(Buffer.from(access.token ?? "")),
      capabilities: capabilities(request.forceGrpcData, nearStreams()),
    };
    talk.requests.push({ payload: { case: "header", value: header } });
    const offer = await talk.next("negotiation");
    return new DelegatedLink(talk, heard, offer, access);
  } catch (error) {
    talk.abort();
    throw error;
  }
}

class DelegatedLink implements Link {
  readonly transport = "direct";
  readonly isEncrypted: boolean;
  readonly #talk: DelegatedTalk;
  readonly #heard: Heard;
  readonly #offer: DataTransferNegotiation;
  readonly #sourceReports = new SourceReportReader();
  readonly #passReports = new PassReportReader();

  constructor(
    talk: DelegatedTalk,
    heard: Heard,
    offer: DataTransferNegotiation,
    access: SourceAccess,
  ) {
    this.#talk = talk;
    this.#heard = heard;
    this.#offer = offer;
    this.isEncrypted = access.certificateSha256 !== undefined;
  }

  get streams(): number {
    return this.#offer.oneTimeTokens.length;
  }

  get roots(): readonly SourceRoot[] {
    return rootsFromMessages(this.#offer.roots);
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
    const value = passToMessage({ purpose, agreedDeletions });
    talk.requests.push({ payload: { case: "passStart", value } });
    let source = this.#sourceReports.add(await talk.next("sourceReport"));
    while (source === undefined) {
      source = this.#sourceReports.add(await talk.next("sourceReport"));
    }
    let target = this.#passReports.add(await talk.next("passReport"));
    while (target === undefined) target = this.#passReports.add(await talk.next("passReport"));
    return { source, target };
  }

  progress(): LinkProgress {
    return { source: undefined, target: this.#heard.progress };
  }

  cancel(): void {
    this.#talk.requests.push({ payload: { case: "cancel", value: {} } });
  }

  async finish(): Promise<void> {
    this.#talk.requests.push({ payload: { case: "finish", value: {} } });
    this.#talk.requests.end();
    await this.#talk.over;
    if (this.#talk.failure !== undefined) throw this.#talk.failure;
  }

  async close(): Promise<void> {
    this.#talk.abort();
    await this.#talk.over;
  }
}
