import { type Pointer, ptr } from "bun:ffi";
import { AT, IOCTL, O, RENAME } from "../../../ffi/abi/constants.ts";
import { OPEN_HOW_LAYOUT, SYS_OPENAT2 } from "../../../ffi/abi/open-how.ts";
import { errno } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";

/**
 * Changes to the file system by folder descriptor and path text: what node:fs has no names for
 * (relative to an open folder, without replacing, clones), and what fault injection must reach.
 * Every function returns the call's result, or minus the error number; a path is relative to the
 * descriptor beside it, in UTF-8, and may have several parts.
 */

/** The process's working folder, in the place of a descriptor; of no effect on absolute paths. */
export const HERE = AT.FDCWD;

const pathBytesMax = 4096;

let memory: { readonly block: Memory; readonly text: Buffer } | undefined;

/** Puts a path into one of two places that the kernel can read; its address, or -errno. */
function place(path: string, slot: 0 | 1): number {
  if (memory === undefined) {
    const block = new Memory(2 * pathBytesMax);
    memory = { block, text: Buffer.from(block.buffer) };
  }
  // UTF-16 to UTF-8 grows at most threefold; the exact length is only asked for where it matters.
  const isLong = path.length * 3 >= pathBytesMax;
  if (isLong && Buffer.byteLength(path) >= pathBytesMax) return -errno.ENAMETOOLONG;
  // The kernel would stop at it and act on another path.
  if (path.includes("\0")) return -errno.EINVAL;
  const start = slot * pathBytesMax;
  const length = memory.text.write(path, start, "utf8");
  memory.block.bytes[start + length] = 0;
  return memory.block.pointer + start;
}

/** openat(2) with O_CLOEXEC; `mode` counts where O.CREAT is among the flags. */
export function openAt(folder: number, path: string, flags: number, mode = 0): number {
  const address = place(path, 0);
  return address < 0 ? address : sys.openat(folder, address, flags | O.CLOEXEC, mode);
}

/** How often a path is tried again whose folders were moved while it was resolved (EAGAIN). */
const racesMax = 100;

/** How a path is opened by {@link openWithin}. */
export interface OpenWithinOptions {
  /** Flags of open(2); O_CLOEXEC is added. */
  readonly flags: number;
  readonly mode?: number;
  /** What is forbidden on the way: RESOLVE of ffi/abi/open-how.ts. */
  readonly resolve: number;
}

/** openat2(2), Linux 5.6: as {@link openAt}, and never out of the folder, whatever lies in it. */
export function openWithin(folder: number, path: string, options: OpenWithinOptions): number {
  const address = place(path, 0);
  if (address < 0) return address;
  how ??= new Memory(OPEN_HOW_LAYOUT.size);
  const values = new BigUint64Array(how.buffer, 0, OPEN_HOW_LAYOUT.size / 8);
  values[0] = BigInt((options.flags | O.CLOEXEC) >>> 0);
  // The kernel refuses a mode that nothing is made with.
  values[1] = BigInt((options.flags & O.CREAT) === 0 ? 0 : (options.mode ?? 0o666));
  values[2] = BigInt(options.resolve);
  let result: number = -errno.EAGAIN;
  for (let i = 0; i < racesMax && result === -errno.EAGAIN; i++) {
    const { size } = OPEN_HOW_LAYOUT;
    result = sys.syscall(SYS_OPENAT2, folder, address, how.pointer, size, 0, 0);
  }
  return result;
}

let how: Memory | undefined;

/** Opens a folder to name things in it; a symbolic link as last part is followed. */
export function openFolderAt(folder: number, path: string): number {
  return openAt(folder, path, O.RDONLY | O.DIRECTORY);
}

/** mkdirat(2). */
export function makeFolderAt(folder: number, path: string, mode = 0o777): number {
  const address = place(path, 0);
  return address < 0 ? address : sys.mkdirat(folder, address, mode);
}

/** Makes a folder and those above it that are missing; one that is there already is fine. */
export function makeFoldersAt(folder: number, path: string): number {
  const made = makeFolderAt(folder, path);
  if (made === -errno.EEXIST) return 0;
  if (made !== -errno.ENOENT) return made;
  const slash = path.lastIndexOf("/");
  if (slash <= 0) return made;
  const above = makeFoldersAt(folder, path.slice(0, slash));
  if (above < 0) return above;
  const again = makeFolderAt(folder, path);
  return again === -errno.EEXIST ? 0 : again;
}

/** linkat(2): another name for the same file; a symbolic link is linked itself. */
export function linkAt(from: number, fromPath: string, to: number, toPath: string): number {
  const source = place(fromPath, 0);
  if (source < 0) return source;
  const target = toPath === fromPath ? source : place(toPath, 1);
  return target < 0 ? target : sys.linkat(from, source, to, target, 0);
}

/** symlinkat(2): makes `path` a link to the text `target`; -EEXIST where the name is taken. */
export function makeLinkAt(target: string, folder: number, path: string): number {
  const text = place(target, 0);
  if (text < 0) return text;
  const address = place(path, 1);
  return address < 0 ? address : sys.symlinkat(text, folder, address);
}

/** The target of a symbolic link as text, or -errno; -EINVAL where the path is none. */
export function readLinkAt(folder: number, path: string): string | number {
  const address = place(path, 0);
  if (address < 0) return address;
  linkBuffer ??= new Memory(pathBytesMax);
  const length = sys.readlinkat(folder, address, linkBuffer.pointer, pathBytesMax);
  if (length < 0) return length;
  if (length === pathBytesMax) return -errno.ENAMETOOLONG;
  return Buffer.from(linkBuffer.buffer, 0, length).toString("utf8");
}

