import { O, S } from "../../../ffi/abi/constants.ts";
import type { StatView } from "../../../ffi/abi/stat.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import {
  type ContentResult,
  clonesSmallFiles,
  copyPreferred,
  copySparse,
  cutShort,
  preadFully,
  tryReflink,
  writeFully,
} from "./content.ts";
import type { FolderNode } from "./folder-node.ts";
import {
  changedRetries,
  hugeFileBytes,
  largeFileBytes,
  settledSeconds,
  smallFileBytes,
} from "./limits.ts";
import { applyToNewFile, creationMode, newFileOwner } from "./metadata.ts";
import { type PublishOptions, publishFile, reportCollision } from "./publish.ts";
import { counter } from "./shared-state.ts";
import type { Thread } from "./thread.ts";

/**
 * One regular file, whole: opened, read, written under a temporary name (or inside a folder that
 * has one), given its attributes, and only then its name. The entry is the thread's entry at hand.
 */

const sourceFlags = O.RDONLY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;
const targetFlags = O.RDWR | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;

/** What became of a file. */
export type CopyOutcome =
  | "copied"
  /** Reported as failed or vanished. */
  | "failed"
  /** It has several names: it is dealt with when all of them are known. */
  | "linked"
  /** It is large: it becomes a task of its own. */
  | "large"
  /** It is huge, and under way in parts. */
  | "begun";

export type CopyOptions = PublishOptions & {
  /** A large file is copied here and now. */
  readonly takesLarge: boolean;
  /** A file of several names is copied like any other. */
  readonly takesLinked: boolean;
};

/** What a thread that has others beside it needs to begin a huge file. */
export type HugeFileBegin = {
  readonly node: FolderNode;
  readonly sourceFd: number;
  readonly targetFd: number;
  readonly temporaryName: string;
  readonly options: CopyOptions;
};

/**
 * Copies a huge file in parts, with others where they are idle. Returns "begun" where others still
 * work on theirs when this thread has none left; the file is completed later then. undefined: not
 * possible now.
 */
export type HugeFileStart = (begin: HugeFileBegin) => ContentResult | "begun" | undefined;

/** Copies the entry at hand. */
export function copyFile(
  t: Thread,
  node: FolderNode,
  options: CopyOptions,
  startHuge?: HugeFileStart,
): CopyOutcome {
  for (let attempt = 1; ; attempt++) {
    const outcome = copyOnce(t, node, options, startHuge);
    if (outcome !== "changed") return outcome;
    if (attempt === changedRetries) {
      const message = `it changed while it was copied, ${changedRetries} times`;
      const path = node.pathOf(t.entryName());
      t.report({ kind: "failed", path, code: "E_CHANGED", call: undefined, message });
      return "failed";
    }
  }
}

/** Opens the entry at hand for reading; -1 after having reported why not. */
export function openSource(t: Thread, node: FolderNode): number {
  const fd = t.openToRead(node.sourceFd, t.entryPointer, sourceFlags);
  if (fd >= 0) return fd;
  const path = node.pathOf(t.entryName());
  if (fd === -errno.ENOENT) t.vanished(path);
  else t.failed(fd, "openat", path, "open for reading");
  return -1;
}

function copyOnce(
  t: Thread,
  node: FolderNode,
  options: CopyOptions,
  startHuge: HugeFileStart | undefined,
): CopyOutcome | "changed" {
  const source = openSource(t, node);
  if (source < 0) return "failed";
  const got = clonesSmallFiles(t) ? 0 : sys.read(source, t.copy.pointer, smallFileBytes);
  const status = t.statFd(source, t.source);
  if (got < 0 || status < 0 || (t.source.mode & S.IFMT) !== S.IFREG) {
    const call = got < 0 ? "read" : "statx";
    t.failed(got < 0 ? got : status || -errno.EINVAL, call, node.pathOf(t.entryName()), "read");
    sys.close(source);
    return "failed";
  }
  if (t.source.nlink > 1 && !options.takesLinked) {
    noteLink(t, node, t.source);
    sys.close(source);
    return "linked";
  }
  if (t.source.sizeBytes > largeFileBytes && !options.takesLarge) {
    sys.close(source);
    return "large";
  }
  const outcome = copyOpened(t, node, options, startHuge, source, got);
  if (outcome !== "begun") sys.close(source);
  return outcome;
}

/** Keeps a file of several names for the time when all names are known. */
export function noteLink(t: Thread, node: FolderNode, view: StatView): void {
  t.links.push({
    root: node.root,
    folder: node.path,
    name: t.entryName(),
    dev: view.dev,
    ino: `${view.inoHigh}:${view.inoLow}`,
    nlink: view.nlink,
  });
}

