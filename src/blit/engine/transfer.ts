import { AT } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { openFolderBelow } from "./backup.ts";
import { restampFolder } from "./deletion.ts";
import { FolderNode } from "./folder-node.ts";
import { refuseDangerousMirror, refuseOverlap } from "./guards.ts";
import {
  groupLinks,
  LinkFolders,
  linkGroupsAtOnce,
  linkKey,
  linkOthers,
  partLinks,
} from "./links.ts";
import type { Findings, LinkMember } from "./messages.ts";
import { keepStatus } from "./metadata.ts";
import { moveByRename } from "./move-rename.ts";
import type { Action, Issue } from "./options.ts";
import { splitPath } from "./path.ts";
import { Pool, type WorkerFactory } from "./pool.ts";
import { makeNamedFolders, type Prepared, prepare, type TransferRequest } from "./prepare.ts";
import { independentRoots, type Root, refreshTarget } from "./roots.ts";
import { sendScout, type Totals } from "./scout.ts";
import { cancelReason, control, counter, type SharedState } from "./shared-state.ts";
import type { Extraneous, Thread } from "./thread.ts";
import { listTarget, makeStagedFolder, noteTarget, openExisting, planNewFolder } from "./walk.ts";

/** What the caller sees while a transfer runs, and what it is asked. */
export type TransferHooks = {
  readonly createWorker: WorkerFactory | undefined;
  readonly workerCount: number;
  /** Milliseconds of work on the main thread before workers are started. */
  readonly inlineMs: number;
  /** Asked before anything is deleted; false = leave everything as it is. */
  readonly confirmDeletion: (entries: number, target: string) => Promise<boolean>;
  /** Whether so much work is expected to take longer than the start of workers does. */
  readonly isWorthWorkers: (work: {
    readonly sourceFs: string;
    readonly targetFs: string;
    readonly entries: number;
    readonly bytes: number;
  }) => boolean;
  readonly onBeat: (shared: SharedState) => void;
  /** Somebody watches: gets the totals, counted beside a transfer that takes a while. */
  readonly onTotals: ((totals: Totals) => void) | undefined;
  readonly onWaiting: (forMs: number, where: readonly string[]) => void;
  /** Gets the run's shared memory as soon as there is one: the way to cancel it. */
  readonly onStart: (shared: SharedState) => void;
  /** The stall detector's clock, milliseconds. */
  readonly nowMs: () => number;
};

export type TransferResult = {
  readonly shared: SharedState;
  readonly roots: readonly Root[];
  readonly issues: readonly Issue[];
  readonly actions: readonly Action[];
  readonly cancelled: number;
  /** Deletions were due and left undone, and why. */
  readonly deletionsSkipped: string | undefined;
  readonly sourceFs: string;
  readonly targetFs: string;
  readonly workers: number;
  readonly stalls: number;
  readonly planMs: number;
  readonly transferMs: number;
  readonly isWholeRename: boolean;
};

/** A run in progress: what was found so far. */
class Run {
  readonly prepared: Prepared;
  readonly hooks: TransferHooks;
  readonly issues: Issue[] = [];
  readonly actions: Action[] = [];
  readonly extraneous: Extraneous[] = [];
  readonly links: LinkMember[] = [];
  /** The name of each linked file that is in place, by its identity. */
  readonly placed = new Map<string, LinkMember>();
  #comesBack = false;
  /** Names of files for which the target's folders have to make room first. */
  readonly waiting: LinkMember[] = [];
  /** All names of files that have several, for a move's end. */
  readonly linkGroups: (readonly LinkMember[])[] = [];
  readonly pool: Pool;
  /** Paths of folders that hold what the command line names, once they are listed. */
  readonly #listed = new Set<string>();
  /** Duplicates of the root folders, for what comes after the walk. */
  readonly lasting = new Map<number, { sourceFd: number; targetFd: number }>();

  constructor(prepared: Prepared, hooks: TransferHooks) {
    this.prepared = prepared;
    this.hooks = hooks;
    const { main } = prepared;
    this.pool = new Pool({
      options: main.options,
      shared: main.shared,
      workerCount: hooks.workerCount,
      factory: hooks.createWorker,
      nowMs: hooks.nowMs,
      main,
      events: {
        found: (found) => this.take(found),
        isWorthWorkers: (entries, bytes) => hooks.isWorthWorkers({ ...prepared, entries, bytes }),
        waiting: hooks.onWaiting,
        beat: () => hooks.onBeat(main.shared),
      },
    });
  }

