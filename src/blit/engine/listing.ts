import { O } from "../../../ffi/abi/constants.ts";
import { DIRENT_LAYOUT } from "../../../ffi/abi/dirent.ts";
import { sys } from "../../../ffi/sys.ts";
import { direntBytes, type Thread } from "./thread.ts";

/** Reading folders by getdents64(2): names stay bytes, in the thread's listing memory. */

/** For folders below the roots: never through a symbolic link. */
export const folderFlags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;

const { reclen, type, name } = DIRENT_LAYOUT;

/**
 * Calls `visit` with the offset (in t.dirents) and length of every name but "." and "..".
 * Rewinds the descriptor first, unless it is `fresh`. Returns 0 or -errno.
 */
export function forEachName(
  t: Thread,
  fd: number,
  visit: (offset: number, length: number, type: number) => void,
  fresh = false,
): number {
  const rewound = fresh ? 0 : sys.lseek(fd, 0, 0);
  if (rewound < 0) return rewound;
  return forEachListing(t, fd, (got) => visitListing(t, got, visit));
}

/** Calls `visit` for each answer of getdents64, which lies in t.dirents. Returns 0 or -errno. */
export function forEachListing(t: Thread, fd: number, visit: (got: number) => void): number {
  for (;;) {
    t.pulse?.();
    const got = sys.getdents64(fd, t.dirents.pointer, direntBytes);
    if (got <= 0) return got;
    visit(got);
  }
}

/** Calls `visit` for the entry at `at`, unless it is "." or ".."; returns where the next one is. */
export function visitOne(
  t: Pick<Thread, "dirents">,
  at: number,
  visit: (offset: number, length: number, type: number) => void,
): number {
  const { bytes } = t.dirents;
  const start = at + name;
  let length = 0;
  while (bytes[start + length] !== 0) length++;
  const isDot = bytes[start] === 46 && (length === 1 || (length === 2 && bytes[start + 1] === 46));
  if (!isDot) visit(start, length, bytes[at + type] as number);
  return at + ((bytes[at + reclen] as number) | ((bytes[at + reclen + 1] as number) << 8));
}

/** Counts the names of a listing of `got` bytes; `visit` gets those that begin with a dot. */
export function countNames(
  t: Pick<Thread, "dirents">,
  got: number,
  visit: (offset: number, length: number, type: number) => void,
): number {
  const { bytes } = t.dirents;
  let count = 0;
  for (let at = 0; at < got; ) {
    if (bytes[at + name] === 46) at = visitOne(t, at, visit);
    else {
      count++;
      at += (bytes[at + reclen] as number) | ((bytes[at + reclen + 1] as number) << 8);
    }
  }
  return count;
}

/** Calls `visit` for every name of one getdents64 answer of `got` bytes. */
export function visitListing(
  t: Pick<Thread, "dirents">,
  got: number,
  visit: (offset: number, length: number, type: number) => void,
): void {
  const bytes = t.dirents.bytes;
  let position = 0;
  while (position < got) {
    const recordLength =
      (bytes[position + reclen] as number) | ((bytes[position + reclen + 1] as number) << 8);
    const start = position + name;
    // The name ends at the first NUL; records are padded to eight bytes, so it is near the end.
    let end = position + recordLength - 8;
    if (end < start) end = start;
    while (bytes[end] !== 0) end++;
    const length = end - start;
    const isDot =
      bytes[start] === 46 && (length === 1 || (length === 2 && bytes[start + 1] === 46));
    if (!isDot) visit(start, length, bytes[position + type] as number);
    position += recordLength;
  }
}
