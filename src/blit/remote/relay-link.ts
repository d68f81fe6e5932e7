import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ControlClient } from "../control/client.ts";
import { optionsToMessage, passToMessage, rootsFromMessages } from "../control/messages.ts";
import type {
  ClientPullRequestSchema,
  ClientPushRequestSchema,
  DataChunk,
  DataTransferNegotiation,
  ServerPullResponse,
  ServerPushResponse,
} from "../control/proto/blit_pb.js";
import {
  PassReportReader,
  SourceReportReader,
  sourceReportParts,
} from "../control/report-parts.ts";
import { bytesOfPath, pathOfBytes } from "../control/wire-values.ts";
import type { PlaceEndpoint } from "../endpoint.ts";
import type { PassPurpose, SourceRoot } from "../session/types.ts";
import { capabilities } from "./capabilities.ts";
import { withReasonOf } from "./echo.ts";
import { Heard } from "./heard.ts";
import type { Link, LinkProgress, LinkRequest, PassOutcome } from "./link.ts";
import type { MessageQueue } from "./message-queue.ts";
import { type RemoteSources, sessionPath } from "./route.ts";
import { Talk } from "./talk.ts";

type PullRequest = MessageInitShape<typeof ClientPullRequestSchema>;
type PushRequest = MessageInitShape<typeof ClientPushRequestSchema>;
type PullTalk = Talk<PullRequest, ServerPullResponse>;
type PushTalk = Talk<PushRequest, ServerPushResponse>;

/** Everything is one queue of messages here: more streams would only wait for each other. */
const RELAY_STREAMS = 2;

/**
 * Brings content from one daemon to another through this machine: what the one sends as messages
 * goes to the other as it is. Nothing of it is looked at or kept.
 * @throws {Fault} of either connection, and whatever either daemon refuses with
 */
export async function openRelay(
  clients: { readonly source: ControlClient; readonly target: ControlClient },
  places: { readonly from: RemoteSources; readonly target: PlaceEndpoint },
  request: LinkRequest,
): Promise<Link> {
  let streams = RELAY_STREAMS;
  for (;;) {
    const link = await RelayLink.begin(clients, places, { ...request, streams });
    if (typeof link !== "number") return link;
    // The target's daemon serves fewer streams than the source's: both must have the same number.
    streams = link;
  }
}

type RelayRequest = LinkRequest & { readonly streams: number };

class RelayLink implements Link {
  readonly transport = "relay";
  readonly isEncrypted: boolean;
  readonly streams: number;
  readonly roots: readonly SourceRoot[];
  readonly #pull: PullTalk;
  readonly #push: PushTalk;
  readonly #heard: { readonly source: Heard; readonly target: Heard };
  readonly #offers: { source: DataTransferNegotiation; target: DataTransferNegotiation };
  readonly #sourceReports = new SourceReportReader();
  readonly #passReports = new PassReportReader();

  private constructor(
    parts: {
      readonly pull: PullTalk;
      readonly push: PushTalk;
      readonly heard: { readonly source: Heard; readonly target: Heard };
      readonly isEncrypted: boolean;
    },
    offers: { source: DataTransferNegotiation; target: DataTransferNegotiation },
  ) {
    this.#pull = parts.pull;
    this.#push = parts.push;
    this.#heard = parts.heard;
    this.#offers = offers;
    this.isEncrypted = parts.isEncrypted;
    this.streams = offers.target.oneTimeTokens.length;
    this.roots = rootsFromMessages(offers.source.roots);
  }

