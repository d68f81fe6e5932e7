import { IOCTL, SEEK } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { blockBytes, chunkBytes } from "./limits.ts";
import { counter } from "./shared-state.ts";
import type { Thread } from "./thread.ts";

/** A copy that went wrong says which call failed; `result` is -errno. */
export type ContentResult = { readonly result: number; readonly call: string };

const success: ContentResult = { result: 0, call: "" };

/** Fewer bytes arrived than the file has: it was cut while it was read. */
export const cutShort: ContentResult = { result: 0, call: "cut" };

/**
 * Writes all of a buffer, whatever the kernel takes at a time.
 * Returns 0 or -errno; a write of nothing counts as EIO, so that no loop runs for ever.
 */
export function writeFully(fd: number, pointer: number, length: number): number {
  let done = 0;
  while (done < length) {
    const written = sys.write(fd, pointer + done, length - done);
    if (written < 0) return written;
    if (written === 0) return -errno.EIO;
    done += written;
  }
  return 0;
}

/** As `writeFully`, at an offset. */
export function pwriteFully(fd: number, pointer: number, length: number, offset: number): number {
  let done = 0;
  while (done < length) {
    const written = sys.pwrite(fd, pointer + done, length - done, offset + done);
    if (written < 0) return written;
    if (written === 0) return -errno.EIO;
    done += written;
  }
  return 0;
}

/** Reads until `length` bytes are there or the file ends. Returns the number, or -errno. */
export function preadFully(fd: number, pointer: number, length: number, offset: number): number {
  let done = 0;
  while (done < length) {
    const got = sys.pread(fd, pointer + done, length - done, offset + done);
    if (got < 0) return got;
    if (got === 0) break;
    done += got;
  }
  return done;
}

/** Which kernel paths work between the two file systems at hand; learned as the run goes. */
export class ContentPaths {
  reflink = true;
  copyRange = true;
}

/**
 * Shares the source's extents with the target, FICLONE of ioctl_ficlone(2).
 * Returns whether it worked; where it never can, it is not tried again by this thread.
 */
export function tryReflink(paths: ContentPaths, source: number, target: number): boolean {
  if (!paths.reflink) return false;
  const result = sys.ioctl(target, IOCTL.FICLONE, source);
  if (result === 0) return true;
  if (result === -errno.EOPNOTSUPP || result === -errno.ENOTTY || result === -errno.EXDEV) {
    paths.reflink = false;
  }
  return false;
}

/** Whether sharing a small file's bytes with its copy costs less than to write them again. */
export function clonesSmallFiles(t: Thread): boolean {
  return t.options.clonesSmallFiles && t.paths.reflink;
}

/**
 * Copies `from` to `to` (bytes) of a file by read and write over the thread's buffer.
 * Ends early, with ECANCELED, where the run is cancelled.
 */
export function copyBuffered(
  t: Thread,
  fds: { readonly source: number; readonly target: number },
  from: number,
  to: number,
): ContentResult {
  const pointer = t.copy.pointer;
  let offset = from;
  while (offset < to) {
    if (t.cancelled) return { result: -errno.ECANCELED, call: "read" };
    const want = Math.min(blockBytes, to - offset);
    const got = preadFully(fds.source, pointer, want, offset);
    if (got < 0) return { result: got, call: "pread" };
    if (got > 0) {
      const result = pwriteFully(fds.target, pointer, got, offset);
      if (result < 0) return { result, call: "pwrite" };
      t.add(counter.bytesDone, got);
      offset += got;
    }
    if (got < want) return cutShort;
  }
  return success;
}

/**
 * The same by copy_file_range(2), which leaves the bytes in the kernel. Zero bytes before the end
 * can mean a file that was cut, or a file system that cannot do it and does not say so: read and
 * write decide.
 */
export function copyByRange(
  t: Thread,
  fds: { readonly source: number; readonly target: number },
  from: number,
  to: number,
): ContentResult {
  const at = t.rangeOffsets;
  let offset = from;
  while (offset < to) {
    if (t.cancelled) return { result: -errno.ECANCELED, call: "copy_file_range" };
    at.values[0] = BigInt(offset);
    at.values[1] = BigInt(offset);
    const want = Math.min(chunkBytes, to - offset);
    const pointer = at.pointer;
    const done = sys.copy_file_range(fds.source, pointer, fds.target, pointer + 8, want, 0);
    if (done < 0) return { result: done, call: "copy_file_range" };
    if (done === 0) return copyBuffered(t, fds, offset, to);
    t.add(counter.bytesDone, done);
    offset += done;
  }
  return success;
}

