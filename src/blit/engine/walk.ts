import { DT, S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { cheaplyCompiled } from "./compile-cost.ts";
import type { CopyOutcome, HugeFileStart } from "./copy-file.ts";
import {
  describeType,
  mayPassUnchanged,
  noteListingError,
  planAttributes,
  processEntry,
  replaceLater,
} from "./entries.ts";
import { noteExtraneous, settleReplacements } from "./extraneous.ts";
import { FolderNode, type FolderStatus } from "./folder-node.ts";
import { batchNames, shareAfterEntries, stagedBytesMax } from "./limits.ts";
import { countNames, folderFlags, forEachListing, visitListing, visitOne } from "./listing.ts";
import {
  attributesDiffer,
  hasDefaultAcl,
  keepStatus,
  mendAttributes,
  noteTargetDefaults,
  setTimesOf,
} from "./metadata.ts";
import { closeToOwner, openToOwner } from "./owner-access.ts";
import { publishFolder } from "./publish.ts";
import { removeTree } from "./remove.ts";
import { counter } from "./shared-state.ts";
import { type Passed, passUnchanged } from "./skip-unchanged.ts";
import { isDeadLeftover, isTemporaryName } from "./staging.ts";
import type { Task, Thread } from "./thread.ts";

/**
 * The walk: one task after the other from the thread's stack. Folders come off depth first, so
 * that few are open at a time; files are dealt with while their folder's listing is read.
 */

/** More batches than this on the stack, and a thread deals with the files itself. */
const batchesMax = 64;

export type WalkContext = {
  readonly startHuge: HugeFileStart | undefined;
  /** True when the time slice is over: files of a large folder then become batches. */
  readonly isSliceOver: () => boolean;
};

/** Does one task, except help with a huge file. */
export function runTask(
  t: Thread,
  task: Exclude<Task, { kind: "help" | "remove" | "settle" }>,
  context: WalkContext,
): void {
  switch (task.kind) {
    case "walk":
      t.root = task.node.root;
      walkFolder(t, task.node, context);
      return;
    case "folder": {
      t.root = task.parent.root;
      const node = openFolder(t, task.parent, task.name, task.targetName);
      settleReplacements(t);
      if (node === undefined) childDone(t, task.parent);
      else walkFolder(t, node, context);
      return;
    }
    case "batch":
      runBatch(t, task.node, task.names, context);
      return;
    case "entry":
    case "large":
      runEntry(t, task, context);
      return;
  }
}

function runEntry(
  t: Thread,
  task: Extract<Task, { kind: "entry" | "large" }>,
  context: WalkContext,
): void {
  const { parent, name, targetName } = task;
  t.root = parent.root;
  t.setEntry(name);
  // A large file was found different before it became a task: it is not counted as seen again.
  const isLarge = task.kind === "large";
  if (isLarge) t.add(counter.seen, -1);
  const outcome = processEntry(t, parent, isLarge ? S.IFREG : 0, {
    targetName: targetName === name ? undefined : targetName,
    startHuge: context.startHuge,
    takesLarge: isLarge,
    takesLinked: parent.takesLinked,
  });
  settleReplacements(t);
  if (outcome === "large") {
    t.stack.push({ kind: "large", parent, name, targetName, dataBytes: t.source.dataBytes });
  } else if (outcome !== "begun") childDone(t, parent);
}

function runBatch(
  t: Thread,
  node: FolderNode,
  names: readonly string[],
  context: WalkContext,
): void {
  t.root = node.root;
  for (const name of names) {
    if (t.cancelled) break;
    t.setEntry(name);
    const outcome = processEntry(t, node, S.IFREG, {
      targetName: undefined,
      startHuge: context.startHuge,
      takesLarge: false,
      takesLinked: false,
    });
    afterEntry(t, node, outcome);
  }
  settleReplacements(t);
  batchDone(t, node);
}

/** A file that is large gets its own turn, after the small ones. */
function afterEntry(t: Thread, node: FolderNode, outcome: CopyOutcome | "settled"): void {
  if (outcome !== "large") return;
  const name = t.entryName();
  node.pending++;
  const { dataBytes } = t.source;
  t.stack.push({ kind: "large", parent: node, name, targetName: name, dataBytes });
}

/**
 * Opens a folder of the source and its counterpart, which is made, under a temporary name, where
 * there is none. Reports failure and returns undefined.
 */
export function openFolder(
  t: Thread,
  parent: FolderNode,
  name: string,
  targetName: string,
): FolderNode | undefined {
  const path = parent.takesLinked ? "" : parent.pathOf(name);
  const sourceFd = t.openToRead(parent.sourceFd, t.cName(name), folderFlags);
  if (sourceFd < 0) {
    if (sourceFd === -errno.ENOENT) t.vanished(path);
    else {
      noteListingError(t);
      t.failed(sourceFd, "openat", path, "open the folder");
    }
    return undefined;
  }
  const status = statusOfSource(t, sourceFd, path);
  const target =
    status === undefined ? undefined : openTargetFolder(t, parent, targetName, path, status);
  if (target === undefined) {
    sys.close(sourceFd);
    return undefined;
  }
  const node = new FolderNode({ ...target, root: parent.root, parent, path, sourceFd, targetName });
  node.status = status;
  t.openNodes++;
  noteTarget(t, node, parent);
  openExisting(t, node);
  return node;
}

/** A folder that is there already is opened to its owner until all below it is done. */
export function openExisting(t: Thread, node: FolderNode): void {
  const { isNew, targetFd, targetStatus } = node;
  if (isNew || targetStatus === undefined) return;
  node.formerMode = openToOwner(t, targetFd, targetStatus);
}

/** Status of a folder of the source; undefined, after a report, where it is not to be walked. */
function statusOfSource(t: Thread, fd: number, path: string): FolderStatus | undefined {
  const result = t.statFd(fd, t.source);
  if (result === 0 && !t.shared.isPlace("target", t.source)) return keepStatus(t.source);
  noteListingError(t);
  if (result < 0) t.failed(result, "statx", path, "open the folder");
  else {
    // By way of a mount below the source; it would be copied into itself without end.
    const message = "it is the target itself, mounted here: not copied";
    t.report({ kind: "failed", path, code: "E_OVERLAP", call: undefined, message });
  }
  return undefined;
}

/**
 * Learns what has to be known of the target folder before something is made in it. That of a new
 * one follows from its parent, which the first new folder of the run has to confirm.
 */
export function noteTarget(t: Thread, node: FolderNode, parent: FolderNode | undefined): void {
  if (node.targetFd < 0) return;
  if (node.isNew && parent !== undefined) node.defaultAcl = hasDefaultAcl(t, parent);
  const expected = node.isNew ? expectedStatus(t, node, parent) : undefined;
  if (expected !== undefined && t.predictsNewFolders === true) {
    node.targetStatus = expected;
    node.newFileGid = parent?.newFileGid ?? -1;
    return;
  }
  // Without its status nothing is taken for granted: owner and mode are set in any case.
  if (t.statFd(node.targetFd, t.target) < 0) return;
  const status = keepStatus(t.target);
  if (expected !== undefined && t.predictsNewFolders === undefined) {
    t.predictsNewFolders =
      status.mode === expected.mode && status.uid === expected.uid && status.gid === expected.gid;
    t.inheritsGroup = status.gid === parent?.newFileGid ? t.inheritsGroup : true;
  }
  node.targetStatus = status;
  noteTargetDefaults(t, node, t.target);
}

/** The status of a folder that was just made, where the target has no rules of its own. */
function expectedStatus(
  t: Thread,
  node: FolderNode,
  parent: FolderNode | undefined,
): FolderStatus | undefined {
  if (node.defaultAcl !== false || node.status === undefined || parent === undefined) {
    return undefined;
  }
  const inherited = (parent.targetStatus?.mode ?? 0) & S.ISGID;
  const { uid } = t.options.user;
  const mode = S.IFDIR | stagedMode(t, parent, node.status) | inherited;
  return { ...node.status, mode, uid, gid: parent.newFileGid };
}

/** Mode of a folder while it is filled: closed to others until its owner is right. */
export function stagedMode(t: Thread, parent: FolderNode, wanted: FolderStatus): number {
  const isOwned = wanted.uid === t.options.user.uid && wanted.gid === parent.newFileGid;
  return isOwned ? (wanted.mode & 0o777) | 0o700 : 0o700;
}

export type TargetFolder = { targetFd: number; isNew: boolean; stagedName: string | undefined };

function openTargetFolder(
  t: Thread,
  parent: FolderNode,
  targetName: string,
  path: string,
  status: FolderStatus,
): TargetFolder | undefined {
  if (parent.targetFd >= 0 && !(parent.isNew && !t.isDry)) {
    const fd = t.openToRead(parent.targetFd, t.cTargetName(targetName), folderFlags);
    if (fd >= 0) {
      const exact = parent.exactNames;
      if (exact === undefined || exact.has(targetName)) {
        return { targetFd: fd, isNew: false, stagedName: undefined };
      }
      sys.close(fd);
      reportFolderFolded(t, path);
      return undefined;
    }
    if (fd !== -errno.ENOENT) {
      const makesRoom = folderInTheWay(t, parent, targetName, path, fd);
      if (!makesRoom || !t.isDry) return undefined;
    }
  }
  if (t.isDry) return planNewFolder(t, path);
  return makeStagedFolder(t, parent, path, status);
}

export function reportFolderFolded(t: Thread, path: string): void {
  const message =
    "the target takes this name for that of another folder (it folds case or normalises names)";
  t.report({ kind: "failed", path, code: "E_COLLISION", call: undefined, message });
}

/** In a dry run: says that a folder would be made; what is in it is new, too. */
export function planNewFolder(t: Thread, path: string): TargetFolder {
  t.act("folder", path);
  t.add(counter.folders, 1);
  return { targetFd: -1, isNew: true, stagedName: undefined };
}

/** Something else has a folder's name in the target. Returns whether a mirror makes room for it. */
export function folderInTheWay(
  t: Thread,
  parent: FolderNode,
  targetName: string,
  path: string,
  result: number,
): boolean {
  if (result !== -errno.ENOTDIR && result !== -errno.ELOOP) {
    t.failed(result, "openat", path, "open the target's folder");
    return false;
  }
  if (t.options.command === "mirror") {
    replaceLater(t, parent, targetName);
    return true;
  }
  t.statAt(parent.targetFd, t.cTargetName(targetName), t.target);
  const what = describeType(t.target.mode & S.IFMT);
  const message = `cannot replace ${what} of the target with a folder`;
  t.report({ kind: "failed", path, code: "E_CONFLICT", call: undefined, message });
  return false;
}

export function makeStagedFolder(
  t: Thread,
  parent: FolderNode,
  path: string,
  status: FolderStatus,
): TargetFolder | undefined {
  const stagedName = t.temporaryName();
  const pointer = t.cTemporary(stagedName);
  const made = sys.mkdirat(parent.targetFd, pointer, stagedMode(t, parent, status));
  const fd = made < 0 ? made : sys.openat(parent.targetFd, pointer, folderFlags, 0);
  if (fd >= 0) return { targetFd: fd, isNew: true, stagedName };
  t.failed(fd, made < 0 ? "mkdirat" : "openat", path, "make the folder");
  if (made === 0) sys.unlinkat(parent.targetFd, pointer, 0x200);
  return undefined;
}

/** Lists a folder and deals with everything in it; folders below go on the stack. */
function walkFolder(t: Thread, node: FolderNode, context: WalkContext): void {
  t.shared.note(t.index, node.path);
  if (node.targetFd >= 0 && !(node.isNew && !t.isDry)) listTarget(t, node);
  const folders: string[] = [];
  const isComplete = listSource(t, node, folders, context);
  settleReplacements(t);
  for (const name of folders) {
    node.pending++;
    t.stack.push({ kind: "folder", parent: node, name, targetName: name });
  }
  if (isComplete && t.options.command === "mirror") noteExtraneous(t, node, folders);
  batchDone(t, node);
}

/** Counts the target's entries, sweeps what a killed run left, notes names where they may fold. */
export function listTarget(t: Thread, node: FolderNode): void {
  const folds = t.options.targetFoldsNames;
  const wantsCount = t.options.command === "mirror";
  const names = folds ? new Set<string>() : undefined;
  const leftovers: string[] = [];
  let entries = 0;
  const visit = (offset: number, length: number): void => {
    const isTemporary = mayBeTemporary(t, offset, length);
    if (isTemporary || names !== undefined) {
      const name = t.dirents.text.latin1Slice(offset, offset + length);
      if (isTemporary && isTemporaryName(name)) {
        leftovers.push(name);
        return;
      }
      names?.add(name);
    }
    entries++;
  };
  let result = sys.lseek(node.targetFd, 0, 0);
  if (result >= 0) {
    result = forEachListing(t, node.targetFd, (got) => {
      if (folds) visitListing(t, got, visit);
      else entries += countNames(t, got, visit);
    });
  }
  if (result < 0) {
    noteListingError(t);
    t.failed(result, "getdents64", node.path, "list the target's folder");
    return;
  }
  node.exactNames = names;
  node.targetEntries = wantsCount ? entries : -1;
  if (!t.isDry) sweep(t, node, leftovers);
}

function sweep(t: Thread, node: FolderNode, leftovers: readonly string[]): void {
  for (const name of leftovers) {
    if (t.statAt(node.targetFd, t.cName(name), t.other) < 0) continue;
    const ageSeconds = t.options.startedAtSec - t.other.mtimeSec;
    if (!isDeadLeftover(name, ageSeconds)) continue;
    const path = node.pathOf(name);
    const isFolder = (t.other.mode & S.IFMT) === S.IFDIR;
    removeTree(t, { fd: node.targetFd, name, isFolder, path, counts: false });
    t.add(counter.swept, 1);
  }
}

/** Returns whether the listing came to its end. */
function listSource(t: Thread, node: FolderNode, folders: string[], context: WalkContext): boolean {
  let entries = 0;
  let batch: string[] = [];
  const options = { ...plainEntry, startHuge: context.startHuge };
  const looked = { ...options, isLooked: true };
  const passed: Passed = { at: 0, count: 0, hasLooked: false };
  const flush = (): void => {
    if (batch.length === 0) return;
    node.pending++;
    node.pendingFiles++;
    t.stack.push({ kind: "batch", node, names: batch });
    batch = [];
  };
  const visit = (offset: number, length: number, type: number): void => {
    if (t.cancelled) return;
    t.setListedEntry(offset, length);
    if (isLeftoverOfSource(t, node, offset)) return;
    const actual = type === DT.UNKNOWN ? typeByStat(t, node) : type;
    const isFolder = actual === DT.DIR;
    if (t.filter?.isExcluded(node.pathOf(t.entryName()), isFolder) === true) return;
    if (isFolder) {
      folders.push(t.entryName());
      if (node.targetEntries >= 0) matchFolder(t, node);
    } else if (actual === DT.REG && shares(t, node, ++entries, context)) {
      batch.push(t.entryName());
      if (batch.length >= batchNames) flush();
    } else {
      const type = actual === DT.REG ? S.IFREG : 0;
      afterEntry(t, node, processEntry(t, node, type, passed.hasLooked ? looked : options));
      // Batches that are out write under final names, so the folder keeps its temporary one.
      if (node.stagedBytes > stagedBytesMax && node.pendingFiles === 1) publishFolder(t, node);
    }
  };
  cheaplyCompiled(visit);
  const mayPass = t.filter === undefined && mayPassUnchanged(t, node);
  const result = forEachListing(t, node.sourceFd, (got) => {
    for (passed.at = 0; passed.at < got && !t.cancelled; ) {
      // As `shares` has it: what is to become a batch is left alone.
      const isAlone = mayPass && batch.length === 0 && !shares(t, node, entries, context);
      if (isAlone) passUnchanged(t, node, passed, { got, limit: passedAtOnce });
      else passed.hasLooked = false;
      entries += isAlone ? passed.count : 0;
      if (passed.at < got) passed.at = visitOne(t, passed.at, visit);
    }
  });
  flush();
  if (result >= 0) return !t.cancelled;
  noteListingError(t);
  t.failed(result, "getdents64", node.path, "list the folder");
  return false;
}

/** What an interrupted run left in the source is no content: told, not copied. */
function isLeftoverOfSource(t: Thread, node: FolderNode, offset: number): boolean {
  if (!mayBeTemporary(t, offset, t.entryLength) || !isTemporaryName(t.entryName())) return false;
  const path = node.pathOf(t.entryName());
  const message = "an interrupted blit left it here, incomplete: skipped";
  t.report({ kind: "skipped", path, code: "E_LEFTOVER", call: undefined, message });
  return true;
}

/** Whether a listed name begins as temporary names do (".b"): cheap, before the exact test. */
function mayBeTemporary(t: Thread, offset: number, length: number): boolean {
  const { bytes } = t.dirents;
  return bytes[offset] === 46 && bytes[offset + 1] === 98 && length > 20;
}

/** Counts a folder of the source that the target has something for, when a mirror wants to know. */
function matchFolder(t: Thread, node: FolderNode): void {
  if (t.statAt(node.targetFd, t.entryPointer, t.other) === 0) node.matched++;
}

/** Unchanged files that are passed over between two looks at the clock. */
const passedAtOnce = 64;

const plainEntry = { targetName: undefined, takesLarge: false, takesLinked: false } as const;

/** Whether a file shall become part of a batch that any thread can take. */
function shares(t: Thread, node: FolderNode, entries: number, context: WalkContext): boolean {
  if (node.exactNames !== undefined) return false;
  if (context.isSliceOver()) return true;
  return entries > shareAfterEntries && t.stack.length < batchesMax;
}

function typeByStat(t: Thread, node: FolderNode): number {
  if (t.statAt(node.sourceFd, t.entryPointer, t.source) < 0) return DT.REG;
  return (t.source.mode & S.IFMT) >> 12;
}

/** A batch of files, or the listing, is done. */
export function batchDone(t: Thread, node: FolderNode): void {
  filesDone(t, node);
  childDone(t, node);
}

/**
 * The last batch (or the listing) lets the folder have its name, also in a run that was stopped: a
 * further one goes on from what is complete.
 */
export function filesDone(t: Thread, node: FolderNode): void {
  node.pendingFiles--;
  if (node.pendingFiles > 0) return;
  if (node.remote !== undefined) t.outbox.push({ ...node.remote, what: "batch" });
  else if (node.stagedName !== undefined) publishFolder(t, node);
}

/** Something in a folder is done; the last thing finishes the folder, and so on upwards. */
export function childDone(t: Thread, from: FolderNode): void {
  let node: FolderNode | undefined = from;
  while (node !== undefined) {
    node.pending--;
    if (node.pending > 0) return;
    if (node.remote !== undefined) {
      t.outbox.push({ ...node.remote, what: "folder" });
      return;
    }
    const parent: FolderNode | undefined = node.parent;
    finishFolder(t, node);
    node = parent;
  }
}

/** Everything in the folder is done: it gets its attributes, times last. */
function finishFolder(t: Thread, node: FolderNode): void {
  t.root = node.root;
  if (!t.isDry && node.targetFd >= 0 && node.status !== undefined) {
    if (node.unpublished !== undefined && node.parent !== undefined) {
      const { fd, name } = { fd: node.parent.targetFd, name: node.unpublished };
      removeTree(t, { fd, name, isFolder: true, path: node.path, counts: false });
    } else finishAttributes(t, node, node.status);
  } else if (t.options.purpose === "plan") planFolder(t, node);
  t.openNodes--;
  node.close();
}

/** In a dry run: what would become of the attributes of a folder that is there. */
export function planFolder(t: Thread, node: FolderNode): void {
  const { sourceFd: source, targetFd: target, status, targetStatus } = node;
  if (target < 0 || status === undefined || targetStatus === undefined) return;
  const isOther = attributesDiffer(t, { source, target }, status, targetStatus);
  if (isOther) planAttributes(t, node.path);
}

export function finishAttributes(
  t: Thread,
  node: FolderNode,
  wanted: NonNullable<FolderNode["status"]>,
): void {
  closeToOwner(t, node);
  let present = node.isNew ? node.targetStatus : undefined;
  if (present === undefined) {
    const result = t.statFd(node.targetFd, t.target);
    if (result < 0) {
      t.attributeFailed(result, "statx", node.path, "attributes of the folder");
      return;
    }
    present = keepStatus(t.target);
  }
  const path = (): string => node.path;
  const fds = { source: node.sourceFd, target: node.targetFd };
  const mayHaveOwn = !node.isNew || node.defaultAcl !== false;
  const changed = mendAttributes(t, fds, wanted, present, { xattrs: true, mayHaveOwn, path });
  const isTimeOther =
    node.isNew || wanted.mtimeSec !== present.mtimeSec || wanted.mtimeNsec !== present.mtimeNsec;
  if (changed && !node.isNew) t.add(counter.attributesOnly, 1);
  if (changed || isTimeOther) setTimesOf(t, node.targetFd, wanted, path);
}
