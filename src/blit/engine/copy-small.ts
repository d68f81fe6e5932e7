import { O, S } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
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
  const got = sys.read(source, t.copy.pointer, smallFileBytes);
  if (got < 0 || t.statFd(source, t.source) < 0 || !isPlain(t, got)) {
    sys.close(source);
    return false;
  }
  const isDone = writeSmall(t, node, source, got);
  sys.close(source);
  return isDone;
}

/** Status is in t.source, taken after `got` bytes were read. */
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

function writeSmall(t: Thread, node: FolderNode, source: number, got: number): boolean {
  const { mode } = t.source;
  const owned = newFileOwner(t, node, t.source) === undefined;
  const createMode = creationMode(t, node, mode, owned);
  const target = sys.openat(node.targetFd, t.entryPointer, targetFlags, createMode);
  if (target < 0) return false;
  if (got > 0 && sys.write(target, t.copy.pointer, got) !== got) return abandon(t, node, target);
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
  countSmall(t, node, got);
  return true;
}

function hasNoXattrs(t: Thread, source: number): boolean {
  if (!t.options.xattrs || t.sourceHasNoXattrs) return true;
  return sys.flistxattr(source, t.xattr.pointer, xattrBytes) === 0;
}

function abandon(t: Thread, node: FolderNode, target: number): false {
  sys.close(target);
  sys.unlinkat(node.targetFd, t.entryPointer, 0);
  return false;
}

function countSmall(t: Thread, node: FolderNode, got: number): void {
  node.stagedBytes += got;
  t.add(counter.files, 1);
  t.add(counter.bytes, got);
  t.add(counter.bytesDone, got);
  t.add(counter.seenBytes, got);
  t.add(counter.itemsDone, 1);
  t.add(counter.bySmall, 1);
}
