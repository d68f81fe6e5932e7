import { AT, O } from "../../../ffi/abi/constants.ts";
import { OPEN_HOW_LAYOUT, RESOLVE, SYS_OPENAT2 } from "../../../ffi/abi/open-how.ts";
import { errno } from "../../../ffi/errno.ts";
import { Memory, writeCString } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import type { Base } from "./types.ts";
import { walkBeneath } from "./walk-beneath.ts";

/**
 * Opens paths that others have named: below a folder, and never outside of it, whatever symbolic
 * links lie there and whoever moves things meanwhile. The kernel watches over that, by openat2(2);
 * an old kernel is helped by a walk from descriptor to descriptor.
 */

/** PATH_MAX of linux/limits.h, with the NUL: what the kernel takes at a time. */
const pathBytesMax = 4096;

/** How often a path is tried again whose folders were moved while it was resolved (EAGAIN). */
const racesMax = 100;

type Scratch = { readonly path: Memory; readonly how: Memory; readonly values: BigUint64Array };
let scratch: Scratch | undefined;
let hasOpenat2 = true;

/** One per thread. */
function scratchMemory(): Scratch {
  if (scratch !== undefined) return scratch;
  const how = new Memory(4096);
  const values = new BigUint64Array(how.buffer, 0, OPEN_HOW_LAYOUT.size / 8);
  scratch = { path: new Memory(2 * pathBytesMax), how, values };
  return scratch;
}

/**
 * Opens `path` (latin1, "" is the folder itself) below a base with the flags of open(2); O_CLOEXEC
 * is added. Symbolic links are followed as long as they stay inside.
 * Returns a descriptor, or -errno: -EXDEV for a path that leads out, -ELOOP for a link where the
 * base or `flags` follow none, -ENAMETOOLONG above 4095 bytes (folders: `openFolderPath`).
 */
export function openBeneath(base: Base, path: string, flags: number, mode = 0): number {
  if (path.length >= pathBytesMax) return -errno.ENAMETOOLONG;
  if (path.includes("\0")) return -errno.EINVAL;
  const { path: memory, how, values } = scratchMemory();
  const text = path === "" ? "." : path;
  writeCString(memory.bytes, 0, text);
  const all = flags | O.CLOEXEC;
  if (base.resolve === 0) return sys.openat(base.fd, memory.pointer, all, mode);
  if (!hasOpenat2) return walkBeneath(base, text, all, mode);
  // The kernel refuses a mode that nothing is made with.
  values[0] = BigInt(all >>> 0);
  values[1] = BigInt((flags & O.CREAT) === 0 ? 0 : mode);
  values[2] = BigInt(base.resolve | RESOLVE.NO_MAGICLINKS);
  let result: number = -errno.EAGAIN;
  for (let i = 0; i < racesMax && result === -errno.EAGAIN; i++) {
    const { size } = OPEN_HOW_LAYOUT;
    result = sys.syscall(SYS_OPENAT2, base.fd, memory.pointer, how.pointer, size, 0, 0);
  }
  if (result !== -errno.ENOSYS) return result;
  hasOpenat2 = false;
  return walkBeneath(base, text, all, mode);
}

export type FolderPathOptions = {
  /** Folders that are missing are made, with these permissions less the umask; else -ENOENT. */
  readonly make?: number | undefined;
  /** Symbolic links within the base are followed; true where nothing is said. */
  readonly follow?: boolean | undefined;
  /** Flags of the folder's own descriptor; O_RDONLY where nothing is said. */
  readonly flags?: number | undefined;
};

/**
 * Opens a folder below a base by a path of any length, "" is the base itself.
 * Returns a descriptor of its own, or -errno as `openBeneath` does; -ENOTDIR where something else
 * than a folder is on the way.
 */
export function openFolderPath(base: Base, path: string, options: FolderPathOptions): number {
  const flags = (options.flags ?? O.RDONLY | O.NONBLOCK) | O.DIRECTORY;
  const resolve = options.follow === false ? base.resolve | RESOLVE.NO_SYMLINKS : base.resolve;
  const from: Base = { fd: base.fd, resolve };
  if (path.length < pathBytesMax) {
    const fd = openBeneath(from, path, flags);
    if (fd !== -errno.ENOENT || options.make === undefined) return fd;
  }
  return openInSteps(from, path, flags, options.make);
}

/** Folder by folder: what is missing is made, and no piece is too long for the kernel. */
function openInSteps(base: Base, path: string, flags: number, make: number | undefined): number {
  const start = path.startsWith("/") ? "/" : "";
  const steps = path.split("/").filter((step) => step !== "" && step !== ".");
  const passing = O.PATH | O.DIRECTORY;
  let at = openBeneath(base, start, steps.length === 0 ? flags : passing);
  let done = start;
  for (const [index, step] of steps.entries()) {
    if (at < 0) return at;
    const wanted = index === steps.length - 1 ? flags : passing;
    done = done === start ? start + step : `${done}/${step}`;
    let next = openStep(base, { at, step, done }, wanted);
    if (next === -errno.ENOENT && make !== undefined) {
      const made = makeFolder(at, step, make);
      next = made < 0 ? made : openStep(base, { at, step, done }, wanted);
    }
    sys.close(at);
    at = next;
  }
  return at;
}

type Step = { readonly at: number; readonly step: string; readonly done: string };

/** One step on. What leads upwards from there, a link for example, is resolved from the base. */
function openStep(base: Base, { at, step, done }: Step, flags: number): number {
  if (base.resolve === 0) return openBeneath({ fd: at, resolve: 0 }, step, flags);
  const resolve = (base.resolve & ~RESOLVE.IN_ROOT) | RESOLVE.BENEATH;
  const fd = openBeneath({ fd: at, resolve }, step, flags);
  return fd === -errno.EXDEV ? openBeneath(base, done, flags) : fd;
}

/** Returns 0 also where something of the name is there already. */
function makeFolder(at: number, name: string, mode: number): number {
  if (name.length >= pathBytesMax) return -errno.ENAMETOOLONG;
  const { path } = scratchMemory();
  writeCString(path.bytes, 0, name);
  const made = sys.mkdirat(at, path.pointer, mode);
  return made === -errno.EEXIST ? 0 : made;
}

/** The base of a user's own paths: from the current folder, and without bounds. */
export const freeBase: Base = { fd: AT.FDCWD, resolve: 0 };
