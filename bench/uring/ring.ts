import { FFIType, type Pointer, read, toArrayBuffer } from "bun:ffi";
import { MMAP } from "../../ffi/abi/constants.ts";
import { errno, errnoName } from "../../ffi/errno.ts";
import { openLibc } from "../../ffi/library.ts";
import { Memory } from "../../ffi/mem.ts";
import { sys } from "../../ffi/sys.ts";
import {
  CQE_WORDS,
  ENTER_GETEVENTS,
  FEAT_SINGLE_MMAP,
  MAP,
  NR,
  OP,
  PARAMS,
  REGISTER,
  RSRC_SPARSE,
  SQE,
  SQE_WORDS,
} from "./abi.ts";

const i64 = "i64";
const TWO_32 = 4294967296;

const libc = openLibc({
  __errno_location: { args: [], returns: "ptr" },
  syscall: { args: [i64, i64, i64, i64, i64, i64, i64], returns: FFIType.i64_fast },
});
const errnoPointer = libc.__errno_location() as Pointer;
type Syscall = (...args: [number, number, number, number, number, number, number]) => number;
const rawSyscall = libc.syscall as unknown as Syscall;

/** A system call that the C library has no name for: its result or -errno. */
export function syscall(
  number: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
): number {
  const result = rawSyscall(number, a, b, c, d, e, f);
  return result === -1 ? -read.i32(errnoPointer, 0) : result;
}

/** How a ring is set up. */
export interface RingOptions {
  /** SETUP flags. */
  readonly flags: number;
  /** Kernel threads for what cannot be done at once; 0 leaves the kernel's default. */
  readonly workersMax: number;
}

/** Where an operation stands in a chain: "link" starts the next one when this one is done. */
type Chain = "alone" | "link" | "hardlink";
const chainFlags = { alone: 0, link: SQE.IO_LINK, hardlink: SQE.IO_HARDLINK } as const;

/**
 * One io_uring of one thread, by raw system calls. Operations are queued (`openat`, `read`, …),
 * each with a tag below the ring's size; `runAll` submits them and waits for every one,
 * `waitSome` for the first. Results are in `results[tag]`: what the call would have returned, or
 * -errno.
 */
export class Ring {
  readonly entries: number;
  /** By tag. */
  readonly results: Int32Array;
  /** Tags that the last `waitSome` found done, the first `waitSome` entries. */
  readonly done: Int32Array;
  readonly #fd: number;
  readonly #ring: Int32Array;
  readonly #sqes: Int32Array;
  /** Word indices into the ring. */
  readonly #at: { sqTail: number; cqHead: number; cqTail: number; cqes: number; overflow: number };
  readonly #sqMask: number;
  readonly #cqMask: number;
  /** Queued, not submitted. */
  #queued = 0;
  #inFlight = 0;
  #sqTail: number;
  #cqHead: number;

