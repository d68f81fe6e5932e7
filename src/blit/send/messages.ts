import type { LinkMember } from "../engine/messages.ts";
import type { Issue } from "../engine/options.ts";
import type { SharedBuffers } from "../engine/shared-state.ts";
import type { LifeMessage } from "../session/stream-worker.ts";
import type {
  Base,
  PassPurpose,
  SessionOptions,
  SourceRoot,
  StreamSeat,
} from "../session/types.ts";

/** What a sending session and the workers of its streams say to each other: plain data. */

/** A source with the descriptor that everything below it is opened through. */
export type OpenRoot = SourceRoot & {
  /** The folder itself, or for an entry the folder that holds it. */
  readonly fd: number;
  /** Name of an entry in `fd`; "" for a folder. */
  readonly entryName: string;
  /** The folder that holds it, -1 for "/" and the like; of an entry the same as `fd`. */
  readonly parentFd: number;
  /** Its name there. */
  readonly parentName: string;
};

export type ToSender =
  | {
      readonly kind: "start";
      /** Of the counters in the shared memory. */
      readonly row: number;
      readonly seat: StreamSeat;
      readonly options: SessionOptions;
      /** What the worker gives up before it reads anything. */
      readonly base: Base;
      readonly roots: readonly OpenRoot[];
      readonly shared: SharedBuffers;
      readonly queue: SharedArrayBuffer;
      /** Of PartBoard; undefined: each file goes over one stream. */
      readonly board: SharedArrayBuffer | undefined;
      /** Wall clock at the start of the session, seconds. */
      readonly startedAtSec: number;
      /** Of all streams together; 0 = as fast as it goes. */
      readonly bytesPerSecond: number;
      /** Of `sharedPace`. */
      readonly pace: SharedArrayBuffer;
    }
  | {
      readonly kind: "pass";
      readonly purpose: PassPurpose;
      /** Of the keyed hashes of this pass, 32 bytes. */
      readonly key: Uint8Array;
      /** By root: paths that have been reported, so that a settling pass leaves them. */
      readonly stays: readonly (readonly string[])[];
    }
  /** Walk what the queue holds until every stream's folders are walked and answered. */
  | { readonly kind: "walk" }
  /** Everything is walked: send these files of several names, then the end of the pass. */
  | { readonly kind: "finish"; readonly groups: readonly (readonly LinkMember[])[] }
  /** The end of a settling pass: folders that are empty now are removed. */
  | { readonly kind: "remove"; readonly folders: readonly WalkedFolder[] }
  | { readonly kind: "close" };

/** A folder of the source, below its root. */
export type WalkedFolder = { readonly root: number; readonly path: string };

export type FromSender =
  /** The answer to "start". */
  | { readonly kind: "started" }
  | {
      readonly kind: "walked";
      readonly links: readonly LinkMember[];
      readonly issues: readonly Issue[];
      /** Of a settling pass: folders that may be empty now. */
      readonly folders: readonly WalkedFolder[];
    }
  /** Also the answer to "remove". */
  | { readonly kind: "done"; readonly issues: readonly Issue[] }
  /** The stream cannot go on. `result` is -errno; `side` is where it went wrong. */
  | {
      readonly kind: "broken";
      readonly result: number;
      readonly side: "send" | "receive" | "protocol";
      readonly detail: string;
    }
  | LifeMessage;
