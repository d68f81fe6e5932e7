import { chmodSync } from "node:fs";
import { join } from "node:path";
import { btrfsCalls } from "../../../ffi/btrfs/calls.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { HERE, makeFoldersAt, renameAt } from "../../kit/fs/at.ts";
import type { FileLock } from "../../kit/store/lock.ts";
import { must } from "./fault.ts";
import { bytesToCopy, fillParts, placeHolders } from "./fill.ts";
import { findTree } from "./find-tree.ts";
import {
  deletedName,
  idOfName,
  newName,
  PARTS,
  type Part,
  partFolder,
  partName,
  partPath,
  SNAPSHOTS,
  type SnapshotPaths,
  temporaryFolder,
  treeFolders,
  unfinishedOf,
} from "./layout.ts";
import { awaitTreeLock, lockTree } from "./lock-tree.ts";
import {
  linkPart,
  partPlace,
  readLinks,
  removePart,
  retirePart,
  snapshotPaths,
} from "./part-place.ts";
import type { TreePlan } from "./plan-recovery.ts";
import { hasRecord, nameBeside, removeRecord, type SnapshotRecord, writeRecord } from "./record.ts";
import { requireRemovable } from "./removable.ts";
import { takeReserve, writeState } from "./reserve-file.ts";
import { requireSpace } from "./space.ts";
import { readStateFile } from "./state.ts";
import {
  createSubvolume,
  isSubvolume,
  openFolder,
  removeSubvolume,
  snapshotSubvolume,
  subvolumeInfo,
  syncFilesystem,
} from "./subvolume.ts";
import { holdClone, makeClone, NESTED, removeClone, removeLeftovers } from "./temporary.ts";
import type { Snapshot, SystemState } from "./types.ts";

/** How a tree is opened. */
export interface TreeOptions {
  /** For those who find the lock taken: `rastos snapshot clone`. */
  readonly command: string;
  /** Makes the folders of the tree where there is none yet. */
  readonly isNew?: boolean;
  /** Milliseconds since 1970. Default: the clock of the machine. */
  readonly clock?: () => number;
  /** Told in sentences what was put in order, and what a person has to look at. */
  readonly onNote?: (text: string) => void;
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
  /** Nobody can do it again by a command: it may take of the reserve before it is lost. */
  readonly isPrecious?: boolean;
}

/** A writable clone to work in: kept as a new snapshot, or gone when its scope ends. */
export interface TemporaryClone extends Disposable {
  /** Absolute path of its root; `etc` and `var` in it are subvolumes of their own. */
  readonly path: string;
  /** Id of the snapshot that it was made of. */
  readonly from: number;
  /** Makes a snapshot of it, a child of the one it came from; the clone itself goes. */
  keep(options: KeepOptions): Snapshot;
  /** Removes it; needs no lock. Once is enough. */
  discard(): void;
}

/**
 * The snapshot tree of one root, locked for this process. Everything in it is synchronous: the
 * kernel calls below it are. What a call has done is on the disk when it returns, and after a power
 * cut at any moment a snapshot is there as a whole or not at all.
 */
export class SnapshotTree implements Disposable {
  /** Absolute path of the btrfs top level. */
  readonly root: string;
  readonly #options: TreeOptions;
  #lock: FileLock | undefined;
  #state: SystemState;

