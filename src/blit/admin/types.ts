import type { Issue } from "../engine/options.ts";

/**
 * What the administrative commands hand out, for a folder of this machine and for one of a daemon
 * alike. Names and paths are latin1 strings, one character per byte.
 */

export type EntryKind = "file" | "folder" | "symlink" | "special";

/** One entry as it was found. */
export type AdminEntry = {
  /** Below the place that was asked about; "" is the place itself. */
  readonly path: string;
  readonly kind: EntryKind;
  readonly sizeBytes: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  /** Type and permission bits, as st_mode has them. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a symbolic link. */
  readonly linkTarget: string | undefined;
};

/** A part of an answer: bounded, so that no folder is too large for it. */
export type EntryChunk = {
  readonly entries: readonly AdminEntry[];
  readonly issues: readonly Issue[];
};

/** A part of the answer of find. */
export type FindChunk = EntryChunk & {
  /** There is more, but as many as were asked for have been found. */
  readonly isCutOff: boolean;
};

/** Which entries find is to name; what is undefined does not matter. */
export type FindQuery = {
  /** Shell pattern over the last name, latin1. */
  readonly namePattern: string | undefined;
  readonly foldsCase: boolean;
  readonly kind: EntryKind | undefined;
  readonly sizeMinBytes: number;
  readonly sizeMaxBytes: number | undefined;
  /** Seconds since 1970: modified at that time or later. */
  readonly mtimeSinceSec: number | undefined;
  /** Modified before that time, or at it. */
  readonly mtimeUntilSec: number | undefined;
  readonly resultsMax: number;
};

/** What a folder holds, with everything below it. */
export type Usage = {
  readonly path: string;
  /** Sizes of its files. */
  readonly bytes: number;
  /** What they and the folders take on the disk; a file of several names counts once. */
  readonly diskBytes: number;
  readonly files: number;
  readonly folders: number;
};

export type UsageChunk = { readonly usages: readonly Usage[]; readonly issues: readonly Issue[] };

/** Space of a file system, in bytes and inodes. */
export type FilesystemStats = {
  readonly fileSystem: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Of the free ones, those that a user may have. */
  readonly availableBytes: number;
  readonly totalInodes: number;
  readonly freeInodes: number;
  readonly isReadOnly: boolean;
};

/** What is to be removed. */
export type PurgeQuery = {
  readonly paths: readonly string[];
  readonly isRecursive: boolean;
  /** Count, remove nothing. */
  readonly isDryRun: boolean;
  /** More than the user has agreed to: nothing is removed. undefined = any number. */
  readonly agreedEntries: number | undefined;
};

/** How far a removal is; the figures are sums from its start. */
export type PurgeChunk = {
  readonly entries: number;
  readonly bytes: number;
  readonly issues: readonly Issue[];
  readonly isDone: boolean;
};

/** A module of a daemon. */
export type ModuleInfo = {
  readonly name: string;
  readonly comment: string;
  readonly isReadOnly: boolean;
};
