import { Fault } from "../../kit/fault/fault.ts";
import type { Snapshot, SystemState } from "./types.ts";

/** How a tree is opened. */
export interface TreeOptions {
  /** For those who find the lock taken: `rastos snapshot clone`. */
  readonly command: string;
  /** Milliseconds since 1970. Default: the clock of the machine. */
  readonly clock?: () => number;
}

/** Folders of a snapshot, absolute. */
export interface SnapshotPaths {
  readonly root: string;
  readonly etc: string;
  readonly var: string;
}

/** What a snapshot is made of. */
export interface CreateOptions {
  /** Copied into the new root; its etc and var become the snapshot's own. Undefined: empty. */
  readonly from: string | undefined;
  readonly description: string;
  /** The system.toml that made it, as text. */
  readonly system?: string | undefined;
}

/** A new snapshot's description, and what made it. */
export interface KeepOptions {
  readonly description: string;
  readonly system?: string | undefined;
  /** Begins a branch of this name. */
  readonly branch?: string | undefined;
}

/** A writable clone to work in: kept as a new snapshot, or gone when its scope ends. */
export interface TemporaryClone extends Disposable {
  /** Absolute path of its root; `etc` and `var` in it are subvolumes of their own. */
  readonly path: string;
  /** Id of the snapshot that it was made of. */
  readonly from: number;
  /** Makes a snapshot of it, a child of the one it came from; the clone itself goes. */
  keep(options: KeepOptions): Snapshot;
  discard(): void;
}

/**
 * The snapshot tree of one root, locked for this process. Everything in it is synchronous: the
 * kernel calls below it are.
 */
export class SnapshotTree implements Disposable {
  /** Absolute path of the btrfs top level. */
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /**
   * Takes the lock, finishes or undoes what an interrupted run has left, and reads the state.
   *
   * @param root the mounted top level of a btrfs (see `openRoot`)
   * @throws {Fault} E_LOCKED naming the holder, E_NOT_FOUND where there is no tree, E_PRIVILEGE
   */
  static open(root: string, _options: TreeOptions): SnapshotTree {
    return new SnapshotTree(root);
  }

  get state(): SystemState {
    return unfinished();
  }

  /** A new snapshot without parent: of a folder, or empty. The first one is number 0, the base. */
  create(_options: CreateOptions): Snapshot {
    return unfinished();
  }

  /** A snapshot of a snapshot, its child. */
  clone(_id: number, _description?: string): Snapshot {
    return unfinished();
  }

  /** A child that begins a branch of its own. */
  branch(_id: number, _name: string, _description?: string): Snapshot {
    return unfinished();
  }

  /** Removes snapshots. @throws {Fault} E_REFUSED for pinned, deployed or needed ones */
  remove(_ids: readonly number[], _options: { readonly force: boolean }): void {
    unfinished();
  }

  describe(_id: number, _description: string): void {
    unfinished();
  }

  pin(_id: number, _isPinned: boolean): void {
    unfinished();
  }

  /** A writable clone under `.snapshots/tmp`. */
  temporary(_fromId: number): TemporaryClone {
    return unfinished();
  }

  /** The one atomic write for the records of deployments (and whatever else is in the state). */
  update(_change: (state: SystemState) => SystemState): void {
    unfinished();
  }

  /** @throws {Fault} E_NOT_FOUND naming the snapshots that there are */
  snapshot(_id: number): Snapshot {
    return unfinished();
  }

  pathsOf(_id: number): SnapshotPaths {
    return unfinished();
  }

  /**
   * Makes sure that so many bytes, and a reserve, are free before anything is begun.
   * @throws {Fault} E_NO_SPACE with the figures
   */
  reserve(_bytes: number): void {
    unfinished();
  }

  /** Gives the lock back. */
  [Symbol.dispose](): void {}
}

function unfinished(): never {
  throw new Fault({ code: "E_NOT_BUILT", message: "Cannot use the snapshot tree yet" });
}