  /** @param entries a power of two. @throws Error where the kernel has or allows no io_uring */
  constructor(entries: number, { flags, workersMax }: RingOptions) {
    const memory = new Memory(4096);
    const params = new Int32Array(memory.buffer, 0, PARAMS.words);
    params[PARAMS.flags] = flags;
    this.#fd = must(syscall(NR.setup, entries, memory.pointer, 0, 0, 0, 0), "io_uring_setup");
    const word = (index: number): number => params[index] as number;
    if ((word(PARAMS.features) & FEAT_SINGLE_MMAP) === 0) {
      throw new Error("Cannot use io_uring: Linux is older than 5.4");
    }
    this.entries = word(PARAMS.sqEntries);
    const sqBytes = word(PARAMS.sqArray) + this.entries * 4;
    const cqBytes = word(PARAMS.cqCqes) + word(PARAMS.cqEntries) * CQE_WORDS * 4;
    this.#ring = this.#map(Math.max(sqBytes, cqBytes), MAP.SQ_RING);
    this.#sqes = this.#map(this.entries * SQE_WORDS * 4, MAP.SQES);
    this.#at = {
      sqTail: word(PARAMS.sqTail) / 4,
      cqHead: word(PARAMS.cqHead) / 4,
      cqTail: word(PARAMS.cqTail) / 4,
      cqes: word(PARAMS.cqCqes) / 4,
      overflow: word(PARAMS.cqOverflow) / 4,
    };
    this.#sqMask = this.#ring[word(PARAMS.sqMask) / 4] as number;
    this.#cqMask = this.#ring[word(PARAMS.cqMask) / 4] as number;
    this.#sqTail = this.#ring[this.#at.sqTail] as number;
    this.#cqHead = this.#ring[this.#at.cqHead] as number;
    const array = word(PARAMS.sqArray) / 4;
    for (let index = 0; index < this.entries; index++) this.#ring[array + index] = index;
    this.results = new Int32Array(this.entries);
    this.done = new Int32Array(word(PARAMS.cqEntries));
    if (workersMax > 0) this.#limitWorkers(workersMax);
  }

  #map(bytes: number, offset: number): Int32Array {
    const protection = MMAP.PROT_READ | MMAP.PROT_WRITE;
    const address = sys.mmap(0, bytes, protection, MAP.SHARED | MAP.POPULATE, this.#fd, offset);
    const whole = must(address, "mmap") as Pointer;
    return new Int32Array(toArrayBuffer(whole, 0, Math.floor(bytes / 4) * 4));
  }

  #limitWorkers(most: number): void {
    const memory = new Memory(4096);
    new Int32Array(memory.buffer, 0, 2).fill(most);
    this.#register(REGISTER.IOWQ_MAX_WORKERS, memory.pointer, 2);
  }

  #register(operation: number, pointer: number, count: number): void {
    const result = syscall(NR.register, this.#fd, operation, pointer, count, 0, 0);
    must(result, "io_uring_register");
  }

  /** Makes room for direct descriptors: slots 0 to count - 1. */
  registerFiles(count: number): void {
    const memory = new Memory(4096);
    const words = new Int32Array(memory.buffer, 0, 8);
    words[0] = count;
    words[1] = RSRC_SPARSE;
    this.#register(REGISTER.FILES2, memory.pointer, 32);
  }

  /** Pins a block of memory as buffers of one size, numbered from 0. */
  registerBuffers(block: Memory, bytesEach: number): void {
    const count = Math.floor(block.bytes.length / bytesEach);
    const memory = new Memory(16 * count);
    const vectors = new BigUint64Array(memory.buffer, 0, 2 * count);
    for (let index = 0; index < count; index++) {
      vectors[2 * index] = BigInt(block.pointer + index * bytesEach);
      vectors[2 * index + 1] = BigInt(bytesEach);
    }
    this.#register(REGISTER.BUFFERS, memory.pointer, count);
  }

  /** The next submission entry, cleared but for what every operation has; a word index. */
  #next(operation: number, fd: number, tag: number, chain: Chain): number {
    if (this.#queued === this.entries) throw new Error("the submission queue is full");
    const sqes = this.#sqes;
    const at = ((this.#sqTail + this.#queued) & this.#sqMask) * SQE_WORDS;
    this.#queued++;
    sqes[at] = operation | (chainFlags[chain] << 8);
    sqes[at + 1] = fd;
    sqes[at + 2] = 0;
    sqes[at + 3] = 0;
    sqes[at + 7] = 0;
    sqes[at + 8] = tag;
    sqes[at + 10] = 0;
    sqes[at + 11] = 0;
    return at;
  }

  #address(at: number, pointer: number, length: number): void {
    const sqes = this.#sqes;
    sqes[at + 4] = pointer;
    sqes[at + 5] = pointer / TWO_32;
    sqes[at + 6] = length;
  }

  nop(tag: number): void {
    this.#address(this.#next(OP.NOP, -1, tag, "alone"), 0, 0);
  }

  openat(folder: number, name: number, flags: number, mode: number, tag: number): void {
    const at = this.#next(OP.OPENAT, folder, tag, "alone");
    this.#address(at, name, mode);
    this.#sqes[at + 7] = flags;
  }

  /** Opens into a slot of `registerFiles`; starts the next operation when that is done. */
  openDirect(
    folder: number,
    name: number,
    flags: number,
    mode: number,
    slot: number,
    tag: number,
  ): void {
    const at = this.#next(OP.OPENAT, folder, tag, "link");
    this.#address(at, name, mode);
    this.#sqes[at + 7] = flags;
    this.#sqes[at + 11] = slot + 1;
  }

  read(fd: number, pointer: number, length: number, tag: number): void {
    this.#address(this.#next(OP.READ, fd, tag, "alone"), pointer, length);
  }

  write(fd: number, pointer: number, length: number, tag: number): void {
    this.#address(this.#next(OP.WRITE, fd, tag, "alone"), pointer, length);
  }

  /** Reads from a slot; the next operation starts whatever comes of it (a short read, say). */
  readDirect(slot: number, pointer: number, length: number, tag: number): void {
    const at = this.#next(OP.READ, slot, tag, "hardlink");
    this.#address(at, pointer, length);
    this.#sqes[at] = (this.#sqes[at] as number) | (SQE.FIXED_FILE << 8);
  }

  /** Writes to a slot; the next operation starts whatever comes of it. */
  writeDirect(slot: number, pointer: number, length: number, tag: number): void {
    const at = this.#next(OP.WRITE, slot, tag, "hardlink");
    this.#address(at, pointer, length);
    this.#sqes[at] = (this.#sqes[at] as number) | (SQE.FIXED_FILE << 8);
  }

  closeDirect(slot: number, tag: number): void {
    const at = this.#next(OP.CLOSE, 0, tag, "alone");
    this.#address(at, 0, 0);
    this.#sqes[at + 11] = slot + 1;
  }

  /** Reads into, or writes from, a registered buffer at an offset of the file. */
  transferFixed(
    operation: typeof OP.READ_FIXED | typeof OP.WRITE_FIXED,
    fd: number,
    pointer: number,
    length: number,
    offset: number,
    tag: number,
  ): void {
    const at = this.#next(operation, fd, tag, "alone");
    this.#address(at, pointer, length);
    this.#sqes[at + 2] = offset;
    this.#sqes[at + 3] = offset / TWO_32;
    this.#sqes[at + 10] = tag;
  }

  statx(
    folder: number,
    name: number,
    flags: number,
    mask: number,
    view: number,
    tag: number,
  ): void {
    const at = this.#next(OP.STATX, folder, tag, "alone");
    this.#address(at, name, mask);
    this.#sqes[at + 2] = view;
    this.#sqes[at + 3] = view / TWO_32;
    this.#sqes[at + 7] = flags;
  }

  close(fd: number, tag: number): void {
    this.#address(this.#next(OP.CLOSE, fd, tag, "alone"), 0, 0);
  }

  /** Submits what is queued and waits until nothing is in flight. */
  runAll(): void {
    while (this.#queued + this.#inFlight > 0) {
      this.#enter(this.#inFlight + this.#queued);
      this.#reap();
    }
  }

  /** Submits what is queued and waits for at least one completion; how many: `done` has them. */
  waitSome(): number {
    for (;;) {
      if (this.#queued + this.#inFlight === 0) return 0;
      this.#enter(1);
      const found = this.#reap();
      if (found > 0) return found;
    }
  }

  #enter(wait: number): void {
    const queued = this.#queued;
    Atomics.store(this.#ring, this.#at.sqTail, (this.#sqTail + queued) | 0);
    const submitted = syscall(NR.enter, this.#fd, queued, wait, ENTER_GETEVENTS, 0, 0);
    if (submitted === -errno.EINTR) return;
    must(submitted, "io_uring_enter");
    this.#sqTail = (this.#sqTail + submitted) | 0;
    this.#queued -= submitted;
    this.#inFlight += submitted;
  }

  #reap(): number {
    const ring = this.#ring;
    const tail = Atomics.load(ring, this.#at.cqTail);
    let head = this.#cqHead;
    let count = 0;
    while (head !== tail) {
      const at = this.#at.cqes + (head & this.#cqMask) * CQE_WORDS;
      const tag = ring[at] as number;
      this.results[tag] = ring[at + 2] as number;
      this.done[count++] = tag;
      head = (head + 1) | 0;
    }
    this.#cqHead = head;
    Atomics.store(ring, this.#at.cqHead, head);
    this.#inFlight -= count;
    if ((ring[this.#at.overflow] as number) !== 0) throw new Error("completions were lost");
    return count;
  }

  [Symbol.dispose](): void {
    sys.close(this.#fd);
  }
}

/** Passes a result on. @throws Error naming the call and the reason */
export function must(result: number, call: string): number {
  if (result >= 0) return result;
  throw new Error(`Cannot measure: ${call} failed: ${errnoName(-result)}`);
}
