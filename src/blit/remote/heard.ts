import { faultOfFailure } from "../control/fault-status.ts";
import { progressFromMessage } from "../control/messages.ts";
import type { DataChunk, Failure, Progress } from "../control/proto/blit_pb.js";
import type { SessionProgress } from "../session/types.ts";
import type { ClientStreams } from "./client-streams.ts";
import type { LinkRequest } from "./link.ts";

/** What a daemon says beside its reports: how far it is, bytes of streams, warnings, the end. */
export class Heard {
  readonly #warn: LinkRequest["warn"];
  /** Where the bytes of streams go that are messages. */
  streams: Pick<ClientStreams, "take"> | undefined;
  progress: SessionProgress | undefined;

  constructor(warn: LinkRequest["warn"]) {
    this.#warn = warn;
  }

  /** For a Talk. @throws {Fault} what the daemon says has ended the transfer */
  listeners() {
    return {
      progress: (message: Progress): void => {
        this.progress = progressFromMessage(message);
      },
      data: (chunk: DataChunk): Promise<void> | undefined => this.streams?.take(chunk),
      failure: (failure: Failure): never => {
        throw faultOfFailure(failure);
      },
      warning: (text: string): void => this.#warn(text),
    };
  }
}