/** Makes the target file, under a temporary name unless its whole folder has one. */
function createTarget(
  t: Thread,
  node: FolderNode,
  temporaryName: string | undefined,
  targetName: string | undefined,
): number {
  const owned = newFileOwner(t, node, t.source) === undefined;
  const mode = creationMode(t, node, t.source.mode, owned);
  let pointer = t.entryPointer;
  if (temporaryName !== undefined) pointer = t.cTemporary(temporaryName);
  else if (targetName !== undefined) pointer = t.cTargetName(targetName);
  return sys.openat(node.targetFd, pointer, targetFlags, mode);
}

function copyOpened(
  t: Thread,
  node: FolderNode,
  options: CopyOptions,
  startHuge: HugeFileStart | undefined,
  source: number,
  got: number,
): CopyOutcome | "changed" {
  const size = t.source.sizeBytes;
  // A large file comes to its turn late, when its folder may have its name: also one that shrank.
  const isDirect = node.stagedName !== undefined && size <= largeFileBytes && !options.takesLarge;
  const temporaryName = isDirect ? undefined : t.temporaryName();
  const target = createTarget(t, node, temporaryName, options.targetName);
  if (target < 0) {
    reportCreateFailure(t, node, target, isDirect);
    return "failed";
  }
  const file = { node, source, target, temporaryName, options };
  const isChanged = (): boolean => hasChanged(t, source, target, size, got);
  // Shared bytes take no space, so this comes before any is taken.
  if (!isInBuffer(t, size, got) && clone(t, { source, target }, size)) {
    return completeFile(t, file, { result: 0, call: "" }, isChanged);
  }
  const taken = takeSpace(t, target);
  if (taken.result < 0) return completeFile(t, file, taken, () => false);
  const parts = startInParts(t, file, startHuge);
  if (parts === "begun") return "begun";
  const written = parts ?? writeContent(t, { source, target }, got, size);
  return completeFile(t, file, written, isChanged);
}

/** Shares a huge file with idle threads, where that is worth it. */
function startInParts(
  t: Thread,
  file: OpenedFile & { readonly options: CopyOptions },
  startHuge: HugeFileStart | undefined,
): ContentResult | "begun" | undefined {
  const { node, source, target, temporaryName, options } = file;
  if (startHuge === undefined || temporaryName === undefined || !isHuge(t)) return undefined;
  if (t.source.dataBytes < t.source.sizeBytes) {
    const sized = sys.ftruncate(target, t.source.sizeBytes);
    if (sized < 0) return { result: sized, call: "ftruncate" };
  }
  return startHuge({ node, sourceFd: source, targetFd: target, temporaryName, options });
}

/**
 * Takes the space of a large, dense file before it is written: its extents are long then, and a
 * full disk is known at once.
 */
function takeSpace(t: Thread, target: number): ContentResult {
  const { sizeBytes, blocks } = t.source;
  const wants = t.options.preallocates && sizeBytes > largeFileBytes && blocks * 512 >= sizeBytes;
  const result = wants ? sys.fallocate(target, 0, 0, sizeBytes) : 0;
  return { result: result === -errno.ENOSPC ? result : 0, call: "fallocate" };
}

/** Parts are worth it where there are many bytes that are no holes. */
function isHuge(t: Thread): boolean {
  return t.source.dataBytes > hugeFileBytes;
}

export type OpenedFile = {
  readonly node: FolderNode;
  readonly source: number;
  readonly target: number;
  readonly temporaryName: string | undefined;
  readonly options: Pick<CopyOptions, "targetName" | "replaces">;
};

/**
 * The end of a copy: attributes, close of the target, final name; or removal of what there is. The
 * entry at hand is the file's, its status in t.source.
 */
export function completeFile(
  t: Thread,
  file: OpenedFile,
  written: ContentResult,
  isChanged: () => boolean,
): "copied" | "failed" | "changed" {
  const { node, source, target, temporaryName, options } = file;
  const size = t.source.sizeBytes;
  let outcome: "copied" | "failed" | "changed" = "copied";
  if (written === cutShort) outcome = "changed";
  else if (written.result < 0) {
    t.failed(written.result, written.call, node.pathOf(t.entryName()), "copy");
    outcome = "failed";
  } else if (isChanged()) outcome = "changed";
  else applyToNewFile(t, node, { source, target }, t.source);
  const closed = sys.close(target);
  if (closed < 0 && outcome === "copied") {
    // Network file systems and quotas may tell only now that a write went wrong.
    t.failed(closed, "close", node.pathOf(t.entryName()), "copy");
    outcome = "failed";
  }
  if (outcome === "copied" && temporaryName !== undefined) {
    if (!publishFile(t, node, temporaryName, options)) outcome = "failed";
  }
  if (outcome !== "copied") {
    discard(t, node, temporaryName, options.targetName);
    return outcome;
  }
  node.stagedBytes += size;
  t.add(counter.files, 1);
  t.add(counter.bytes, size);
  t.add(counter.itemsDone, 1);
  return "copied";
}