  private constructor(root: string, options: TreeOptions) {
    this.root = root;
    this.#options = options;
    if (options.isNew === true) makeFolders(root);
    this.#lock = lockTree(root, options.command);
    try {
      this.#state = this.#recover();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Takes the lock, finishes or undoes what an interrupted run has left, and reads the state.
   *
   * @param root the mounted top level of a btrfs (see `openRoot`)
   * @throws {Fault} E_LOCKED naming the holder, E_NOT_FOUND where there is no tree, E_PRIVILEGE
   */
  static open(root: string, options: TreeOptions): SnapshotTree {
    return new SnapshotTree(root, options);
  }

  get state(): SystemState {
    return this.#state;
  }

  /** A new snapshot without parent: of a folder, or empty. The first one is number 0, the base. */
  create(options: CreateOptions): Snapshot {
    const { from } = options;
    this.reserve(from === undefined ? 0 : bytesToCopy(from, this.root));
    const id = this.#state.nextSnapshot;
    const unfinished = (part: Part): string => join(partFolder(this.root, part), newName(id));
    const targets = { root: unfinished("root"), etc: unfinished("etc"), var: unfinished("var") };
    const record = this.#record(id, undefined, options);
    try {
      for (const part of PARTS) createSubvolume(targets[part]);
      if (from === undefined) placeHolders(targets.root);
      else fillParts(from, targets);
      return this.#finish(targets, record);
    } catch (error) {
      for (const part of PARTS) removeSubvolume(targets[part]);
      throw error;
    }
  }

  /** A snapshot of a snapshot, its child. */
  clone(id: number, description = ""): Snapshot {
    return this.#clone(id, { description });
  }

  /** A child that begins a branch of its own. @throws {Fault} E_REFUSED for a name that is taken */
  branch(id: number, name: string, description = ""): Snapshot {
    const taken = this.#state.snapshots.find(({ branch }) => branch === name);
    if (taken !== undefined) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot begin the branch "${name}": snapshot ${taken.id} has that name`,
        hint: "choose another name",
      });
    }
    return this.#clone(id, { description, branch: name });
  }

  #clone(from: number, options: KeepOptions): Snapshot {
    const source = this.snapshot(from);
    this.reserve(0);
    const id = this.#state.nextSnapshot;
    const system = options.system ?? source.system;
    const record = this.#record(id, from, { ...options, system });
    try {
      // The root comes last: without it the others are nothing. It is read-only from the beginning,
      // and takes along to the disk what was done before it: one commit for all of them.
      {
        using folder = openFolder(partFolder(this.root, "root"));
        writeRecord(folder.number, record, nameBeside(id));
      }
      for (const part of NESTED) linkPart(this.root, part, { from, to: id });
      snapshotSubvolume({
        source: partPath(this.root, "root", from),
        target: partPath(this.root, "root", id),
        isReadOnly: true,
      });
      return this.#add(record);
    } catch (error) {
      this.#removeParts(id);
      throw error;
    }
  }

  /** Removes snapshots. @throws {Fault} E_REFUSED for pinned, deployed or needed ones */
  remove(ids: readonly number[], options: { readonly force: boolean }): void {
    const doomed = new Set(ids);
    for (const id of doomed) this.snapshot(id);
    if (!options.force) requireRemovable(this.#state, doomed);
    for (const id of doomed) {
      const path = partPath(this.root, "root", id);
      const target = join(partFolder(this.root, "root"), deletedName(id));
      must(renameAt(HERE, path, HERE, target), `remove "${path}"`);
    }
    this.#retire(doomed);
    const parents = new Map(this.#state.snapshots.map(({ id, parent }) => [id, parent]));
    const heir = (id: number | undefined): number | undefined =>
      id !== undefined && doomed.has(id) ? heir(parents.get(id)) : id;
    const snapshots = this.#state.snapshots
      .filter(({ id }) => !doomed.has(id))
      .map((snapshot) => ({ ...snapshot, parent: heir(snapshot.parent) }));
    this.#write({ ...this.#state, snapshots });
    for (const id of doomed) this.#forget(id);
    for (const part of ["etc", "var", "root"] as const) {
      for (const id of doomed) {
        removeSubvolume(join(partFolder(this.root, part), deletedName(id)));
      }
    }
    syncFilesystem(this.root);
    takeReserve(this.root);
  }

  /** Takes etc and var from snapshots that are no more; what others have too, they keep. */
  #retire(ids: Iterable<number>): void {
    // A link leads to a lower number: from above, none is handed over to what goes as well.
    const sorted = [...ids].sort((a, b) => b - a);
    for (const part of NESTED) {
      const links = readLinks(this.root, part);
      for (const id of sorted) retirePart(this.root, part, id, links);
    }
  }

  /** Removes the record that lies beside a root. */
  #forget(id: number): void {
    using folder = openFolder(partFolder(this.root, "root"));
    removeRecord(folder.number, nameBeside(id));
  }

  describe(id: number, description: string): void {
    this.#change(id, (snapshot) => ({ ...snapshot, description }));
  }

  pin(id: number, isPinned: boolean): void {
    this.#change(id, (snapshot) => ({ ...snapshot, isPinned }));
  }

  #change(id: number, change: (snapshot: Snapshot) => Snapshot): void {
    this.snapshot(id);
    const snapshots = this.#state.snapshots.map((snapshot) =>
      snapshot.id === id ? change(snapshot) : snapshot,
    );
    this.#write({ ...this.#state, snapshots });
  }

  /** A writable clone under `.snapshots/tmp`. */
  temporary(fromId: number): TemporaryClone {
    this.snapshot(fromId);
    this.reserve(0);
    const random = Buffer.from(crypto.getRandomValues(new Uint8Array(3))).toString("hex");
    const path = join(temporaryFolder(this.root), `tmp-${fromId}-${random}`);
    try {
      makeClone(this.root, fromId, path);
    } catch (error) {
      removeClone(path);
      throw error;
    }
    const lock = holdClone(path);
    let isThere = true;
    const discard = (): void => {
      if (!isThere) return;
      isThere = false;
      lock.close();
      removeClone(path);
    };
    const keep = (options: KeepOptions): Snapshot => {
      const kept = this.#keep({ path, fromId, options });
      discard();
      return kept;
    };
    return { path, from: fromId, keep, discard, [Symbol.dispose]: discard };
  }

  #keep(clone: {
    readonly path: string;
    readonly fromId: number;
    readonly options: KeepOptions;
  }): Snapshot {
    const { path, options } = clone;
    for (const part of NESTED) {
      if (isSubvolume(join(path, part))) continue;
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot keep the clone: its /${part} was moved or replaced`,
        hint: `change what is in /${part}, and leave the folder itself where it is`,
      });
    }
    requireSpace(this.root, 0, options.isPrecious !== true);
    const id = this.#state.nextSnapshot;
    const parent = this.#state.snapshots.some((each) => each.id === clone.fromId)
      ? clone.fromId
      : undefined;
    const record = this.#record(id, parent, options);
    {
      using root = openFolder(path);
      writeRecord(root.number, record);
    }
    try {
      for (const part of ["etc", "var", "root"] as const) {
        const source = part === "root" ? path : join(path, part);
        const target = partPath(this.root, part, id);
        snapshotSubvolume({ source, target, isReadOnly: true });
      }
      return this.#add(record);
    } catch (error) {
      this.#removeParts(id);
      throw error;
    }
  }

  /** The one atomic write for the records of deployments (and whatever else is in the state). */
  update(change: (state: SystemState) => SystemState): void {
    this.#write(change(this.#state));
  }

  /** As {@link update}, of what can be found out anew: after a power cut it may be the old one. */
  repeat(change: (state: SystemState) => SystemState): void {
    const state = change(this.#state);
    writeState(this.root, state, true);
    this.#state = state;
  }

  /** @throws {Fault} E_NOT_FOUND naming the snapshots that there are */
  snapshot(id: number): Snapshot {
    const found = this.#state.snapshots.find((snapshot) => snapshot.id === id);
    if (found !== undefined) return found;
    const ids = this.#state.snapshots.map((snapshot) => snapshot.id);
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot find snapshot ${id}`,
      hint:
        ids.length === 0
          ? "there is none yet: rastos snapshot create"
          : `there are ${ids.slice(-20).join(", ")}: rastos snapshot tree`,
    });
  }

  /** @throws {Fault} E_NOT_FOUND */
  pathsOf(id: number): SnapshotPaths {
    this.snapshot(id);
    return snapshotPaths(this.root, id);
  }

  /**
   * Makes sure that so many bytes, and a reserve, are free before anything is begun.
   * @throws {Fault} E_NO_SPACE with the figures
   */
  reserve(bytes: number): void {
    requireSpace(this.root, bytes);
  }

  /** Gives the lock back for a while, as for a shell that stays open for hours. */
  pause(): void {
    this.#lock?.[Symbol.dispose]();
    this.#lock = undefined;
  }

  /**
   * Takes the lock again, and what others have done meanwhile. However long they take, they are
   * waited for: what was done while the tree was paused is not to be lost.
   *
   * @throws {Fault} E_INTERRUPTED when `signal` is set off while it waits
   */
  async resume(signal?: AbortSignal): Promise<void> {
    const { command } = this.#options;
    this.#lock ??= await awaitTreeLock(this.root, command, {
      signal,
      onWait: (holder) => this.#note(`Waiting for ${holder}`),
    });
    this.#state = this.#recover();
  }

  /** Gives the lock back. */
  [Symbol.dispose](): void {
    this.pause();
  }

  #record(id: number, parent: number | undefined, options: KeepOptions): SnapshotRecord {
    const createdMs = (this.#options.clock ?? Date.now)();
    const { description, branch, system } = options;
    return { id, parent, branch, description, createdMs, system };
  }

  /** Names the parts of a snapshot that was made under other names; its root last. */
  #finish(parts: SnapshotPaths, record: SnapshotRecord): Snapshot {
    for (const part of NESTED) sealSubvolume(parts[part]);
    this.#sealRoot(parts.root, record);
    // Its files are on the disk before its name says that it is whole.
    syncFilesystem(this.root);
    for (const part of ["etc", "var", "root"] as const) {
      const target = partPath(this.root, part, record.id);
      must(renameAt(HERE, parts[part], HERE, target), `make "${target}"`);
    }
    syncFilesystem(this.root);
    return this.#add(record);
  }

  /** Gives a root its record and makes it read-only: from then on the snapshot counts. */
  #sealRoot(path: string, record: SnapshotRecord): void {
    using root = openFolder(path);
    writeRecord(root.number, record);
    must(btrfsCalls().setReadOnly(root.number, true), `make "${path}" read-only`);
  }

  /**
   * The state's file need not be written for it: a snapshot that is whole counts, and is found by
   * its folder (see plan-recovery.ts). That saves a third of the time of making one.
   */
  #add(record: SnapshotRecord): Snapshot {
    const { uuid } = subvolumeInfo(partPath(this.root, "root", record.id));
    const snapshot: Snapshot = { ...record, isPinned: false, uuid };
    const snapshots = [...this.#state.snapshots, snapshot];
    this.#state = { ...this.#state, snapshots, nextSnapshot: record.id + 1 };
    return snapshot;
  }

  #removeParts(id: number): void {
    for (const part of PARTS) removePart(this.root, part, partName(part, id));
    this.#forget(id);
  }

  #write(state: SystemState): void {
    writeState(this.root, state);
    this.#state = state;
  }

  #recover(): SystemState {
    const plan = findTree(this.root, readStateFile(this.root));
    this.#apply(plan);
    this.#forgetNext(plan.state.nextSnapshot);
    const leftovers = removeLeftovers(this.root);
    const count = plan.remove.length + leftovers.length;
    if (count > 0) this.#note(`Put in order what an interrupted run has left: ${count} subvolumes`);
    return plan.state;
  }

  /** A record of what was never made: beside whatever gets its number, it would be that one's. */
  #forgetNext(id: number): void {
    using folder = openFolder(partFolder(this.root, "root"));
    if (hasRecord(folder.number, nameBeside(id))) this.#forget(id);
  }

  #apply(plan: TreePlan): void {
    for (const issue of plan.issues) this.#note(issue);
    for (const id of plan.seal) {
      const snapshot = plan.state.snapshots.find((each) => each.id === id);
      if (snapshot !== undefined) this.#sealFound(snapshot);
    }
    if (plan.mustWrite) {
      writeState(this.root, plan.state);
      takeReserve(this.root);
    }
    const counts = new Set(plan.state.snapshots.map((snapshot) => snapshot.id));
    for (const { part, name } of plan.remove) {
      const id = idOfName(part, name) ?? unfinishedOf(name)?.id;
      if (id !== undefined && !counts.has(id)) this.#forget(id);
      if (part !== "root" && idOfName(part, name) === id && id !== undefined) {
        retirePart(this.root, part, id, readLinks(this.root, part));
        removePart(this.root, part, deletedName(id));
      } else removePart(this.root, part, name);
    }
  }

  /** A snapshot that others have made, such as the first boot of an image. */
  #sealFound(snapshot: Snapshot): void {
    const { isPinned: _, uuid: __, ...record } = snapshot;
    for (const part of NESTED) sealSubvolume(partPlace(this.root, part, snapshot.id));
    this.#sealRoot(partPath(this.root, "root", snapshot.id), record);
  }

  #note(text: string): void {
    this.#options.onNote?.(text);
  }
}

function makeFolders(root: string): void {
  for (const folder of treeFolders(root)) {
    const made = makeFoldersAt(HERE, folder);
    must(made, `make "${folder}"`);
  }
  // What is in a snapshot has set-uid programs whose holes may be known: nobody else gets at them.
  chmodSync(join(root, SNAPSHOTS), 0o700);
  takeReserve(root);
}

function sealSubvolume(path: string): void {
  using fd = openFolder(path);
  must(btrfsCalls().setReadOnly(fd.number, true), `make "${path}" read-only`);
}
