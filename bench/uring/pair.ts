import { AT, DT, O, STATX } from "../../ffi/abi/constants.ts";
import { DIRENT_LAYOUT } from "../../ffi/abi/dirent.ts";
import { STATX_LAYOUT, StatView } from "../../ffi/abi/stat.ts";
import { Memory, writeCString } from "../../ffi/mem.ts";
import { sys } from "../../ffi/sys.ts";
import { must } from "./ring.ts";

export const sourceFlags = O.RDONLY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;
export const targetFlags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;
export const statMask = STATX.BASIC_STATS | STATX.MNT_ID;
const folderFlags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;

/** Files in flight at most. */
export const depthMax = 128;
/** Room for one small file; a full one is not small. */
export const slotBytes = 8192;
const direntBytes = 64 * 1024;
const scratchBytes = 64 * 1024;
const xattrAt = 48 * 1024;
const timesAt = 40 * 1024;

/**
 * A thread's memory and the pair of folders at hand: names of the source lie where getdents64 put
 * them, as in the engine.
 */
export class Pair {
  sourceFd = -1;
  targetFd = -1;
  /** Plain files of the folder, and the address of each one's name. */
  count = 0;
  readonly names = new Float64Array(8192);
  readonly empty: number;
  readonly xattrs: number;
  readonly xattrBytes = scratchBytes - xattrAt;
  readonly data = new Memory(depthMax * slotBytes);
  readonly views: readonly StatView[];
  readonly #dirents = new Memory(direntBytes);
  readonly #scratch = new Memory(scratchBytes);
  readonly #times: Int32Array;
  readonly #timesPointer: number;
  readonly #folder: StatView;

  constructor() {
    const { size } = STATX_LAYOUT;
    const stats = new Memory(depthMax * size);
    const view = (memory: Memory, offset: number): StatView =>
      new StatView(memory.buffer, offset, memory.pointer + offset);
    this.views = Array.from({ length: depthMax }, (_, index) => view(stats, index * size));
    const { pointer, buffer } = this.#scratch;
    this.empty = pointer + scratchBytes - 8;
    this.xattrs = pointer + xattrAt;
    this.#times = new Int32Array(buffer, timesAt, 8);
    this.#timesPointer = pointer + timesAt;
    this.#folder = view(this.#scratch, timesAt + 1024);
  }

  /** Opens a folder of the source and lists it; with a target, makes and opens that too. */
  open(source: string, target: string | undefined): void {
    const { pointer, bytes } = this.#scratch;
    writeCString(bytes, 0, source);
    this.sourceFd = must(sys.openat(AT.FDCWD, pointer, folderFlags, 0), "openat");
    this.count = 0;
    for (let used = 0; ; ) {
      const start = this.#dirents.pointer + used;
      const got = must(sys.getdents64(this.sourceFd, start, direntBytes - used), "getdents64");
      if (got === 0) break;
      this.#collect(used, used + got);
      used += got;
    }
    if (target === undefined) return;
    writeCString(bytes, 0, target);
    must(sys.mkdirat(AT.FDCWD, pointer, 0o755), "mkdirat");
    this.targetFd = must(sys.openat(AT.FDCWD, pointer, folderFlags, 0), "openat");
  }

  #collect(from: number, to: number): void {
    const { bytes, pointer } = this.#dirents;
    const { reclen, type, name } = DIRENT_LAYOUT;
    for (let at = from; at < to; ) {
      if (bytes[at + type] === DT.REG) this.names[this.count++] = pointer + at + name;
      at += (bytes[at + reclen] as number) | ((bytes[at + reclen + 1] as number) << 8);
    }
  }

  /** Gives the target folder its times and closes both. */
  close(): void {
    if (this.targetFd >= 0) {
      this.statFd(this.sourceFd, this.#folder);
      must(sys.futimens(this.targetFd, this.times(this.#folder)), "futimens");
      sys.close(this.targetFd);
    }
    sys.close(this.sourceFd);
    this.targetFd = -1;
  }

  statFd(fd: number, view: StatView): void {
    must(sys.statx(fd, this.empty, AT.EMPTY_PATH, statMask, view.pointer), "statx");
  }

  /** The two timespecs of a status, where futimens finds them. */
  times(view: StatView): number {
    const times = this.#times;
    times[0] = view.atimeSec;
    times[1] = Math.floor(view.atimeSec / 4294967296);
    times[2] = view.atimeNsec;
    times[4] = view.mtimeSec;
    times[5] = Math.floor(view.mtimeSec / 4294967296);
    times[6] = view.mtimeNsec;
    return this.#timesPointer;
  }
}
