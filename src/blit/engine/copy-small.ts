import { O, S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { clonesSmallFiles, tryReflink } from "./content.ts";
import { isSameStatus } from "./copy-file.ts";
import type { FolderNode } from "./folder-node.ts";
import { settledSeconds, smallFileBytes } from "./limits.ts";
import { applyToNewFile, creationMode, hasDefaultAcl, newFileOwner } from "./metadata.ts";
import { counter } from "./shared-state.ts";
import { type Thread, xattrBytes } from "./thread.ts";

const sourceFlags = O.RDONLY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;
const targetFlags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;

/**
 * The entry at hand, a small plain file for a folder that is still under its temporary name: most
 * of what most trees hold, so nothing is allocated here and nothing is asked twice. Whatever is not
 * plain (several names, holes, a young file, any failure) is left to copyFile, which starts over.
 * Returns whether the file is in place.
 */
export function copySmall(t: Thread, node: FolderNode): boolean {
  const source = t.openToRead(node.sourceFd, t.entryPointer, sourceFlags);
  if (source < 0) return false;
  const clones = clonesSmallFiles(t);
  const size = clones ? sizeOfPlain(t, source) : readPlain(t, source);
  const isDone = size >= 0 && makeSmall(t, node, source, size, clones);
  sys.close(source);
  return isDone;
}

/** Reads a plain file into the copy buffer. Returns its bytes, or -1 where it is not plain. */
function readPlain(t: Thread, source: number): number {
  const got = sys.read(source, t.copy.pointer, smallFileBytes);
  return got >= 0 && t.statFd(source, t.source) >= 0 && isPlain(t, got) ? got : -1;
}

/** The bytes of a plain file that is not read yet, or -1 where it is not plain. */
function sizeOfPlain(t: Thread, source: number): number {
  if (t.statFd(source, t.source) < 0) return -1;
  return isPlain(t, t.source.sizeBytes) ? t.source.sizeBytes : -1;
}

/** Status is in t.source; `got` bytes were read before it was taken. */
function isPlain(t: Thread, got: number): boolean {
  const { source } = t;
  return (
    got < smallFileBytes &&
    source.sizeBytes === got &&
    source.nlink === 1 &&
    (source.mode & S.IFMT) === S.IFREG &&
    source.blocks * 512 >= got &&
    source.ctimeSec < t.options.startedAtSec - settledSeconds
  );
}

function makeSmall(
  t: Thread,
  node: FolderNode,
  source: number,
  size: number,
  clones: boolean,
): boolean {
  const { mode } = t.source;
  const owned = newFileOwner(t, node, t.source) === undefined;
  const createMode = creationMode(t, node, mode, owned);
  const target = sys.openat(node.targetFd, t.entryPointer, targetFlags, createMode);
  if (target < 0) return false;
  const isCloned = clones && size > 0 && tryReflink(t.paths, source, target);
  const isWritten =
    isCloned || (clones ? readAndWrite(t, source, target, size) : write(t, target, size));
  if (!isWritten || (clones && !isUntouched(t, source))) return abandon(t, node, target);
  // Where an owner or an ACL is to be set it is made with 0600, which may be its own mode too.
  if (
    owned &&
    !hasDefaultAcl(t, node) &&
    createMode === (mode & 0o7777) &&
    hasNoXattrs(t, source)
  ) {
    const { atimeSec, atimeNsec, mtimeSec, mtimeNsec } = t.source;
    const times = t.setTimes(atimeSec, atimeNsec, mtimeSec, mtimeNsec);
    if (sys.futimens(target, times) !== 0) return abandon(t, node, target);
  } else applyToNewFile(t, node, { source, target }, t.source);
  if (sys.close(target) < 0) {
    sys.unlinkat(node.targetFd, t.entryPointer, 0);
    return false;
  }
  countSmall(t, node, size, isCloned);
  return true;
}

/** Writes what is in the copy buffer. */
function write(t: Thread, target: number, size: number): boolean {
  return size === 0 || sys.write(target, t.copy.pointer, size) === size;
}

/** Where the file system refuses to clone this one (other checksum flags, say). */
function readAndWrite(t: Thread, source: number, target: number, size: number): boolean {
  return sys.pread(source, t.copy.pointer, smallFileBytes, 0) === size && write(t, target, size);
}

/** Whether the status that was taken before the content still holds. */
function isUntouched(t: Thread, source: number): boolean {
  return t.statFd(source, t.other) >= 0 && isSameStatus(t);
}

function hasNoXattrs(t: Thread, source: number): boolean {
  if (!t.options.xattrs) return true;
  const listed = sys.flistxattr(source, t.xattr.pointer, xattrBytes);
  return listed === 0 || listed === -errno.EOPNOTSUPP;
}

function abandon(t: Thread, node: FolderNode, target: number): false {
  sys.close(target);
  sys.unlinkat(node.targetFd, t.entryPointer, 0);
  return false;
}

function countSmall(t: Thread, node: FolderNode, size: number, isCloned: boolean): void {
  node.stagedBytes += size;
  t.add(counter.files, 1);
  t.add(counter.bytes, size);
  t.add(counter.bytesDone, size);
  t.add(counter.seenBytes, size);
  t.add(counter.itemsDone, 1);
  if (isCloned) t.add(counter.bytesReflinked, size);
  t.add(isCloned ? counter.byReflink : counter.bySmall, 1);
}
