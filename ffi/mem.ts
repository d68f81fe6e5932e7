import { type Pointer, toArrayBuffer } from "bun:ffi";
import { MADV, MMAP } from "./abi/constants.ts";
import { sys } from "./sys.ts";

/** The two Buffer methods that turn bytes into text and back without a detour; Bun has both. */
export type Latin1Buffer = {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number): number;
};

/**
 * A block of anonymous memory outside the JavaScript heap: its address never changes, so it can be
 * handed to the kernel as often as wanted. Page-aligned, zeroed, given back with the process.
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
    const size = Math.min(doubled, this.sizeBytesMax);
    this.buffer = toArrayBuffer(this.pointer as Pointer, 0, size);
    this.bytes = new Uint8Array(this.buffer);
    this.text = Buffer.from(this.buffer) as unknown as Latin1Buffer;
  }

  /** As that of Memory. */
  release(from = 0): void {
    const length = this.sizeBytesMax - from;
    if (length > 0) sys.madvise(this.pointer + from, length, MADV.DONTNEED);
  }
}

function mapMemory(sizeBytes: number): number {
  const access = MMAP.PROT_READ | MMAP.PROT_WRITE;
  const address = sys.mmap(0, sizeBytes, access, MMAP.PRIVATE | MMAP.ANONYMOUS, -1, 0);
  if (address < 0) throw new Error(`Cannot map ${sizeBytes} bytes of memory`);
  return address;
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
