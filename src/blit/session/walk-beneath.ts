import { AT, O, S, STATX } from "../../../ffi/abi/constants.ts";
import { RESOLVE } from "../../../ffi/abi/open-how.ts";
import { StatView } from "../../../ffi/abi/stat.ts";
import { errno } from "../../../ffi/errno.ts";
import { Memory, writeCString } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import type { Base } from "./types.ts";

/**
 * What openat2(2) does with RESOLVE_BENEATH and RESOLVE_IN_ROOT, for kernels before 5.6: from
 * descriptor to descriptor, each step without following links; links are read and walked here, and
 * ".." goes back to a descriptor that was opened on the way down.
 */

/** MAXSYMLINKS of the kernel: path_resolution(7). */
const linksMax = 40;
const targetBytesMax = 4096;
/** Descriptors that are open at a time. */
const depthMax = 1000;

/** One for each thread: a name, a link's target, a status. */
let memory: Memory | undefined;

class Walk {
  readonly #memory: Memory;
  readonly #status: StatView;
  readonly #base: Base;
  /** The way down, the base not among them. */
  readonly #way: number[] = [];
  #links = 0;

  constructor(base: Base) {
    this.#base = base;
    memory ??= new Memory(3 * 4096);
    this.#memory = memory;
    this.#status = new StatView(memory.buffer, 8192, memory.pointer + 8192);
  }

  get #at(): number {
    return this.#way.at(-1) ?? this.#base.fd;
  }

  #name(name: string): number {
    writeCString(this.#memory.bytes, 0, name);
    return this.#memory.pointer;
  }

  /** Back to the base, as "/" means with RESOLVE_IN_ROOT. */
  #restart(): number {
    if ((this.#base.resolve & RESOLVE.IN_ROOT) === 0) return -errno.EXDEV;
    this.close();
    return 0;
  }

  #up(): number {
    const last = this.#way.pop();
    if (last !== undefined) return sys.close(last);
    return (this.#base.resolve & RESOLVE.IN_ROOT) === 0 ? -errno.EXDEV : 0;
  }

  /** The target of the link `name`, or -errno. */
  #readLink(name: string): string | number {
    if (++this.#links > linksMax || (this.#base.resolve & RESOLVE.NO_SYMLINKS) !== 0) {
      return -errno.ELOOP;
    }
    const to = this.#memory.pointer + 4096;
    const length = sys.readlinkat(this.#at, this.#name(name), to, targetBytesMax);
    if (length < 0) return length;
    if (length === targetBytesMax) return -errno.ENAMETOOLONG;
    return this.#memory.text.latin1Slice(4096, 4096 + length);
  }

  #isLink(name: string): boolean {
    const flags = AT.SYMLINK_NOFOLLOW;
    const pointer = this.#status.pointer;
    const result = sys.statx(this.#at, this.#name(name), flags, STATX.TYPE, pointer);
    return result === 0 && (this.#status.mode & S.IFMT) === S.IFLNK;
  }

  open(path: string, flags: number, mode: number): number {
    let rest = path.split("/");
    if (path.startsWith("/")) {
      const restarted = this.#restart();
      if (restarted < 0) return restarted;
    }
    for (;;) {
      const [step = "", ...further] = rest;
      const isLast = further.every((name) => name === "" || name === ".");
      const endsInSlash = isLast && further.length > 0;
      if (step === "" || step === "." || step === "..") {
        const moved = step === ".." ? this.#up() : 0;
        if (moved < 0) return moved;
        if (isLast) return sys.openat(this.#at, this.#name("."), flags & ~O.CREAT, 0);
        rest = further;
        continue;
      }
      const follows = !isLast || endsInSlash || (flags & (O.NOFOLLOW | O.EXCL)) === 0;
      if (follows && this.#isLink(step)) {
        const target = this.#readLink(step);
        if (typeof target === "number") return target;
        const restarted = target.startsWith("/") ? this.#restart() : 0;
        if (restarted < 0) return restarted;
        rest = [...target.split("/"), ...further];
        continue;
      }
      if (isLast) {
        const own = endsInSlash ? flags | O.DIRECTORY : flags;
        return sys.openat(this.#at, this.#name(step), own | O.NOFOLLOW, mode);
      }
      const entered = this.#enter(step);
      if (entered < 0) return entered;
      rest = further;
    }
  }

  #enter(name: string): number {
    if (this.#way.length >= depthMax) return -errno.EMFILE;
    const flags = O.PATH | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC;
    const fd = sys.openat(this.#at, this.#name(name), flags, 0);
    if (fd >= 0) this.#way.push(fd);
    return fd;
  }

  close(): void {
    for (let fd = this.#way.pop(); fd !== undefined; fd = this.#way.pop()) sys.close(fd);
  }
}

/** As openat2(2) with the base's RESOLVE flags. Returns a descriptor, or -errno. */
export function walkBeneath(base: Base, path: string, flags: number, mode: number): number {
  const walk = new Walk(base);
  try {
    return walk.open(path, flags, mode);
  } finally {
    walk.close();
  }
}
