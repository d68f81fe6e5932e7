import type { FaultJson } from "../../kit/fault/fault.ts";
import type { Action, EngineOptions, Issue } from "../engine/options.ts";
import type { SharedBuffers } from "../engine/shared-state.ts";
import type { LifeMessage } from "../session/stream-worker.ts";
import type { Base, PassPurpose, StreamSeat } from "../session/types.ts";

/** What a receiving session and the workers of its streams say to each other: plain data. */

/** Where one of the sources goes; the descriptors are the session's. */
export type TargetRoot = {
  readonly kind: "folder" | "entry";
  /** The target folder; -1 in a dry run where there is none, and for an entry. */
  readonly targetFd: number;
  /** The folder that holds the target; -1 in a dry run where there is none. */
  readonly parentFd: number;
  /** Name in it. */
  readonly targetName: string;
  /** The target folder was made by this pass. */
  readonly isNew: boolean;
};

export type ToReceiver =
  | {
      readonly kind: "start";
      /** Of the shared counters. */
      readonly row: number;
      readonly seat: StreamSeat;
      readonly options: EngineOptions;
      readonly shared: SharedBuffers;
      /** Of PartTable. */
      readonly parts: SharedArrayBuffer;
      /** Given up before anything is touched. */
      readonly base: Base;
    }
  | {
      readonly kind: "pass";
      readonly purpose: PassPurpose;
      readonly options: EngineOptions;
      readonly roots: readonly TargetRoot[];
      /** By root: paths that have been reported, of which the source has to stay. */
      readonly stays: readonly (readonly string[])[];
      /** Content is asked for whole, whatever the target has of it. */
      readonly avoidsDelta: boolean;
    }
  /** Every stream is done: deletions, then the times of folders. */
  | { readonly kind: "finish"; readonly deletes: boolean }
  | { readonly kind: "close" };

export type Found = { readonly issues: readonly Issue[]; readonly actions: readonly Action[] };

/** A folder that its owner may not search once it has its permissions. */
export type LateFolder = {
  readonly root: number;
  readonly path: string;
  readonly status: Uint8Array;
  readonly xattrs: Uint8Array;
  /** It was made by this pass. */
  readonly isNew: boolean;
};

export type FromReceiver =
  | ({ readonly kind: "found" } & Found)
  /** All that came on the stream in this pass is in place. */
  | {
      readonly kind: "written";
      /** Entries of another type that a mirror has to remove first. */
      readonly inTheWay: number;
      /** Folders with something to delete. */
      readonly due: number;
      readonly needsAnotherPass: boolean;
    }
  | { readonly kind: "finished"; readonly late: readonly LateFolder[] }
  /** The stream cannot go on. */
  | { readonly kind: "broken"; readonly fault: FaultJson }
  /** The run was cancelled: by the caller, or because the target is full. */
  | { readonly kind: "cancelled" }
  | LifeMessage;