  /** @returns how many streams the target's daemon serves, where that is fewer */
  static async begin(
    clients: { readonly source: ControlClient; readonly target: ControlClient },
    places: { readonly from: RemoteSources; readonly target: PlaceEndpoint },
    request: RelayRequest,
  ): Promise<RelayLink | number> {
    const heard = { source: new Heard(request.warn), target: new Heard(request.warn) };
    const pull: PullTalk = new Talk(clients.source.pull, heard.source.listeners());
    const push: PushTalk = new Talk(clients.target.push, heard.target.listeners());
    heard.source.streams = outlet(push.requests, (value): PushRequest => asData(value));
    heard.target.streams = outlet(pull.requests, (value): PullRequest => asData(value));
    let isKept = false;
    try {
      const options = optionsToMessage(request.options);
      const { from, target } = places;
      const sources = from.places.map((place) => bytesOfPath(sessionPath(place)));
      const pullHeader = {
        module: from.module,
        sources,
        options,
        capabilities: capabilities(true, { count: request.streams, isFar: false }),
      };
      pull.requests.push({ payload: { case: "header", value: pullHeader } });
      const source = await pull.next("negotiation");
      const count = source.oneTimeTokens.length;
      const pushHeader = {
        target: { module: target.module, path: bytesOfPath(sessionPath(target)) },
        options,
        roots: source.roots,
        capabilities: capabilities(true, { count, isFar: false }),
      };
      push.requests.push({ payload: { case: "header", value: pushHeader } });
      const offer = await push.next("negotiation");
      const served = offer.oneTimeTokens.length;
      if (served < count) return served;
      isKept = true;
      const isEncrypted = clients.source.isEncrypted && clients.target.isEncrypted;
      const parts = { pull, push, heard, isEncrypted };
      return new RelayLink(parts, { source, target: offer });
    } finally {
      if (!isKept) {
        pull.abort();
        push.abort();
        await Promise.all([pull.over, push.over]);
      }
    }
  }

  get shownTarget(): string {
    return pathOfBytes(this.#offers.target.shownPath, "a path");
  }

  get sourceFs(): string {
    return this.#offers.source.fileSystem;
  }

  get targetFs(): string {
    return this.#offers.target.fileSystem;
  }

  async runPass(purpose: PassPurpose, agreedDeletions: number | undefined): Promise<PassOutcome> {
    const value = passToMessage({ purpose, agreedDeletions });
    this.#push.requests.push({ payload: { case: "passStart", value } });
    this.#pull.requests.push({ payload: { case: "passStart", value } });
    return withReasonOf(this.#push, withReasonOf(this.#pull, this.#reports()));
  }

  async #reports(): Promise<PassOutcome> {
    let source = this.#sourceReports.add(await this.#pull.next("sourceReport"));
    while (source === undefined) {
      source = this.#sourceReports.add(await this.#pull.next("sourceReport"));
    }
    for (const part of sourceReportParts(source)) {
      this.#push.requests.push({ payload: { case: "sourceReport", value: part } });
    }
    let target = this.#passReports.add(await this.#push.next("passReport"));
    while (target === undefined) {
      target = this.#passReports.add(await this.#push.next("passReport"));
    }
    return { source, target };
  }

  progress(): LinkProgress {
    return { source: this.#heard.source.progress, target: this.#heard.target.progress };
  }

  cancel(): void {
    this.#pull.requests.push({ payload: { case: "cancel", value: {} } });
    this.#push.requests.push({ payload: { case: "cancel", value: {} } });
  }

  async finish(): Promise<void> {
    this.#pull.requests.push({ payload: { case: "finish", value: {} } });
    this.#push.requests.push({ payload: { case: "finish", value: {} } });
    for (const talk of [this.#pull, this.#push]) {
      talk.requests.end();
      await talk.over;
      if (talk.failure !== undefined) throw talk.failure;
    }
  }

  async close(): Promise<void> {
    this.#pull.abort();
    this.#push.abort();
    await Promise.all([this.#pull.over, this.#push.over]);
  }
}

function asData(value: DataChunk): { payload: { case: "data"; value: DataChunk } } {
  return { payload: { case: "data", value } };
}

/** Hands messages on; the next one is read when there is room for it. */
function outlet<M>(
  requests: MessageQueue<M>,
  messageOf: (chunk: DataChunk) => M,
): { take(chunk: DataChunk): Promise<void> } {
  return {
    take: async (chunk) => {
      requests.push(messageOf(chunk), chunk.data.length);
      await requests.whenRoom();
    },
  };
}