  get main(): Thread {
    return this.prepared.main;
  }

  take(found: Findings): void {
    this.issues.push(...found.issues);
    this.actions.push(...found.actions);
    this.extraneous.push(...found.extraneous);
    this.links.push(...found.links);
  }

  /** Puts the command line's sources on the stack. */
  pushRoot(root: Root): void {
    const t = this.main;
    t.root = root.index;
    const holder = new FolderNode({
      root: root.index,
      path: "",
      sourceFd: root.sourceFd,
      targetFd: root.targetParentFd,
      isNew: false,
      targetName: "",
      borrowed: true,
      takesLinked: !this.#mayBeLinked(root),
    });
    if (root.targetFd < 0 && holder.targetFd >= 0) {
      t.openNodes++;
      noteTarget(t, holder, undefined);
      this.#listHolder(root, holder);
    } else t.openNodes++;
    if (root.kind === "entry") {
      const { sourceName: name, targetName } = root;
      t.stack.push({ kind: "entry", parent: holder, name, targetName });
      return;
    }
    if (!this.#pushFolder(root, holder)) t.openNodes--;
  }

  /** A file that is named may be another name of one that is named beside it, or lies below. */
  #mayBeLinked(root: Root): boolean {
    const isOneOfSeveral = this.prepared.roots.length > 1 && root.sourceName === root.targetName;
    return root.kind === "entry" && isOneOfSeveral;
  }

  /** Lists a folder that holds targets once, however many of the sources go into it. */
  #listHolder(root: Root, holder: FolderNode): void {
    const { folder } = splitPath(root.targetPath);
    if (this.#listed.has(folder)) return;
    listTarget(this.main, holder);
    // Where names may fold, those that have come meanwhile count.
    if (!this.main.options.targetFoldsNames) this.#listed.add(folder);
  }

