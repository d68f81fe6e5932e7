import { type Pointer, toArrayBuffer } from "bun:ffi";
import { MADV, MMAP } from "./abi/constants.ts";
import { openLibc } from "./library.ts";
import { sys } from "./sys.ts";

/** The two Buffer methods that turn bytes into text and back without a detour; Bun has both. */
export type Latin1Buffer = {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number): number;
};

/**
 * A block of anonymous memory outside the JavaScript heap: its address never changes, so it can be
 * handed to the kernel as often as wanted. Page-aligned, zeroed, given back with its thread.
 */
export class Memory {
  readonly pointer: number;
  readonly buffer: ArrayBuffer;
  readonly bytes: Uint8Array;
  /** The same bytes, for latin1 text in and out. */
  readonly text: Latin1Buffer;

  /** @throws Error where the kernel gives no memory. */
  constructor(sizeBytes: number) {
    const address = mapMemory(sizeBytes);
    this.pointer = address;
    this.buffer = toArrayBuffer(address as Pointer, 0, sizeBytes);
    this.bytes = new Uint8Array(this.buffer);
    this.text = Buffer.from(this.buffer) as unknown as Latin1Buffer;
  }

  /**
   * Gives the pages from `from` (a multiple of the page size) on back to the system; they read as
   * zeros from then on. The addresses stay taken, so that no late user of them meets another's.
   */
  release(from = 0): void {
    sys.madvise(this.pointer + from, this.buffer.byteLength - from, MADV.DONTNEED);
  }
}

/**
 * As Memory, with room to grow in place: what JavaScript sees of it is only as long as needed. The
 * collector takes every byte of a view for a burden of the heap and runs the more seldom: with 64
 * MiB in view, buffers that live for a moment were never used twice.
 */
export class GrowingMemory {
  readonly pointer: number;
  readonly sizeBytesMax: number;
  /** Replaced by `grow`; older ones go on showing the same bytes. */
  buffer: ArrayBuffer;
  bytes: Uint8Array;
  text: Latin1Buffer;

  /** @throws Error where the kernel gives no memory. */
  constructor(sizeBytes: number, sizeBytesMax: number) {
    this.pointer = mapMemory(sizeBytesMax);
    this.sizeBytesMax = sizeBytesMax;
    this.buffer = toArrayBuffer(this.pointer as Pointer, 0, sizeBytes);
    this.bytes = new Uint8Array(this.buffer);
    this.text = Buffer.from(this.buffer) as unknown as Latin1Buffer;
  }

  /** Shows at least `sizeBytes`, at most `sizeBytesMax`. */
  grow(sizeBytes: number): void {
    if (sizeBytes <= this.buffer.byteLength) return;
    const doubled = Math.max(sizeBytes, 2 * this.buffer.byteLength);
    this.show(Math.min(doubled, this.sizeBytesMax));
  }

  /** Shows `sizeBytes`, no more and no less. */
  show(sizeBytes: number): void {
    this.buffer = toArrayBuffer(this.pointer as Pointer, 0, sizeBytes);
    this.bytes = new Uint8Array(this.buffer);
    this.text = Buffer.from(this.buffer) as unknown as Latin1Buffer;
  }

  /** As that of Memory. */
  release(from = 0): void {
    const length = this.sizeBytesMax - from;
    if (length > 0) sys.madvise(this.pointer + from, length, MADV.DONTNEED);
  }
}

/** Blocks that may be taken again, by their size (of growing ones the most that they may have). */
const spare = new Map<number, Memory[]>();
const spareGrowing = new Map<number, GrowingMemory[]>();

/** What this worker has taken and not given back. */
const taken = new Set<Memory | GrowingMemory>();

/**
 * A block that was given back in this thread, or a new one. Who goes on for as long as the thread
 * (a scratch that a module keeps) makes a Memory instead: see wipeThreadMemory.
 */
export function takeMemory(sizeBytes: number): Memory {
  const memory = spare.get(sizeBytes)?.pop() ?? new Memory(sizeBytes);
  if (!Bun.isMainThread) taken.add(memory);
  return memory;
}

