import { AT, O } from "../../ffi/abi/constants.ts";
import { Memory, writeCString } from "../../ffi/mem.ts";
import { sys } from "../../ffi/sys.ts";
import { OP } from "./abi.ts";
import { must, Ring, type RingOptions } from "./ring.ts";

/** As src/blit/engine/limits.ts. */
export const blockBytes = 256 * 1024;

/** What the threads of one big file share. */
export interface BigFile {
  readonly sourceFd: number;
  readonly targetFd: number;
  readonly sizeBytes: number;
  /** Where the next block begins. */
  readonly take: () => number;
}

/** Opens both for one thread. */
export function openBig(source: string, target: string): { source: number; target: number } {
  const memory = new Memory(8192);
  writeCString(memory.bytes, 0, source);
  const from = must(sys.openat(AT.FDCWD, memory.pointer, O.RDONLY | O.CLOEXEC, 0), "openat");
  writeCString(memory.bytes, 0, target);
  const to = must(sys.openat(AT.FDCWD, memory.pointer, O.WRONLY | O.CLOEXEC, 0), "openat");
  return { source: from, target: to };
}

/** As src/blit/engine/huge-file.ts: pread and pwrite over one buffer. Returns the bytes copied. */
export function copyBigByCalls(file: BigFile, buffer: Memory): number {
  const { sourceFd, targetFd, sizeBytes, take } = file;
  let bytes = 0;
  for (let at = take(); at < sizeBytes; at = take()) {
    const length = Math.min(blockBytes, sizeBytes - at);
    const got = must(sys.pread(sourceFd, buffer.pointer, length, at), "pread");
    const put = must(sys.pwrite(targetFd, buffer.pointer, got, at), "pwrite");
    if (got !== length || put !== length) throw new Error("Cannot measure: a block was short");
    bytes += length;
  }
  return bytes;
}

/** A ring with `depth` registered buffers, each at any time being read into or written from. */
export class BigRing {
  readonly #ring: Ring;
  readonly #buffers: Memory;
  readonly #depth: number;

  constructor(depth: number, options: RingOptions) {
    this.#depth = depth;
    this.#ring = new Ring(depth, options);
    this.#buffers = new Memory(depth * blockBytes);
    this.#ring.registerBuffers(this.#buffers, blockBytes);
  }

  /** Returns the bytes copied. */
  copy(file: BigFile): number {
    const { sourceFd, targetFd, sizeBytes, take } = file;
    const ring = this.#ring;
    const offsets = new Float64Array(this.#depth);
    const isWriting = new Uint8Array(this.#depth);
    let bytes = 0;
    const lengthAt = (at: number): number => Math.min(blockBytes, sizeBytes - at);
    const submit = (slot: number): void => {
      const at = offsets[slot] as number;
      const pointer = this.#buffers.pointer + slot * blockBytes;
      const writes = isWriting[slot] === 1;
      const operation = writes ? OP.WRITE_FIXED : OP.READ_FIXED;
      const fd = writes ? targetFd : sourceFd;
      ring.transferFixed(operation, fd, pointer, lengthAt(at), at, slot);
    };
    const begin = (slot: number): void => {
      const at = take();
      if (at >= sizeBytes) return;
      offsets[slot] = at;
      isWriting[slot] = 0;
      submit(slot);
    };
    for (let slot = 0; slot < this.#depth; slot++) begin(slot);
    for (let found = ring.waitSome(); found > 0; found = ring.waitSome()) {
      for (let index = 0; index < found; index++) {
        const slot = ring.done[index] as number;
        const length = lengthAt(offsets[slot] as number);
        if (must(ring.results[slot] as number, "read or write") !== length) {
          throw new Error("Cannot measure: a block was short");
        }
        if (isWriting[slot] === 1) {
          bytes += length;
          begin(slot);
        } else {
          isWriting[slot] = 1;
          submit(slot);
        }
      }
    }
    return bytes;
  }
}