  #pushFolder(root: Root, holder: FolderNode): boolean {
    const t = this.main;
    const existing = { targetFd: root.targetFd, isNew: false, stagedName: undefined };
    const sourceFd = openFolderBelow(t, root.sourceFd, "", { make: false });
    const looked = sourceFd < 0 ? sourceFd : t.statFd(sourceFd, t.source);
    if (looked < 0) {
      t.failed(looked, "openat", "", "open the folder");
      if (sourceFd >= 0) sys.close(sourceFd);
      return false;
    }
    const status = keepStatus(t.source);
    t.shared.notePlace("source", t.source);
    let target: ReturnType<typeof makeStagedFolder> = existing;
    if (root.targetFd < 0) {
      target = t.isDry ? planNewFolder(t, "") : makeStagedFolder(t, holder, "", status);
    }
    if (target === undefined) {
      sys.close(sourceFd);
      return false;
    }
    const targetFd =
      target.isNew || target.targetFd < 0
        ? target.targetFd
        : openFolderBelow(t, target.targetFd, "", { make: false });
    if (targetFd < 0 && !t.isDry) {
      t.failed(targetFd, "openat", "", "open the target's folder");
      sys.close(sourceFd);
      return false;
    }
    if (targetFd >= 0 && t.statFd(targetFd, t.target) === 0) {
      t.shared.notePlace("target", t.target);
    }
    if (!t.isDry) this.#keep(root, targetFd);
    const { isNew, stagedName } = target;
    const { index, targetName } = root;
    const folder = { root: index, parent: holder, path: "", sourceFd, targetFd, isNew };
    const node = new FolderNode({ ...folder, targetName, stagedName });
    node.status = status;
    t.openNodes++;
    noteTarget(t, node, holder);
    openExisting(t, node);
    t.stack.push({ kind: "walk", node });
    return true;
  }

  #keep(root: Root, targetFd: number): void {
    const t = this.main;
    this.lasting.set(root.index, {
      sourceFd: root.sourceFd,
      targetFd: openFolderBelow(t, targetFd, "", { make: false }),
    });
  }

  async walk(roots: readonly Root[]): Promise<void> {
    const groups = independentRoots(roots);
    this.#comesBack = groups.length > 1;
    for (const [index, group] of groups.entries()) {
      for (const root of group) {
        refreshTarget(this.main, root);
        this.pushRoot(root);
      }
      await this.pool.run(this.hooks.inlineMs);
      // Files of several names too give way to what a later source has under their names.
      if (index < groups.length - 1) await this.linkFiles();
    }
  }

  /** Files of several names: the first of each is copied, the rest are linked to it. */
  async linkFiles(): Promise<void> {
    const t = this.main;
    const touched = new Map<string, { root: number; folder: string }>();
    while (this.links.length > 0 && !t.cancelled) {
      const groups = groupLinks(this.links.splice(0));
      if (t.options.command === "move") this.linkGroups.push(...groups);
      for (let i = 0; i < groups.length && !t.cancelled; i += linkGroupsAtOnce) {
        await this.#linkSome(groups.slice(i, i + linkGroupsAtOnce), touched);
      }
    }
    for (const { root, folder } of touched.values()) this.#restamp(root, folder);
  }

  async #linkSome(
    groups: readonly LinkMember[][],
    touched: Map<string, { root: number; folder: string }>,
  ): Promise<void> {
    const t = this.main;
    const folders = new LinkFolders(t, this.#rootFolders());
    const ready = groups.map((group) => {
      const parted = partLinks(t, folders, group);
      this.waiting.push(...parted.waiting);
      return parted.ready;
    });
    this.extraneous.push(...t.extraneous.splice(0));
    for (const [first] of ready) {
      // Names that may fold are dealt with one after the other, so that each is known to the next.
      if (t.options.targetFoldsNames) break;
      if (first === undefined || this.placed.has(linkKey(first))) continue;
      const node = folders.open(first);
      if (node === undefined) continue;
      if (node.pending === 0) t.openNodes++;
      node.pending++;
      t.stack.push({ kind: "entry", parent: node, name: first.name, targetName: first.name });
    }
    await this.pool.run(this.hooks.inlineMs);
    for (const group of ready) this.#linkGroup(folders, group);
    for (const node of folders.nodes) {
      touched.set(`${node.root}:${node.path}`, { root: node.root, folder: node.path });
    }
    folders.close();
  }

  /** The folders that paths of links start from: for what is named itself, those that hold it. */
  #rootFolders(): { sourceFd: number; targetFd: number }[] {
    return this.prepared.roots.map(({ index, kind, sourceFd, targetParentFd }) => {
      const holder = { sourceFd, targetFd: kind === "entry" ? targetParentFd : -1 };
      return this.lasting.get(index) ?? holder;
    });
  }

  /** Links the names of a file to the first of them, which an earlier turn may have placed. */
  #linkGroup(folders: LinkFolders, group: readonly LinkMember[]): void {
    const [first] = group;
    if (first === undefined) return;
    const key = linkKey(first);
    const placed = this.placed.get(key);
    const isPlaced = placed !== undefined;
    const copiesFirst = this.main.options.targetFoldsNames && !isPlaced;
    linkOthers(this.main, folders, isPlaced ? [placed, ...group] : group, copiesFirst);
    // A mirror comes back to links when it has made room for what was in the way, and a run over
    // several groups of sources with each of them.
    const comesBack = this.#comesBack || this.main.options.command === "mirror";
    if (comesBack && placed === undefined) this.placed.set(key, first);
  }

  #restamp(root: number, folder: string): void {
    const fds = this.lasting.get(root);
    if (fds !== undefined) restampFolder(this.main, fds, folder);
  }

  /**
   * Removes what only the target has, then lets entries of another type take the place of what was
   * in their way. Returns why nothing was removed, where it was not.
   */
  async delete(agreed: number | undefined): Promise<string | undefined> {
    const t = this.main;
    if (t.isDry || t.options.command !== "mirror") return undefined;
    const hasListingErrors = (t.shared.control[control.listingErrors] ?? 0) > 0;
    if (this.extraneous.length === 0 && !hasListingErrors) return undefined;
    const found = this.extraneous.splice(0);
    const objection = this.#objection(found, agreed);
    if (objection !== undefined) {
      this.#reportUnreplaced(found);
      return objection;
    }
    for (const { root, folder, names } of found) {
      const targetRootFd = this.lasting.get(root)?.targetFd ?? -1;
      t.stack.push({ kind: "remove", root, targetRootFd, folder, names });
    }
    await this.pool.run(this.hooks.inlineMs);
    await this.#replace(found.filter((each) => each.replacedBy === "entry"));
    this.links.push(...this.waiting.splice(0));
    await this.linkFiles();
    for (const { root, folder } of found) this.#restamp(root, folder);
    return undefined;
  }

  /** Why nothing may be deleted, if so. */
  #objection(found: readonly Extraneous[], agreed: number | undefined): string | undefined {
    const t = this.main;
    if (t.shared.cancelled() === cancelReason.noSpace) return "the target is full";
    if (t.cancelled) return "the run was interrupted";
    if ((t.shared.control[control.listingErrors] ?? 0) > 0) return "a folder could not be listed";
    if (t.shared.total(counter.failed) > 0) return "some entries could not be copied";
    const due = found.reduce((sum, each) => sum + each.entries, 0);
    if (agreed === undefined || due <= agreed) return undefined;
    return `${due} entries are due now, ${agreed} were agreed to`;
  }

  /** What stands in the way stays, so the source's entries of those names were not copied. */
  #reportUnreplaced(found: readonly Extraneous[]): void {
    const t = this.main;
    if (t.cancelled) return;
    const message = "the target has something of another type, and nothing was deleted";
    const report = (root: number, path: string): void => {
      t.root = root;
      t.report({ kind: "failed", path, code: "E_CONFLICT", call: undefined, message });
    };
    for (const { root, folder, names, replacedBy } of found) {
      if (replacedBy === "none") continue;
      for (const name of names) report(root, folder === "" ? name : `${folder}/${name}`);
    }
    for (const { root, folder, name } of this.waiting) {
      report(root, folder === "" ? name : `${folder}/${name}`);
    }
  }

  async #replace(found: readonly Extraneous[]): Promise<void> {
    const t = this.main;
    if (found.length === 0 || t.cancelled) return;
    const folders = new LinkFolders(t, this.#rootFolders());
    for (const { root, folder, names } of found) {
      for (const name of names) {
        const node = folders.open({ root, folder, name, dev: 0, ino: "", nlink: 1 });
        if (node === undefined) continue;
        if (node.pending === 0) t.openNodes++;
        node.pending++;
        const isFolder = t.statAt(node.sourceFd, t.cName(name), t.source) === 0 && isFolderMode(t);
        const kind = isFolder ? "folder" : "entry";
        const parent = isFolder ? asPlainParent(node) : node;
        if (isFolder) t.openNodes++;
        t.stack.push({ kind, parent, name, targetName: name });
      }
    }
    await this.pool.run(this.hooks.inlineMs);
    folders.close();
  }

  /**
   * Paths of which the source is still needed: entries that were reported, and the other names of
   * files among them, which would be files of their own when copied later.
   */
  #staying(root: number): string[] {
    const stays = new Set<string>();
    for (const issue of [...this.issues, ...this.main.issues]) {
      if (issue.root === root && issue.kind !== "warning") stays.add(issue.path);
    }
    for (const group of this.linkGroups) {
      const paths = group
        .filter((each) => each.root === root)
        .map((each) => (each.folder === "" ? each.name : `${each.folder}/${each.name}`));
      if (paths.some((path) => stays.has(path))) for (const path of paths) stays.add(path);
    }
    return [...stays];
  }

  /** After a copy to another file system: what has arrived is removed from the source. */
  async settleMoves(roots: readonly Root[]): Promise<void> {
    const t = this.main;
    if (t.cancelled || t.isDry) return;
    for (const root of roots) {
      const fds = this.lasting.get(root.index);
      const isEntry = root.kind === "entry";
      t.stack.push({
        kind: "settle",
        root: root.index,
        sourceFd: root.sourceFd,
        targetFd: isEntry ? root.targetParentFd : (fds?.targetFd ?? -1),
        name: root.sourceName,
        targetName: isEntry ? root.targetName : "",
        stays: this.#staying(root.index),
      });
    }
    await this.pool.run(this.hooks.inlineMs);
  }
}