/** The same with room to grow. */
export function takeGrowingMemory(sizeBytes: number, sizeBytesMax: number): GrowingMemory {
  const former = spareGrowing.get(sizeBytesMax)?.pop();
  const memory = former ?? new GrowingMemory(sizeBytes, sizeBytesMax);
  former?.show(sizeBytes);
  if (!Bun.isMainThread) taken.add(memory);
  return memory;
}

/** Gives a block back. Nobody may use it, nor anything that shows it, from now on. */
export function giveMemoryBack(memory: Memory): void {
  memory.release();
  taken.delete(memory);
  keepSpare(spare, memory.buffer.byteLength, memory);
}

function keepSpare<Block>(blocks: Map<number, Block[]>, size: number, block: Block): void {
  const others = blocks.get(size);
  if (others === undefined) blocks.set(size, [block]);
  else others.push(block);
}

/**
 * For a worker between two uses that have nothing to do with each other: gives back all that was
 * taken, and has every byte that this thread has ever mapped read as zero, whoever mapped it. No
 * object of the former use may be used again.
 * Returns how many bytes the thread has mapped, or -errno: the worker is to be ended then.
 */
export function wipeThreadMemory(): number {
  for (const memory of taken) {
    if (memory instanceof Memory) keepSpare(spare, memory.buffer.byteLength, memory);
    else keepSpare(spareGrowing, memory.sizeBytesMax, memory);
  }
  taken.clear();
  let sum = 0;
  for (const { address, sizeBytes } of mapped) {
    const result = sys.madvise(address, sizeBytes, MADV.DONTNEED);
    if (result < 0) return result;
    sum += sizeBytes;
  }
  return sum;
}

function mapMemory(sizeBytes: number): number {
  const access = MMAP.PROT_READ | MMAP.PROT_WRITE;
  const address = sys.mmap(0, sizeBytes, access, MMAP.PRIVATE | MMAP.ANONYMOUS, -1, 0);
  if (address < 0) throw new Error(`Cannot map ${sizeBytes} bytes of memory`);
  if (Bun.isMainThread) return address;
  mapped.push({ address, sizeBytes });
  unmapWithThread(address, sizeBytes);
  return address;
}

/** All that this worker has mapped. */
const mapped: { readonly address: number; readonly sizeBytes: number }[] = [];

/** What holds the memory of this thread: it is collected with the thread, and with nothing else. */
const held: ArrayBuffer[] = [];
let munmapAddress: number | undefined;

/**
 * Unmaps memory when this worker's heap is taken down: a daemon starts workers for each session and
 * goes on for months. The collector frees a buffer by a function that gets its address and a word
 * of ours; munmap(2) is such a function, with the size as the word.
 */
function unmapWithThread(address: number, sizeBytes: number): void {
  munmapAddress ??= addressOf("munmap");
  // Bun's types know nothing of the last two, its documentation does.
  const bufferOf = toArrayBuffer as (address: number, ...more: readonly number[]) => ArrayBuffer;
  held.push(bufferOf(address, 0, 8, sizeBytes, munmapAddress));
}

/** Where a function of the C library is (dlsym(3)). */
function addressOf(name: string): number {
  const signature = { args: ["i64", "ptr"], returns: "ptr" } as const;
  const { dlsym } = openLibc({ dlsym: signature });
  const anywhere = process.platform === "darwin" ? -2 : 0;
  return Number(dlsym(anywhere, Buffer.from(`${name}\0`)));
}

/**
 * Writes a name (latin1 string: one character per byte) as a C string at `offset` of `bytes`.
 * Returns the number of bytes without the NUL. The caller keeps room for length + 1.
 */
export function writeCString(bytes: Uint8Array, offset: number, text: string): number {
  const length = text.length;
  for (let i = 0; i < length; i++) bytes[offset + i] = text.charCodeAt(i);
  bytes[offset + length] = 0;
  return length;
}