/** Whether an error of copy_file_range means "try another way" (copy_file_range(2), ERRORS). */
function isRangeRefused(result: number): boolean {
  return (
    result === -errno.EXDEV ||
    result === -errno.EINVAL ||
    result === -errno.EOPNOTSUPP ||
    result === -errno.ENOSYS
  );
}

/** Copies a part of a file in the kernel where that works, else over the buffer. */
export function copyDense(
  t: Thread,
  fds: { readonly source: number; readonly target: number },
  from: number,
  to: number,
): ContentResult {
  if (t.paths.copyRange && to - from >= blockBytes) {
    const outcome = copyByRange(t, fds, from, to);
    if (!isRangeRefused(outcome.result)) {
      if (outcome.result === 0) t.add(counter.byCopyRange, 1);
      return outcome;
    }
    t.paths.copyRange = false;
  }
  const outcome = copyBuffered(t, fds, from, to);
  if (outcome.result === 0) t.add(counter.byBuffered, 1);
  return outcome;
}

/** Copies a part of a file in the way that this run prefers. */
export function copyPreferred(
  t: Thread,
  fds: { readonly source: number; readonly target: number },
  from: number,
  to: number,
): ContentResult {
  if (t.prefersRange) return copyDense(t, fds, from, to);
  const outcome = copyBuffered(t, fds, from, to);
  if (outcome.result === 0) t.add(counter.byBuffered, 1);
  return outcome;
}

/**
 * Copies only what is data, by SEEK_DATA and SEEK_HOLE (lseek(2)), and sets the size at the end.
 * A file system without them answers as if all were data.
 */
export function copySparse(
  t: Thread,
  fds: { readonly source: number; readonly target: number },
  sizeBytes: number,
): ContentResult {
  const sized = sys.ftruncate(fds.target, sizeBytes);
  if (sized < 0) return { result: sized, call: "ftruncate" };
  const outcome = copyDataOf(t, fds, 0, sizeBytes);
  if (outcome === success) t.add(counter.bySparse, 1);
  return outcome;
}

/** Copies what is data between `from` and `to` (bytes) of a file whose target has its size. */
export function copyDataOf(
  t: Thread,
  fds: { readonly source: number; readonly target: number },
  from: number,
  to: number,
): ContentResult {
  let offset = from;
  while (offset < to) {
    const data = sys.lseek(fds.source, offset, SEEK.DATA);
    if (data === -errno.ENXIO) break; // Only a hole is left.
    if (data < 0) {
      if (data !== -errno.EINVAL) return { result: data, call: "lseek" };
      return copyPreferred(t, fds, offset, to);
    }
    if (data >= to) break;
    const hole = sys.lseek(fds.source, data, SEEK.HOLE);
    if (hole < 0) return { result: hole, call: "lseek" };
    const end = Math.min(hole, to);
    if (data >= end) break;
    const outcome = copyPreferred(t, fds, data, end);
    if (outcome.result < 0 || outcome === cutShort) return outcome;
    offset = end;
  }
  return success;
}

/**
 * Compares two open files of equal size byte by byte.
 * Returns 1 for equal, 0 for different, or -errno with the call.
 */
export function compareContent(
  t: Thread,
  fds: { readonly source: number; readonly target: number },
  sizeBytes: number,
): ContentResult & { readonly isEqual: boolean } {
  const half = compareBlockBytes;
  const left = t.copy.pointer;
  const right = left + half;
  let offset = 0;
  while (offset < sizeBytes) {
    if (t.cancelled) return { result: -errno.ECANCELED, call: "pread", isEqual: false };
    const want = Math.min(half, sizeBytes - offset);
    const a = preadFully(fds.source, left, want, offset);
    if (a < 0) return { result: a, call: "pread", isEqual: false };
    const b = preadFully(fds.target, right, want, offset);
    if (b < 0) return { result: b, call: "pread", isEqual: false };
    if (a !== want || b !== want || sys.memcmp(left, right, want) !== 0) {
      return { ...success, isEqual: false };
    }
    t.add(counter.bytesCompared, want);
    offset += want;
  }
  return { ...success, isEqual: true };
}

/** Two of these stay in a second-level cache of 512 KiB between read and comparison. */
const compareBlockBytes = blockBytes / 2;
