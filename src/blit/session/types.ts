import type { Action, Comparison, Issue } from "../engine/options.ts";
import type { FilterJson } from "../tree/filter.ts";

/**
 * What the two ends of a transfer over streams agree on: plain data, for the control plane and for
 * workers. Names and paths are latin1 strings, one character per byte.
 */

/** What is asked for, the same on both sides. */
export type SessionOptions = {
  readonly command: "copy" | "mirror" | "move";
  readonly comparison: Comparison;
  readonly ignoreExisting: boolean;
  readonly update: boolean;
  readonly xattrs: boolean;
  readonly owner: boolean;
  readonly specials: boolean;
  readonly filter: FilterJson | undefined;
  /** On the target's side. */
  readonly backupDir: string | undefined;
  readonly allowEmptySource: boolean;
  /** Over all streams together; 0 = as fast as it goes. */
  readonly bytesPerSecond: number;
  readonly compress: boolean;
};

/** How paths of this side are opened. */
export type Base = {
  /** An open folder, or AT_FDCWD: the caller's, and stays open. */
  readonly fd: number;
  /** RESOLVE flags of openat2(2): 0 for a user's own paths, else they never leave the folder. */
  readonly resolve: number;
  /** What a worker gives up before it touches anything below the folder (daemon/confine.ts). */
  readonly confine?: Confinement | undefined;
};

/** Of one worker thread, for good. */
export type Confinement = {
  /** The folder becomes the thread's root. */
  readonly chroot: boolean;
  readonly uid?: number;
  readonly gid?: number;
};

/** One of the sources, as its own side has found it. */
export type SourceRoot = {
  readonly index: number;
  readonly kind: "folder" | "entry";
  /** Last name of its path. */
  readonly name: string;
  /** A slash at the end: what is in it, not the folder. */
  readonly isContents: boolean;
  /** As typed, for messages. */
  readonly typed: string;
  /** Of the folder (of an entry, the one that holds it) and those above it: see lineage.ts. */
  readonly lineage?: readonly string[] | undefined;
};

export type PassPurpose = "transfer" | "plan" | "count" | "settle";

/** One data stream, ready for frames: the handshake is behind it. */
export type StreamSeat = {
  readonly index: number;
  /** A connected stream socket, owned by the seat. */
  readonly fd: number;
  /** "rdma": `fd` is one of ffi/rdma.ts. undefined: a socket of the kernel. */
  readonly transport?: "rdma" | undefined;
  /** undefined: plain, or the kernel encrypts it already. */
  readonly keys: StreamKeys | undefined;
  /** Nothing moves for so long although it should: E_STALL. */
  readonly stallMs: number;
};

/** AES-256-GCM keys of one stream, as this side uses them. */
export type StreamKeys = {
  readonly sendKey: Uint8Array;
  readonly sendIv: Uint8Array;
  readonly receiveKey: Uint8Array;
  readonly receiveIv: Uint8Array;
};

/** The source's side of a pass is done. `counts` are the columns of engine/shared-state.ts. */
export type SourceReport = {
  readonly counts: readonly number[];
  readonly issues: readonly Issue[];
  readonly listingErrors: number;
  readonly cancelled: number;
};

/** The target's side of a pass is done, deletions and folder times included. */
export type PassReport = {
  readonly counts: readonly number[];
  readonly issues: readonly Issue[];
  readonly actions: readonly Action[];
  /** Entries that a mirror would delete, or has found to delete. */
  readonly deletable: number;
  readonly deletionsSkipped: string | undefined;
  /** Room was made for entries of another type, which a further pass brings. */
  readonly needsAnotherPass: boolean;
  readonly cancelled: number;
};

/** Where the bytes of a session are, for progress: sums over the threads of this side. */
export type SessionProgress = {
  readonly counts: readonly number[];
  /** The listing has come to its end. */
  readonly isFinal: boolean;
};
