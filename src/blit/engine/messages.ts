import type { FolderStatus } from "./folder-node.ts";
import type { Action, EngineOptions, Issue } from "./options.ts";
import type { SharedBuffers } from "./shared-state.ts";
import type { Extraneous } from "./thread.ts";

/**
 * What the orchestrator and its workers say to each other: a discriminated union of plain data.
 * Descriptors are per process, so their numbers can be handed over (docs/bun.md).
 */

/** Something of another thread's folder is done: a batch's files, or a task with all below it. */
export type ChildDone = {
  readonly thread: number;
  readonly nodeId: number;
  readonly what: "folder" | "batch";
};

/** A file with several names: all but the first are linked when everything else is done. */
export type LinkMember = {
  readonly root: number;
  /** Folder below the roots, latin1. */
  readonly folder: string;
  readonly name: string;
  readonly dev: number;
  /** Exact inode number: high and low 32 bits as text. */
  readonly ino: string;
  readonly nlink: number;
};

/** A part in copying a huge file. */
export type HugeFileHelp = {
  readonly thread: number;
  readonly fileId: number;
  readonly sourceFd: number;
  readonly targetFd: number;
  readonly sizeBytes: number;
  readonly cursor: number;
  /** What a thread takes at a time, bytes. */
  readonly chunkBytes: number;
  /** It has holes, which stay holes. */
  readonly isSparse: boolean;
};

/** Entries to be removed from one folder of the target. */
export type RemovalTask = {
  readonly kind: "remove";
  readonly root: number;
  readonly targetRootFd: number;
  readonly folder: string;
  readonly names: readonly string[];
};

/** The end of a move across file systems: what has arrived is removed from the source. */
export type SettleTask = {
  readonly kind: "settle";
  readonly root: number;
  readonly sourceFd: number;
  readonly targetFd: number;
  /** One entry of both folders; "" = everything in them. */
  readonly name: string;
  readonly targetName: string;
  /** Paths below the root that have been reported: what is in the source stays there. */
  readonly stays: readonly string[];
};

/** What another thread needs of the folder that holds its new task. */
export type ParentMessage = {
  readonly thread: number;
  readonly nodeId: number;
  readonly root: number;
  readonly path: string;
  readonly sourceFd: number;
  readonly targetFd: number;
  readonly isNew: boolean;
  readonly staged: boolean;
  readonly newFileGid: number;
  readonly hasDefaultAcl: boolean;
  readonly targetStatus: FolderStatus | undefined;
  readonly takesLinked: boolean;
  readonly exactNames: readonly string[] | undefined;
};

export type TaskMessage =
  | {
      readonly kind: "folder" | "entry" | "large";
      readonly parent: ParentMessage;
      readonly name: string;
      readonly targetName: string;
      /** Bytes of a large file that are no holes; 0 where it is not known. */
      readonly dataBytes: number;
    }
  | { readonly kind: "batch"; readonly parent: ParentMessage; readonly names: readonly string[] }
  | { readonly kind: "help"; readonly help: HugeFileHelp }
  | RemovalTask
  | SettleTask;

export type ToWorker =
  | {
      readonly kind: "start";
      readonly index: number;
      readonly options: EngineOptions;
      readonly shared: SharedBuffers;
    }
  | { readonly kind: "tasks"; readonly tasks: readonly TaskMessage[] }
  | { readonly kind: "done"; readonly done: ChildDone }
  | {
      readonly kind: "helped";
      readonly fileId: number;
      /** 0 or -errno. */
      readonly result: number;
    };

export type Findings = {
  readonly issues: readonly Issue[];
  readonly actions: readonly Action[];
  readonly extraneous: readonly Extraneous[];
  readonly links: readonly LinkMember[];
};

export type FromWorker =
  /** Nothing to do: `received` messages were handled, `openNodes` folders wait for others. */
  | { readonly kind: "idle"; readonly received: number; readonly openNodes: number }
  | { readonly kind: "give"; readonly tasks: readonly TaskMessage[] }
  | { readonly kind: "done"; readonly done: ChildDone }
  | { readonly kind: "helped"; readonly help: HugeFileHelp; readonly result: number }
  | { readonly kind: "found"; readonly found: Findings }
  | { readonly kind: "crashed"; readonly message: string; readonly stack: string };