function isFolderMode(t: Thread): boolean {
  return (t.source.mode & 0o170000) === 0o040000;
}

/** A folder's own path counts for what is below it, unlike that of what the command line names. */
function asPlainParent(node: FolderNode): FolderNode {
  const plain = new FolderNode({
    parent: node,
    root: node.root,
    path: node.path,
    sourceFd: node.sourceFd,
    targetFd: node.targetFd,
    isNew: false,
    targetName: "",
    borrowed: true,
  });
  plain.newFileGid = node.newFileGid;
  plain.defaultAcl = node.defaultAcl;
  return plain;
}

/**
 * Asks, where a mirror would delete, before anything is changed. Returns how many entries may be
 * deleted, undefined for any number.
 * @throws {Fault} E_CONFIRM, E_REFUSED
 */
async function askBeforeDeleting(
  request: TransferRequest,
  hooks: TransferHooks,
): Promise<number | undefined> {
  const isCapped = request.maxDelete !== undefined;
  if (request.command !== "mirror" || request.purpose !== "transfer") return undefined;
  if (request.yes && !isCapped) return undefined;
  const counting = prepare({ ...request, purpose: "count" }, hooks.workerCount);
  const run = new Run(counting, hooks);
  try {
    hooks.onStart(counting.main.shared);
    const [root] = counting.roots;
    if (root === undefined || root.targetFd < 0) return undefined;
    refuseAll(counting, request);
    await run.walk(counting.roots);
    if (counting.main.cancelled) return undefined;
    const entries = counting.main.shared.total(counter.deletable);
    if (request.maxDelete !== undefined && entries > request.maxDelete) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Refusing to delete ${entries} entries: --max-delete allows ${request.maxDelete}`,
        hint: "nothing was changed; --dry-run lists them",
      });
    }
    if (request.yes) return request.maxDelete;
    if (entries === 0) return 0;
    if (await hooks.confirmDeletion(entries, root.targetPath)) return entries;
    const noun = entries === 1 ? "entry" : "entries";
    throw new Fault({
      code: "E_CONFIRM",
      message: `Cannot delete ${entries} ${noun} of the target: nobody agreed to it`,
      hint: "nothing was changed; --dry-run lists them, --yes deletes them without asking",
    });
  } finally {
    run.pool.close();
    counting.close();
  }
}

function refuseAll(prepared: Prepared, request: TransferRequest): void {
  for (const root of prepared.roots) {
    refuseOverlap(prepared.main, root);
    if (request.command === "mirror") {
      const { allowEmptySource } = request;
      const backupFd = prepared.backup?.fd;
      refuseDangerousMirror(prepared.main, root, { allowEmptySource, backupFd });
    }
  }
}

/**
 * Copies, mirrors or moves, or says what that would do.
 * @throws Fault for what makes the whole run impossible; single entries are issues of the result.
 */
export async function transfer(
  request: TransferRequest,
  hooks: TransferHooks,
): Promise<TransferResult> {
  const agreed = await askBeforeDeleting(request, hooks);
  const started = performance.now();
  const prepared = prepare(request, hooks.workerCount);
  try {
    refuseAll(prepared, request);
    makeNamedFolders(prepared);
  } catch (error) {
    prepared.close();
    throw error;
  }
  const run = new Run(prepared, hooks);
  hooks.onStart(prepared.main.shared);
  const recallScout = sendScout(prepared.main, prepared.roots, hooks.onTotals);
  try {
    const planned = performance.now();
    let rest: readonly Root[] = prepared.roots;
    if (request.command === "move") rest = await renameRoots(prepared);
    await run.walk(rest);
    await run.linkFiles();
    const deletionsSkipped = await run.delete(agreed);
    if (request.command === "move" && rest.length > 0) {
      await run.settleMoves(rest);
      removeEmptySources(prepared.main, rest);
    }
    const { main } = prepared;
    run.take({
      issues: main.issues,
      actions: main.actions,
      extraneous: [],
      links: [],
    });
    return {
      shared: main.shared,
      roots: prepared.roots,
      issues: run.issues,
      actions: run.actions,
      cancelled: main.shared.cancelled(),
      deletionsSkipped,
      sourceFs: prepared.sourceFs,
      targetFs: prepared.targetFs,
      workers: run.pool.workers,
      stalls: run.pool.stalls,
      planMs: planned - started,
      transferMs: performance.now() - planned,
      isWholeRename: request.command === "move" && rest.length === 0,
    };
  } finally {
    recallScout();
    run.pool.close();
    for (const { targetFd } of run.lasting.values()) prepared.closeFd(targetFd);
    prepared.close();
  }
}

/** Moves what a rename can move; returns the roots that have to be copied. */
async function renameRoots(prepared: Prepared): Promise<Root[]> {
  const rest: Root[] = [];
  for (const root of prepared.roots) {
    const outcome = await moveByRename(prepared.main, root);
    if (outcome === "copy") rest.push(root);
  }
  return rest;
}

/** The source folder itself goes when everything in it has gone. */
function removeEmptySources(t: Thread, roots: readonly Root[]): void {
  if (t.isDry || t.shared.cancelled() !== cancelReason.none) return;
  for (const root of roots) {
    if (root.kind !== "folder" || root.sourceParentFd < 0) continue;
    // ENOTEMPTY: something was left out, failed or changed, and stays.
    sys.unlinkat(root.sourceParentFd, t.cName(root.sourceParentName), AT.REMOVEDIR);
  }
}
