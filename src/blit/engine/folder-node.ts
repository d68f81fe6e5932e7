import { sys } from "../../../ffi/sys.ts";

/** Who waits for a folder that was given to another thread. */
export type RemoteParent = { readonly thread: number; readonly nodeId: number };

/** What is kept of a source folder's status until all of its content is there. */
export type FolderStatus = {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly atimeSec: number;
  readonly atimeNsec: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
};

let nextId = 1;

/**
 * A pair of open folders, source and target. It stays open until everything below it is done, and
 * then gets its times and mode. All access below goes through its two descriptors, never by path.
 */
export class FolderNode {
  readonly id = nextId++;
  readonly parent: FolderNode | undefined;
  readonly remote: RemoteParent | undefined;
  /** Index of the source on the command line. */
  readonly root: number;
  /** Below the source root, latin1; "" for a root. */
  readonly path: string;
  readonly sourceFd: number;
  /** -1 in a dry run where the target has no such folder. */
  readonly targetFd: number;
  /** Made by this run: nothing else can be in it. */
  readonly isNew: boolean;
  /** Name in the target's parent folder. */
  readonly targetName: string;
  /** Still under a temporary name. */
  stagedName: string | undefined;
  /** The temporary name of a folder that could not be given its final one: it is removed. */
  unpublished: string | undefined;
  /** Bytes written under the temporary name. */
  stagedBytes = 0;
  /** Batches of files, here or elsewhere, and the listing: the name is given when all are done. */
  pendingFiles = 1;
  /** Children (and batches of them) that are not done, plus the listing of the folder itself. */
  pending = 1;
  /** undefined for the folder that merely holds a root entry: it is left as it is. */
  status: FolderStatus | undefined;
  /** Status of the target folder before the run; undefined where it is new. */
  targetStatus: FolderStatus | undefined;
  /** Mode that the target folder gets again when the work in it is done; see openToOwner. */
  formerMode: number | undefined;
  /** Group that a file made in the target folder gets. */
  newFileGid = -1;
  /** The target folder hands a default ACL on to what is made in it; undefined = not asked yet. */
  defaultAcl: boolean | undefined;
  /** Its descriptors belong to another node or to the caller and stay open. */
  readonly borrowed: boolean;
  /** Entries of the target's listing, temporary names left out; -1 where it was not listed. */
  targetEntries = -1;
  /** Source entries that the target was found to have too. */
  matched = 0;
  /**
   * Holds what the command line names: its entries' names are no part of their paths, and a file
   * of several names in it is copied by itself.
   */
  readonly takesLinked: boolean;
  /** Names in the target, where it may take two names for one. */
  exactNames: Set<string> | undefined;

  constructor(options: {
    parent?: FolderNode | undefined;
    remote?: RemoteParent | undefined;
    root: number;
    path: string;
    sourceFd: number;
    targetFd: number;
    isNew: boolean;
    targetName: string;
    stagedName?: string | undefined;
    borrowed?: boolean;
    takesLinked?: boolean;
  }) {
    this.parent = options.parent;
    this.remote = options.remote;
    this.root = options.root;
    this.path = options.path;
    this.sourceFd = options.sourceFd;
    this.targetFd = options.targetFd;
    this.isNew = options.isNew;
    this.targetName = options.targetName;
    this.stagedName = options.stagedName;
    this.borrowed = options.borrowed ?? false;
    this.takesLinked = options.takesLinked ?? false;
  }

  /** Path of an entry below the source root. */
  pathOf(name: string): string {
    return this.path === "" ? name : `${this.path}/${name}`;
  }

  close(): void {
    if (this.borrowed) return;
    if (this.sourceFd >= 0) sys.close(this.sourceFd);
    if (this.targetFd >= 0) sys.close(this.targetFd);
  }
}