function reportCreateFailure(t: Thread, node: FolderNode, result: number, isDirect: boolean): void {
  const path = node.pathOf(t.entryName());
  if (result === -errno.EEXIST && isDirect) reportCollision(t, path);
  else t.failed(result, "openat", path, "create in the target");
}

/** Removes what is not complete. */
export function discard(
  t: Thread,
  node: FolderNode,
  temporaryName: string | undefined,
  targetName: string | undefined,
): void {
  let pointer = t.entryPointer;
  if (temporaryName !== undefined) pointer = t.cTemporary(temporaryName);
  else if (targetName !== undefined) pointer = t.cTargetName(targetName);
  sys.unlinkat(node.targetFd, pointer, 0);
}

function isSparse(t: Thread, size: number): boolean {
  return t.source.blocks * 512 < size;
}

/** Whether the copy buffer holds the whole file, after a first read of `got` bytes. */
function isInBuffer(t: Thread, size: number, got: number): boolean {
  return got === size && got < smallFileBytes && !isSparse(t, size);
}

/** Writes the file's bytes; the first `got` of them are in the copy buffer already. */
function writeContent(
  t: Thread,
  fds: { readonly source: number; readonly target: number },
  got: number,
  size: number,
): ContentResult {
  if (isInBuffer(t, size, got)) {
    const result = writeFully(fds.target, t.copy.pointer, got);
    t.add(counter.bytesDone, got);
    t.add(counter.bySmall, 1);
    return { result, call: "write" };
  }
  if (got > size) return cutShort;
  if (isSparse(t, size)) return copySparse(t, fds, size);
  // The first block is in the buffer already.
  const result = writeFully(fds.target, t.copy.pointer, got);
  if (result < 0) return { result, call: "write" };
  t.add(counter.bytesDone, got);
  return copyPreferred(t, fds, got, size);
}

/** Shares the source's extents with the target, and counts it. Returns whether it worked. */
function clone(
  t: Thread,
  fds: { readonly source: number; readonly target: number },
  size: number,
): boolean {
  if (size === 0 || !tryReflink(t.paths, fds.source, fds.target)) return false;
  t.add(counter.bytesReflinked, size);
  t.add(counter.byReflink, 1);
  t.add(counter.bytesDone, size);
  return true;
}

/**
 * Whether the source changed while it was read. A file last changed well before the run began, by
 * its ctime after the read, did not. For a younger one: a large file is asked again; a small one is
 * read again between two equal stats.
 */
export function hasChanged(
  t: Thread,
  source: number,
  target: number,
  size: number,
  got: number,
): boolean {
  const before = t.source;
  if (isInBuffer(t, size, got)) {
    // The status in `before` was taken after the read, so it speaks for it.
    if (before.ctimeSec < t.options.startedAtSec - settledSeconds) return false;
    return !isSameAgain(t, source, target, size);
  }
  if (t.statFd(source, t.other) < 0) return true;
  return !isSameStatus(t);
}

/** Whether two statuses, in t.source and t.other, are of the same content. */
export function isSameStatus(t: Thread): boolean {
  const { source, other } = t;
  return (
    source.sizeBytes === other.sizeBytes &&
    source.mtimeNsec === other.mtimeNsec &&
    source.mtimeSec === other.mtimeSec &&
    source.ctimeNsec === other.ctimeNsec &&
    source.ctimeSec === other.ctimeSec
  );
}

/** Reads a young small file once more; true when that gives the bytes that were written. */
function isSameAgain(t: Thread, source: number, target: number, size: number): boolean {
  const second = t.copy.pointer + smallFileBytes;
  const again = preadFully(source, second, size + 1, 0);
  if (again !== size || t.statFd(source, t.other) < 0 || !isSameStatus(t)) return false;
  if (sys.memcmp(t.copy.pointer, second, size) === 0) return true;
  // The bytes of the second read lie between two equal stats: they are a true state of the file.
  if (sys.lseek(target, 0, 0) !== 0 || writeFully(target, second, size) < 0) return false;
  return true;
}
