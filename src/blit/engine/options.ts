import type { FilterJson } from "../tree/filter.ts";

/** How a file that both sides have is compared. */
export type Comparison = "time" | "size" | "checksum";

/** What the walk does with what it finds. */
export type Purpose =
  /** Make the target like the source. */
  | "transfer"
  /** Say what would be done, entry by entry; change nothing. */
  | "plan"
  /** Count deletions only, before a mirror asks for consent; change nothing. */
  | "count";

/**
 * Everything that a thread of the engine needs to know: plain data, posted to every worker.
 * Names and paths are latin1 strings, one character per byte.
 */
export type EngineOptions = {
  readonly command: "copy" | "mirror" | "move";
  readonly purpose: Purpose;
  readonly comparison: Comparison;
  readonly ignoreExisting: boolean;
  readonly update: boolean;
  readonly xattrs: boolean;
  readonly owner: boolean;
  readonly specials: boolean;
  readonly filter: FilterJson | undefined;
  /** Start of every temporary name of this run; see staging.ts. */
  readonly temporaryPrefix: string;
  /** Descriptor of the opened --backup-dir, or -1. */
  readonly backupFd: number;
  /** Folder below it for each of the command line's sources, "" for none; see keepBackup. */
  readonly backupFolders: readonly string[];
  /** Wall clock at the start of the run, seconds. */
  readonly startedAtSec: number;
  readonly user: UserIdentity;
  /** Size of the steps in which the target keeps modification times, nanoseconds (1 = exact). */
  readonly timeGrainNs: number;
  /** The target may take two names for one: every new name is checked. */
  readonly targetFoldsNames: boolean;
  /** Mount and device of the target root: deletions never leave them. */
  readonly targetMount: { readonly dev: number; readonly mntId: number };
  /**
   * The way in which large files are begun; a huge one tries the other way too, and may change.
   * undefined on the main thread, which asks for it when it is needed: see Thread.strategy.
   */
  readonly hugeFileStrategy: HugeFileStrategy | undefined;
  /** Space for large files is taken before they are written. */
  readonly preallocates: boolean;
  /** Small files share their bytes with the source; larger ones do wherever that works. */
  readonly clonesSmallFiles: boolean;
};

export type HugeFileStrategy = "buffered" | "copy_file_range";

export type UserIdentity = {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
};

/** One entry that did not go as asked. `path` is relative to the source root, latin1. */
export type Issue = {
  readonly kind: "failed" | "vanished" | "skipped" | "attributes" | "warning";
  /** Index of the source on the command line. */
  readonly root: number;
  readonly path: string;
  /** Error code of the catalogue or of the system call. */
  readonly code: string;
  /** The call that failed, where one did. */
  readonly call: string | undefined;
  readonly message: string;
};

/** One line of a plan (--dry-run). */
export type Action = {
  readonly action:
    | "copy"
    | "replace"
    | "delete"
    | "folder"
    | "link"
    | "attributes"
    | "special"
    | "move";
  readonly root: number;
  readonly path: string;
  readonly bytes: number;
};