let linkBuffer: Memory | undefined;

/** renameat2(2) that replaces what has the name already. */
export function replaceAt(from: number, fromPath: string, to: number, toPath: string): number {
  const source = place(fromPath, 0);
  if (source < 0) return source;
  const target = place(toPath, 1);
  return target < 0 ? target : sys.renameat2(from, source, to, target, 0);
}

/**
 * renameat2(2), never over something that exists: -EEXIST then. Where the file system does not know
 * the flag, the target is looked for before, which is as good for a single writer.
 */
export function renameAt(from: number, fromPath: string, to: number, toPath: string): number {
  const source = place(fromPath, 0);
  if (source < 0) return source;
  const target = place(toPath, 1);
  if (target < 0) return target;
  const result = sys.renameat2(from, source, to, target, RENAME.NOREPLACE);
  if (result !== -errno.EINVAL && result !== -errno.ENOSYS) return result;
  if (isThere(to, toPath)) return -errno.EEXIST;
  return sys.renameat2(from, place(fromPath, 0), to, place(toPath, 1), 0);
}

/** renameat2(2) that gives each of two things the name of the other, in one step. */
export function exchangeAt(from: number, fromPath: string, to: number, toPath: string): number {
  const source = place(fromPath, 0);
  if (source < 0) return source;
  const target = place(toPath, 1);
  return target < 0 ? target : sys.renameat2(from, source, to, target, RENAME.EXCHANGE);
}

/** Whether the path names anything at all; a dangling link counts. */
export function isThere(folder: number, path: string): boolean {
  const fd = openAt(folder, path, O.PATH | O.NOFOLLOW);
  if (fd >= 0) sys.close(fd);
  return fd >= 0 || (fd !== -errno.ENOENT && fd !== -errno.ENOTDIR);
}

/** unlinkat(2) of a file or link. */
export function removeFileAt(folder: number, path: string): number {
  const address = place(path, 0);
  return address < 0 ? address : sys.unlinkat(folder, address, 0);
}

/** unlinkat(2) of an empty folder. */
export function removeFolderAt(folder: number, path: string): number {
  const address = place(path, 0);
  return address < 0 ? address : sys.unlinkat(folder, address, AT.REMOVEDIR);
}

/** Writes all bytes; a write that came short goes on. */
export function writeAllTo(fd: number, bytes: Uint8Array): number {
  let done = 0;
  while (done < bytes.length) {
    const written = sys.write(fd, addressOf(bytes) + done, bytes.length - done);
    if (written < 0) return written;
    if (written === 0) return -errno.EIO;
    done += written;
  }
  return 0;
}

/** What becomes of a file's bytes on the way to the disk. */
export interface NewFileOptions {
  /** Permission bits before the umask. Default 0o666. */
  readonly mode?: number;
  /** Waits until the content is on the disk. */
  readonly sync?: boolean;
}

/** Makes a new file with this content; -EEXIST where the name is taken. */
export function writeNewFileAt(
  folder: number,
  path: string,
  content: string | Uint8Array,
  options: NewFileOptions = {},
): number {
  const fd = openAt(folder, path, O.WRONLY | O.CREAT | O.EXCL, options.mode ?? 0o666);
  if (fd < 0) return fd;
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  let result = writeAllTo(fd, bytes);
  if (result >= 0 && options.sync === true) result = sys.fsync(fd);
  const closed = sys.close(fd);
  return result < 0 ? result : closed;
}

/** Makes a new file that shares the blocks of another one (ioctl_ficlone(2)). */
export function cloneAt(
  from: number,
  fromPath: string,
  to: number,
  toPath: string,
  mode: number,
): number {
  return duplicate(from, fromPath, to, toPath, mode, (source, target) =>
    sys.ioctl(target, IOCTL.FICLONE, source),
  );
}

/** Makes a new file with a copy of another one's bytes. */
export function copyAt(
  from: number,
  fromPath: string,
  to: number,
  toPath: string,
  mode: number,
): number {
  return duplicate(from, fromPath, to, toPath, mode, copyBytes);
}

function duplicate(
  from: number,
  fromPath: string,
  to: number,
  toPath: string,
  mode: number,
  fill: (source: number, target: number) => number,
): number {
  const source = openAt(from, fromPath, O.RDONLY);
  if (source < 0) return source;
  const target = openAt(to, toPath, O.WRONLY | O.CREAT | O.EXCL, mode);
  if (target < 0) {
    sys.close(source);
    return target;
  }
  const result = fill(source, target);
  sys.close(source);
  const closed = sys.close(target);
  if (result >= 0 && closed >= 0) return 0;
  removeFileAt(to, toPath);
  return result < 0 ? result : closed;
}

const chunkBytes = 1 << 20;

function copyBytes(source: number, target: number): number {
  let isKernelAble = true;
  for (let moved = 0; ; ) {
    if (isKernelAble) {
      const got = sys.copy_file_range(source, 0, target, 0, chunkBytes * 64, 0);
      moved += Math.max(got, 0);
      if (got > 0 || (got === 0 && moved > 0)) {
        if (got === 0) return 0;
        continue;
      }
      // Nothing at all may be an empty file, or a file system that cannot do it and says 0.
      isKernelAble = false;
    }
    copyBuffer ??= new Memory(chunkBytes);
    const buffer = copyBuffer;
    const got = sys.read(source, buffer.pointer, chunkBytes);
    if (got <= 0) return got;
    const written = writeAllTo(target, buffer.bytes.subarray(0, got));
    if (written < 0) return written;
  }
}

let copyBuffer: Memory | undefined;

function addressOf(bytes: Uint8Array): number {
  return ptr(bytes) satisfies Pointer;
}
