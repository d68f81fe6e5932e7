import { AT, O, S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { compareContent } from "./content.ts";
import {
  type CopyOutcome,
  copyFile,
  discard,
  type HugeFileStart,
  noteLink,
  openSource,
} from "./copy-file.ts";
import { copySmall } from "./copy-small.ts";
import type { FolderNode } from "./folder-node.ts";
import { largeFileBytes } from "./limits.ts";
import {
  applyAt,
  attributesDiffer,
  attributesFailed,
  keepStatus,
  mendAttributes,
  modeUnder,
  ownerAfter,
  ownerToSet,
  setOwnerAt,
  setTimesOf,
} from "./metadata.ts";
import { publishFile } from "./publish.ts";
import { control, counter } from "./shared-state.ts";
import { isPlainlyUnchanged } from "./skip-unchanged.ts";
import type { Thread } from "./thread.ts";

/**
 * One entry of the source that is not a folder, against what the target has under its name:
 * decided, then done, or only said. The entry is the thread's entry at hand.
 */

/** What there is under an entry's name in the target. */
type Present = "nothing" | "other" | "folder" | "collision" | "error";

export type EntryOptions = {
  readonly targetName: string | undefined;
  readonly startHuge: HugeFileStart | undefined;
  readonly takesLarge: boolean;
  readonly takesLinked: boolean;
  /** It was looked at, and is not plainly unchanged. */
  readonly isLooked?: boolean;
};

/** Looks the entry's name up in the target; its status is in t.target where there is something. */
export function lookUpTarget(t: Thread, node: FolderNode, targetName: string | undefined): Present {
  if (node.targetFd < 0 || (node.isNew && !t.isDry)) return "nothing";
  const pointer = targetName === undefined ? t.entryPointer : t.cTargetName(targetName);
  const result = t.statAt(node.targetFd, pointer, t.target);
  if (result === -errno.ENOENT) return "nothing";
  if (result < 0) {
    t.failed(result, "statx", node.pathOf(t.entryName()), "look at the target");
    return "error";
  }
  const exact = node.exactNames;
  if (exact !== undefined && !exact.has(targetName ?? t.entryName())) return "collision";
  node.matched++;
  return (t.target.mode & S.IFMT) === S.IFDIR ? "folder" : "other";
}

/** A folder stands where something else is to be. Returns true: dealt with. */
export function reportConflict(t: Thread, node: FolderNode, what: string): void {
  const path = node.pathOf(t.entryName());
  const message = `cannot replace a folder of the target with ${what}`;
  t.report({ kind: "failed", path, code: "E_CONFLICT", call: undefined, message });
}

/**
 * Puts a name of the target on the list of what a mirror removes first, to make room for an entry
 * of another type, which then gets its turn.
 */
export function replaceLater(t: Thread, node: FolderNode, name: string): void {
  // What it holds is counted when the listing at hand has been read (settleReplacements).
  t.replacements.push({ node, name });
}

/** Deals with a file, link or device. Returns "large" where it shall become a task of its own. */
export function processEntry(
  t: Thread,
  node: FolderNode,
  type: number,
  options: EntryOptions,
): CopyOutcome | "settled" {
  const isFresh = node.isNew && !t.isDry;
  if (type === S.IFREG && !isFresh && mayBeUnchanged(t, node, options)) {
    if (isPlainlyUnchanged(t, node)) return "settled";
  }
  t.add(counter.seen, 1);
  if (type === S.IFREG && isFresh) return copyNew(t, node, options);
  const found = t.statAt(node.sourceFd, t.entryPointer, t.source);
  if (found < 0) {
    const path = node.pathOf(t.entryName());
    if (found === -errno.ENOENT) t.vanished(path);
    else t.failed(found, "statx", path, "look at the source");
    return "failed";
  }
  const actualType = t.source.mode & S.IFMT;
  if (actualType !== S.IFREG && actualType !== S.IFLNK && !t.options.specials) {
    return skipSpecial(t, node, actualType, options.targetName);
  }
  if (t.source.nlink > 1 && !options.takesLinked && !t.isDry) {
    noteLinkAndMatch(t, node, options.targetName);
    return "linked";
  }
  const present = lookUpTarget(t, node, options.targetName);
  if (present === "error") return "failed";
  if (present === "collision") return reportFolded(t, node);
  if (present === "folder") {
    if (t.options.command !== "mirror") {
      reportConflict(t, node, describeType(actualType));
      return "failed";
    }
    replaceLater(t, node, options.targetName ?? t.entryName());
    // A dry run says what will be done once there is room.
    if (!t.isDry) return "failed";
  }
  if (actualType === S.IFREG) return processFile(t, node, present === "other", options);
  if (actualType === S.IFLNK) return processLink(t, node, present === "other", options.targetName);
  return processSpecial(t, node, present === "other", options.targetName);
}

/** The straight comparison serves the usual options, in folders that are there already. */
function mayBeUnchanged(t: Thread, node: FolderNode, options: EntryOptions): boolean {
  const isListed = options.targetName === undefined && !options.takesLarge;
  return isListed && options.isLooked !== true && mayPassUnchanged(t, node);
}

/** The same of all files of a folder. */
export function mayPassUnchanged(t: Thread, node: FolderNode): boolean {
  return (
    t.options.comparison === "time" &&
    node.targetFd >= 0 &&
    !node.isNew &&
    node.exactNames === undefined
  );
}

function copyNew(t: Thread, node: FolderNode, options: EntryOptions): CopyOutcome {
  if (node.stagedName !== undefined && options.targetName === undefined) {
    if (copySmall(t, node)) return "copied";
  }
  const outcome = copyFile(t, node, { ...options, replaces: false }, options.startHuge);
  if (outcome === "copied") t.add(counter.seenBytes, t.source.sizeBytes);
  return outcome;
}

export function reportFolded(t: Thread, node: FolderNode): "failed" {
  const message =
    "the target takes this name for that of another entry (it folds case or normalises names)";
  const path = node.pathOf(t.entryName());
  t.report({ kind: "failed", path, code: "E_COLLISION", call: undefined, message });
  return "failed";
}

function noteLinkAndMatch(t: Thread, node: FolderNode, targetName: string | undefined): void {
  noteLink(t, node, t.source);
  if (node.targetFd < 0 || node.isNew) return;
  const pointer = targetName === undefined ? t.entryPointer : t.cTargetName(targetName);
  if (t.statAt(node.targetFd, pointer, t.target) === 0) node.matched++;
}

export function describeType(type: number): string {
  switch (type) {
    case S.IFREG:
      return "a file";
    case S.IFLNK:
      return "a symbolic link";
    case S.IFIFO:
      return "a FIFO";
    case S.IFSOCK:
      return "a socket";
    case S.IFDIR:
      return "a folder";
    default:
      return "a device";
  }
}

export function skipSpecial(
  t: Thread,
  node: FolderNode,
  type: number,
  targetName: string | undefined,
): "settled" {
  const path = node.pathOf(t.entryName());
  // What the target has under its name is not extraneous.
  if (node.targetFd >= 0 && !node.isNew) lookUpTarget(t, node, targetName);
  const message = `it is ${describeType(type)}: skipped (--specials copies it, as root)`;
  t.report({ kind: "skipped", path, code: "E_SPECIAL", call: undefined, message });
  return "settled";
}

/** Whether the statuses in t.source and t.target are those of one file. */
export function isOneFile(t: Thread): boolean {
  const { source, target } = t;
  return (
    source.dev === target.dev &&
    source.inoLow === target.inoLow &&
    source.inoHigh === target.inoHigh
  );
}

/** Modification times are equal, at the grain that the target can hold. */
export function isSameTime(t: Thread): boolean {
  const { source, target } = t;
  const grain = t.options.timeGrainNs;
  if (source.mtimeSec === target.mtimeSec && source.mtimeNsec === target.mtimeNsec) return true;
  if (grain <= 1) return false;
  const seconds = source.mtimeSec - target.mtimeSec;
  if (Math.abs(seconds) > 4) return false;
  return Math.abs(seconds * 1e9 + source.mtimeNsec - target.mtimeNsec) < grain;
}

type Decision = "copy" | "same" | "keep" | "failed";

/** What to do about a file that both sides have; statuses are in t.source and t.target. */
function decide(t: Thread, node: FolderNode, targetName: string | undefined): Decision {
  const { options, source, target } = t;
  if (options.ignoreExisting) return "keep";
  if ((target.mode & S.IFMT) !== S.IFREG) return "copy";
  if (options.update && isTargetNewer(t)) return "keep";
  if (source.sizeBytes !== target.sizeBytes) return "copy";
  switch (options.comparison) {
    case "size":
      return "same";
    case "time":
      return isSameTime(t) ? "same" : "copy";
    case "checksum":
      return compareByContent(t, node, targetName);
  }
}

/** --ignore-existing and --update keep what the target has; statuses are in t.source, t.target. */
export function keepsTarget(t: Thread): boolean {
  return t.options.ignoreExisting || (t.options.update && isTargetNewer(t));
}

export function isTargetNewer(t: Thread): boolean {
  const { source, target } = t;
  if (isSameTime(t)) return false;
  if (target.mtimeSec !== source.mtimeSec) return target.mtimeSec > source.mtimeSec;
  return target.mtimeNsec > source.mtimeNsec;
}

const readFlags = O.RDONLY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;

function compareByContent(t: Thread, node: FolderNode, targetName: string | undefined): Decision {
  if (t.options.purpose === "count") return "same";
  const sourceFd = openSource(t, node);
  if (sourceFd < 0) return "failed";
  const pointer = targetName === undefined ? t.entryPointer : t.cTargetName(targetName);
  const targetFd = t.openToRead(node.targetFd, pointer, readFlags);
  if (targetFd < 0) {
    sys.close(sourceFd);
    return "copy";
  }
  const fds = { source: sourceFd, target: targetFd };
  const compared = compareContent(t, fds, t.source.sizeBytes);
  sys.close(sourceFd);
  sys.close(targetFd);
  if (compared.result < 0) {
    t.failed(compared.result, compared.call, node.pathOf(t.entryName()), "compare");
    return "failed";
  }
  return compared.isEqual ? "same" : "copy";
}

function processFile(
  t: Thread,
  node: FolderNode,
  isPresent: boolean,
  options: EntryOptions,
): CopyOutcome | "settled" {
  const decision = isPresent ? decide(t, node, options.targetName) : "copy";
  const waits = t.source.sizeBytes > largeFileBytes && !options.takesLarge && !t.isDry;
  if (decision === "copy" && waits) return "large";
  t.add(counter.seenBytes, t.source.sizeBytes);
  if (decision === "failed") return "failed";
  if (decision === "keep" || decision === "same") {
    t.add(counter.upToDate, 1);
    t.add(counter.itemsDone, 1);
    t.add(counter.bytesDone, t.source.sizeBytes);
    if (decision === "same") mendFile(t, node, options.targetName);
    return "settled";
  }
  if (t.isDry) {
    const path = node.pathOf(t.entryName());
    t.act(isPresent ? "replace" : "copy", path, t.source.sizeBytes);
    t.add(counter.files, 1);
    t.add(counter.bytes, t.source.sizeBytes);
    return "settled";
  }
  return copyFile(t, node, { ...options, replaces: isPresent }, options.startHuge);
}

/**
 * Whether extended attributes have to be looked at though content and status agree. A source whose
 * status last changed before the target's did cannot have got new attributes since.
 */
function mayHaveNewXattrs(t: Thread): boolean {
  if (t.options.comparison === "checksum") return true;
  if (t.received !== undefined && t.received.names.length > 0) return true;
  const { source, target } = t;
  // A name more or less changes the status too, as a snapshot of hard links does.
  if (target.nlink !== source.nlink) return true;
  const changedSec = source.ctimeSec + t.sourceLagSec;
  if (changedSec !== target.ctimeSec) return changedSec > target.ctimeSec;
  return source.ctimeNsec >= target.ctimeNsec;
}

/** What else of an up-to-date file is not as in the source; statuses are in t.source, t.target. */
export function differences(t: Thread): {
  readonly isOwnerOther: boolean;
  readonly isModeOther: boolean;
  readonly looksAtXattrs: boolean;
} {
  const { source, target } = t;
  const owner = ownerToSet(t, source, target);
  const isOwnerOther = owner !== undefined;
  const isModeOther = modeUnder(source, ownerAfter(target, owner)) !== (target.mode & 0o7777);
  // A change of owner takes capabilities away; one of the mode may have come with one of the ACL.
  const mayDiffer = isModeOther || isOwnerOther || mayHaveNewXattrs(t);
  const looksAtXattrs = t.options.xattrs && mayDiffer;
  return { isOwnerOther, isModeOther, looksAtXattrs };
}

/** Makes mode, owner, attributes and time of an up-to-date file the source's. */
export function mendFile(t: Thread, node: FolderNode, targetName: string | undefined): void {
  const { source, target } = t;
  const { isOwnerOther, isModeOther, looksAtXattrs: mayLook } = differences(t);
  const looksAtXattrs = mayLook && t.received?.isUnknown !== true;
  const isTimeOther = !isSameTime(t) && t.options.comparison !== "time";
  if (!isModeOther && !isOwnerOther && !isTimeOther && !looksAtXattrs) return;
  if (t.options.purpose === "count") return;
  const wanted = keepStatus(source);
  const present = keepStatus(target);
  const path = (): string => node.pathOf(t.entryName());
  const pointer = targetName === undefined ? t.entryPointer : t.cTargetName(targetName);
  const targetFd = sys.openat(node.targetFd, pointer, readFlags, 0);
  if (targetFd < 0) {
    t.attributeFailed(targetFd, "openat", path(), "attributes");
    return;
  }
  const isHere = t.received === undefined;
  const sourceFd = looksAtXattrs && isHere ? openSource(t, node) : -1;
  const fds = { source: sourceFd, target: targetFd };
  const xattrs = isHere ? sourceFd >= 0 : looksAtXattrs;
  if (t.isDry) {
    const isOther = isModeOther || isOwnerOther || isTimeOther;
    if (isOther || (xattrs && attributesDiffer(t, fds, wanted, present))) planAttributes(t, path());
  } else {
    const failedBefore = attributesFailed(t);
    const changed = mendAttributes(t, fds, wanted, present, { xattrs, mayHaveOwn: true, path });
    if (attributesFailed(t) > failedBefore) {
      // The present time makes the file count as different: the next run tries again.
      sys.futimens(targetFd, 0);
    } else if (changed || isTimeOther) {
      setTimesOf(t, targetFd, wanted, path);
      t.add(counter.attributesOnly, 1);
    }
  }
  if (sourceFd >= 0) sys.close(sourceFd);
  sys.close(targetFd);
}

/** In a dry run: nothing but attributes would change. */
export function planAttributes(t: Thread, path: string): void {
  t.act("attributes", path);
  t.add(counter.attributesOnly, 1);
}

/** A symbolic link is copied as it is, whether or not it leads anywhere. */
function processLink(
  t: Thread,
  node: FolderNode,
  isPresent: boolean,
  targetName: string | undefined,
): CopyOutcome | "settled" {
  const path = node.pathOf(t.entryName());
  const length = sys.readlinkat(node.sourceFd, t.entryPointer, t.pointers.link, linkBytes);
  if (length < 0 || length >= linkBytes) {
    t.failed(length < 0 ? length : -errno.ENAMETOOLONG, "readlinkat", path, "read the link");
    return "failed";
  }
  t.scratch.bytes[t.pointers.link - t.scratch.pointer + length] = 0;
  return placeLink(t, node, { isPresent, targetName, length, path });
}

/** Makes a link whose text, of `length` bytes, is in the thread's memory for links. */
export function placeLink(
  t: Thread,
  node: FolderNode,
  link: {
    readonly isPresent: boolean;
    readonly targetName: string | undefined;
    readonly length: number;
    readonly path: string;
  },
): CopyOutcome | "settled" {
  const { isPresent, targetName, length, path } = link;
  if (isPresent) {
    if (t.options.ignoreExisting || isSameLink(t, node, targetName, length)) {
      t.add(counter.upToDate, 1);
      t.add(counter.itemsDone, 1);
      if (!t.options.ignoreExisting) mendByName(t, node, targetName, path);
      return "settled";
    }
    if (t.options.update && isTargetNewer(t)) return "settled";
  }
  if (t.isDry) {
    t.act("link", path);
    t.add(counter.symlinks, 1);
    return "settled";
  }
  const make = (pointer: number): number => sys.symlinkat(t.pointers.link, node.targetFd, pointer);
  return makeByName(t, node, { targetName, isPresent, path, call: "symlinkat", make })
    ? countMade(t, counter.symlinks)
    : "failed";
}

const linkBytes = 8192;

function countMade(t: Thread, column: number): "copied" {
  t.add(column, 1);
  t.add(counter.itemsDone, 1);
  return "copied";
}

function isSameLink(
  t: Thread,
  node: FolderNode,
  targetName: string | undefined,
  length: number,
): boolean {
  if ((t.target.mode & S.IFMT) !== S.IFLNK) return false;
  const pointer = targetName === undefined ? t.entryPointer : t.cTargetName(targetName);
  const other = sys.readlinkat(node.targetFd, pointer, t.pointers.otherLink, linkBytes);
  return other === length && sys.memcmp(t.pointers.link, t.pointers.otherLink, length) === 0;
}

function mendByName(
  t: Thread,
  node: FolderNode,
  targetName: string | undefined,
  path: string,
): void {
  const owner = ownerToSet(t, t.source, t.target);
  if (owner === undefined && isSameTime(t)) return;
  if (t.isDry) {
    planAttributes(t, path);
    return;
  }
  const pointer = targetName === undefined ? t.entryPointer : t.cTargetName(targetName);
  if (owner !== undefined) setOwnerAt(t, node.targetFd, pointer, owner, path);
  const { source } = t;
  const times = t.setTimes(source.atimeSec, source.atimeNsec, source.mtimeSec, source.mtimeNsec);
  const result = sys.utimensat(node.targetFd, pointer, times, AT.SYMLINK_NOFOLLOW);
  if (result === 0) t.add(counter.attributesOnly, 1);
  else t.attributeFailed(result, "utimensat", path, "times");
}

/** Makes a thing that has no content, under a temporary name first where its folder has none. */
function makeByName(
  t: Thread,
  node: FolderNode,
  options: {
    readonly targetName: string | undefined;
    readonly isPresent: boolean;
    readonly path: string;
    readonly call: string;
    readonly make: (pointer: number) => number;
  },
): boolean {
  const { targetName, path } = options;
  const temporaryName = node.stagedName === undefined ? t.temporaryName() : undefined;
  const pointer = (): number => {
    if (temporaryName !== undefined) return t.cTemporary(temporaryName);
    return targetName === undefined ? t.entryPointer : t.cTargetName(targetName);
  };
  const result = options.make(pointer());
  if (result < 0) {
    if (result === -errno.EPERM || result === -errno.EOPNOTSUPP) {
      t.tellCannotHold(
        options.call === "symlinkat" ? "symbolic links" : "devices",
        result,
        options.call,
        path,
      );
      t.report({
        kind: "skipped",
        path,
        code: "E_CANNOT_HOLD",
        call: options.call,
        message: "skipped",
      });
    } else t.failed(result, options.call, path, "create in the target");
    return false;
  }
  applyAt(t, node, pointer(), t.source, path);
  if (temporaryName === undefined) return true;
  if (publishFile(t, node, temporaryName, { targetName, replaces: options.isPresent })) return true;
  discard(t, node, temporaryName, targetName);
  return false;
}

/** FIFO, socket or device, with --specials. */
export function processSpecial(
  t: Thread,
  node: FolderNode,
  isPresent: boolean,
  targetName: string | undefined,
): CopyOutcome | "settled" {
  const path = node.pathOf(t.entryName());
  const { source, target } = t;
  // One with another mode or owner is made anew: no call changes them without a look at its name.
  const isSame =
    isPresent &&
    source.mode === target.mode &&
    source.rdevMajor === target.rdevMajor &&
    source.rdevMinor === target.rdevMinor &&
    ownerToSet(t, source, target) === undefined;
  if (isPresent && (isSame || t.options.ignoreExisting)) {
    t.add(counter.upToDate, 1);
    if (!t.options.ignoreExisting) mendByName(t, node, targetName, path);
    return "settled";
  }
  if (t.isDry) {
    t.act("special", path);
    return "settled";
  }
  // gnu_dev_makedev of glibc: twelve bits of major around eight and twelve of minor.
  const major = source.rdevMajor;
  const minor = source.rdevMinor;
  const device = (minor & 0xff) + (major & 0xfff) * 256 + Math.floor(minor / 256) * 1048576;
  const { mode } = source;
  const make = (pointer: number): number => sys.mknodat(node.targetFd, pointer, mode, device);
  return makeByName(t, node, { targetName, isPresent, path, call: "mknodat", make })
    ? countMade(t, counter.specials)
    : "failed";
}

/** Notes that a folder of the source could not be listed whole: nothing will be deleted. */
export function noteListingError(t: Thread): void {
  Atomics.add(t.shared.control, control.listingErrors, 1);
}
