import { LOCK, O, S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import type { DeltaWriter } from "../delta/receive-delta.ts";
import type { ContentResult } from "../engine/content.ts";
import type { FolderNode } from "../engine/folder-node.ts";
import { largeFileBytes } from "../engine/limits.ts";
import { creationMode, newFileOwner } from "../engine/metadata.ts";
import { partialName } from "../engine/staging.ts";
import type { Thread } from "../engine/thread.ts";
import type { SettledBase } from "./received-folder.ts";
import type { SplitInto } from "./split-intake.ts";

/** A file that comes in pieces: under a name of its own until all of it is there. */

const flags = O.RDWR | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;

/** FALLOC_FL_KEEP_SIZE of linux/falloc.h: what is not there yet does not look as if it were. */
const keepSize = 1;

/** What a FILE frame says. */
export const fileMode = { whole: 0, sparse: 1, delta: 2, split: 3 } as const;

export type LargeFile = {
  readonly node: FolderNode;
  readonly index: number;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly split: SplitInto | undefined;
  /** -1 where it could not be made: what comes of it is skipped. */
  fd: number;
  readonly temporaryName: string;
  /** What is there when the stream breaks is kept for a later run. */
  readonly isKept: boolean;
  /** The next byte that may come. */
  position: number;
  written: ContentResult;
  /** The base cannot be read, or is not what its hashes said: the file has to be sent whole. */
  isBaseLost: boolean;
  delta: DeltaWriter | undefined;
  /** What the target has of it, open for reading; -1 for none. */
  baseFd: number;
  /** Its hashes are used, so it must be the same at the end too. */
  settledBase: SettledBase | undefined;
  reusedBytes: number;
};

export type AnnouncedFile = {
  readonly index: number;
  readonly mode: number;
  readonly sizeBytes: number;
  /** Of mode 3: how it comes. */
  readonly split: SplitInto | undefined;
};

/** A file that is not made. */
export function noFile(node: FolderNode, announced: AnnouncedFile): LargeFile {
  const none = { fd: -1, temporaryName: "", isKept: false, delta: undefined, baseFd: -1 };
  const settledBase = undefined;
  const written = { result: 0, call: "" };
  const state = { position: 0, reusedBytes: 0, written, isBaseLost: false };
  return { ...announced, ...none, ...state, settledBase, node };
}

/**
 * Makes the entry at hand, of which content is announced. A large one gets a name that a later run
 * finds again, unless somebody else receives the same file just now.
 */
export function beginLargeFile(t: Thread, node: FolderNode, file: AnnouncedFile): LargeFile {
  const { sizeBytes } = file;
  const createMode = firstMode(t, node);
  const common = noFile(node, file);
  if (sizeBytes > largeFileBytes) {
    const temporaryName = partialName(t.entryName());
    const fd = makePartial(t, node, temporaryName, createMode);
    if (fd >= 0) {
      const written = prepareSpace(t, fd, file);
      return { ...common, fd, temporaryName, isKept: true, written };
    }
  }
  const temporaryName = t.temporaryName();
  const fd = sys.openat(node.targetFd, t.cTemporary(temporaryName), flags, createMode);
  const written = fd < 0 ? { result: fd, call: "openat" } : prepareSpace(t, fd, file);
  return { ...common, fd, temporaryName, isKept: false, written };
}

/** What a file is made with until its attributes are set. */
export function firstMode(t: Thread, node: FolderNode): number {
  const isOwned = newFileOwner(t, node, t.source) === undefined;
  return creationMode(t, node, t.source.mode, isOwned);
}

/** A new file under the name of parts; -errno where another one is at work on it. */
function makePartial(t: Thread, node: FolderNode, name: string, mode: number): number {
  let fd = sys.openat(node.targetFd, t.cTemporary(name), flags, mode);
  if (fd === -errno.EEXIST) {
    const old = openPart(t, node, name);
    if (old < 0) return old;
    sys.unlinkat(node.targetFd, t.cTemporary(name), 0);
    sys.close(old);
    fd = sys.openat(node.targetFd, t.cTemporary(name), flags, mode);
  }
  if (fd < 0) return fd;
  const locked = sys.flock(fd, LOCK.EX | LOCK.NB);
  if (locked === 0) return fd;
  sys.close(fd);
  return locked;
}

/** Opens a part that an earlier run left, for this run alone. -errno where there is none. */
export function openPart(t: Thread, node: FolderNode, name: string): number {
  const partFlags = O.RDWR | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;
  const fd = sys.openat(node.targetFd, t.cTemporary(name), partFlags, 0);
  if (fd < 0) return fd;
  const locked = sys.flock(fd, LOCK.EX | LOCK.NB);
  const isItStill =
    locked === 0 &&
    t.statFd(fd, t.other) === 0 &&
    (t.other.mode & S.IFMT) === S.IFREG &&
    t.other.nlink === 1 &&
    t.other.uid === t.options.user.uid;
  if (isItStill) return fd;
  sys.close(fd);
  return locked < 0 ? locked : -errno.ESTALE;
}

/**
 * Takes the space of a dense file before it is written: its extents are long then, and a full disk
 * is known at once. A sparse one gets its size, which its last hole may need.
 */
function prepareSpace(
  t: Thread,
  fd: number,
  file: { readonly mode: number; readonly sizeBytes: number },
): ContentResult {
  if (file.mode === fileMode.sparse) {
    return { result: sys.ftruncate(fd, file.sizeBytes), call: "ftruncate" };
  }
  const wants = t.options.preallocates && file.sizeBytes > largeFileBytes;
  const result = wants ? sys.fallocate(fd, keepSize, 0, file.sizeBytes) : 0;
  return { result: result === -errno.ENOSPC ? result : 0, call: "fallocate" };
}

/**
 * The stream broke: what is there of a large file stays under its hidden name, cut where it ends;
 * anything else goes.
 */
export function abandonLargeFile(t: Thread, file: LargeFile): void {
  if (file.baseFd >= 0) sys.close(file.baseFd);
  file.baseFd = -1;
  if (file.fd < 0) return;
  const position = file.delta?.position ?? file.position;
  // Of parts only those are known here that came over the stream itself.
  const least = file.split === undefined ? largeFileBytes : 0;
  const isWorthIt = file.isKept && file.mode !== fileMode.sparse && position > least;
  if (!isWorthIt) sys.unlinkat(file.node.targetFd, t.cTemporary(file.temporaryName), 0);
  else sys.ftruncate(file.fd, keptBytes(t, file, position));
  sys.close(file.fd);
  file.fd = -1;
}

/**
 * How much of a file is kept. To cut it at its present size is not in vain: the space goes that was
 * taken beyond it.
 */
function keptBytes(t: Thread, file: LargeFile, position: number): number {
  // Parts may lie behind each other's gaps; a later run compares all of it.
  const isCompared = file.delta !== undefined || file.split !== undefined;
  return isCompared && t.statFd(file.fd, t.other) === 0 ? t.other.sizeBytes : position;
}
