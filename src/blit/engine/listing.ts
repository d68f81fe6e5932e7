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
  for (;;) {
    t.pulse?.();
    const got = sys.getdents64(fd, t.dirents.pointer, direntBytes);
    if (got <= 0) return got;
    visitListing(t, got, visit);
  }
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
