import { AT, DT, S, STATX } from "../../../ffi/abi/constants.ts";
import { DIRENT_LAYOUT } from "../../../ffi/abi/dirent.ts";
import { STATX_WORD } from "../../../ffi/abi/stat.ts";
import { sys } from "../../../ffi/sys.ts";
import { cheaplyCompiled } from "./compile-cost.ts";
import type { FolderNode } from "./folder-node.ts";
import { counter } from "./shared-state.ts";
import type { Thread } from "./thread.ts";

const dot = 46;
const mask = STATX.BASIC_STATS | STATX.MNT_ID;

/**
 * Whether the entry at hand is a plain file that the target has unchanged, down to mode and owner:
 * most entries of a second run. Two calls and a comparison of words, without any object. Whatever
 * is not plainly the same is left to processEntry, which looks again.
 */
export function isPlainlyUnchanged(t: Thread, node: FolderNode): boolean {
  const { source, target } = t;
  const name = t.entryPointer;
  const flags = AT.SYMLINK_NOFOLLOW;
  if (sys.statx(node.sourceFd, name, flags, mask, source.pointer) !== 0) return false;
  if (sys.statx(node.targetFd, name, flags, mask, target.pointer) !== 0) return false;
  if (!isSamePlainFile(t)) return false;
  countUnchanged(t, node, 1, source.sizeBytes);
  return true;
}

/** What `passUnchanged` came to. */
export type Passed = {
  /** Where in the listing it stopped. */
  at: number;
  /** How many entries it passed over. */
  count: number;
  /** The entry where it stopped was looked at, and is not plainly unchanged. */
  hasLooked: boolean;
};

/**
 * Passes over plainly unchanged files of a listing of `got` bytes, at most `limit` of them, up to
 * the first entry that is something else. Names with a dot may be temporary ones and are left to
 * the caller.
 */
export function passUnchanged(
  t: Thread,
  node: FolderNode,
  passed: Passed,
  end: { readonly got: number; readonly limit: number },
): void {
  const { bytes, pointer } = t.dirents;
  const { source, target, sourceWords } = t;
  const { sourceFd, targetFd } = node;
  const { got, limit } = end;
  const flags = AT.SYMLINK_NOFOLLOW;
  let { at } = passed;
  let count = 0;
  let sizes = 0;
  passed.hasLooked = false;
  while (at < got && count < limit) {
    const start = at + DIRENT_LAYOUT.name;
    if (bytes[at + DIRENT_LAYOUT.type] !== DT.REG || bytes[start] === dot) break;
    const isSame =
      sys.statx(sourceFd, pointer + start, flags, mask, source.pointer) === 0 &&
      sys.statx(targetFd, pointer + start, flags, mask, target.pointer) === 0 &&
      isSamePlainFile(t);
    if (!isSame) {
      passed.hasLooked = true;
      break;
    }
    const high = sourceWords[STATX_WORD.size + 1] as number;
    sizes += high * 4294967296 + (sourceWords[STATX_WORD.size] as number);
    count++;
    const reclen = at + DIRENT_LAYOUT.reclen;
    at += (bytes[reclen] as number) | ((bytes[reclen + 1] as number) << 8);
  }
  passed.at = at;
  passed.count = count;
  if (count > 0) countUnchanged(t, node, count, sizes);
}

/** Whether the statuses in t.source and t.target are those of a plain file and its copy. */
export function isSamePlainFile(t: Thread): boolean {
  const a = t.sourceWords;
  const b = t.targetWords;
  const isSame =
    a[STATX_WORD.size] === b[STATX_WORD.size] &&
    a[STATX_WORD.size + 1] === b[STATX_WORD.size + 1] &&
    a[STATX_WORD.mtime] === b[STATX_WORD.mtime] &&
    a[STATX_WORD.mtime + 1] === b[STATX_WORD.mtime + 1] &&
    a[STATX_WORD.mtime + 2] === b[STATX_WORD.mtime + 2] &&
    ((a[STATX_WORD.mode] as number) & 0xffff) === ((b[STATX_WORD.mode] as number) & 0xffff) &&
    ((a[STATX_WORD.mode] as number) & S.IFMT) === S.IFREG &&
    a[STATX_WORD.nlink] === 1 &&
    b[STATX_WORD.nlink] === 1;
  return isSame && isSameOwner(t, a, b) && isOlder(a, b, t.sourceLagSec);
}

function isSameOwner(t: Thread, a: Uint32Array, b: Uint32Array): boolean {
  if (!t.options.owner) return true;
  if (a[STATX_WORD.gid] !== b[STATX_WORD.gid]) return false;
  return a[STATX_WORD.uid] === b[STATX_WORD.uid] || t.options.user.uid !== 0;
}

/** The source's status last changed before the target's: it has no new extended attributes. */
function isOlder(a: Uint32Array, b: Uint32Array, lagSec: number): boolean {
  const high = (a[STATX_WORD.ctime + 1] as number) - (b[STATX_WORD.ctime + 1] as number);
  const low = (a[STATX_WORD.ctime] as number) - (b[STATX_WORD.ctime] as number);
  const seconds = high * 4294967296 + low + lagSec;
  if (seconds !== 0) return seconds < 0;
  return (a[STATX_WORD.ctime + 2] as number) < (b[STATX_WORD.ctime + 2] as number);
}

function countUnchanged(t: Thread, node: FolderNode, files: number, sizeBytes: number): void {
  const { count } = t;
  node.matched += files;
  count[counter.seen] = (count[counter.seen] as number) + files;
  count[counter.seenBytes] = (count[counter.seenBytes] as number) + sizeBytes;
  count[counter.upToDate] = (count[counter.upToDate] as number) + files;
  count[counter.itemsDone] = (count[counter.itemsDone] as number) + files;
  count[counter.bytesDone] = (count[counter.bytesDone] as number) + sizeBytes;
  count[counter.activity] = (count[counter.activity] as number) + 1;
}

for (const each of [passUnchanged, isSamePlainFile, isOlder]) cheaplyCompiled<unknown>(each);
