import { FCNTL, O, SPLICE } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { type Memory, takeMemory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { pwriteFully } from "../engine/content.ts";

/** What a pipe of an unprivileged user may hold: /proc/sys/fs/pipe-max-size. */
const pipeBytes = 1024 * 1024;

/**
 * From a socket into a file without a detour through user space: splice(2) by way of a pipe.
 * `step` moves what is there now, and never leaves anything in the pipe.
 */
export class SplicePipe {
  readonly #memory = takeMemory(4096);
  readonly #ends: Int32Array;
  readonly #offset: BigInt64Array;
  #scratch: Memory | undefined;
  #isOpen = false;

  constructor() {
    this.#ends = new Int32Array(this.#memory.buffer, 0, 2);
    this.#offset = new BigInt64Array(this.#memory.buffer, 8, 1);
  }

  /** Opens the pipe, once. Returns 0 or -errno. */
  open(): number {
    if (this.#isOpen) return 0;
    const result = sys.pipe2(this.#memory.pointer, O.CLOEXEC | O.NONBLOCK);
    if (result < 0) return result;
    this.#isOpen = true;
    // It works with less as well.
    sys.fcntl(this.#ends[0] as number, FCNTL.SETPIPE_SZ, pipeBytes);
    return 0;
  }

  /**
   * Takes up to `length` bytes off the socket. Returns the number, 0 at the stream's end, or
   * -errno, -EAGAIN among them. What was taken has to be written by `drain`.
   */
  take(socket: number, length: number): number {
    const flags = SPLICE.MOVE | SPLICE.NONBLOCK;
    const want = Math.min(length, pipeBytes);
    return sys.splice(socket, 0, this.#ends[1] as number, 0, want, flags);
  }

  /**
   * Writes the `length` bytes that were taken at `offset` of a file. Returns 0 or -errno; the pipe
   * is empty afterwards in any case.
   */
  drain(file: number, offset: number, length: number): number {
    const [reader = -1] = this.#ends;
    const pointer = this.#memory.pointer + 8;
    this.#offset[0] = BigInt(offset);
    let done = 0;
    while (done < length) {
      const moved = sys.splice(reader, 0, file, pointer, length - done, SPLICE.MOVE);
      if (moved <= 0) return this.#rescue(file, offset + done, length - done);
      done += moved;
    }
    return 0;
  }

  /** By read and write: where a file system knows no splice, and to learn why it has failed. */
  #rescue(file: number, offset: number, length: number): number {
    this.#scratch ??= takeMemory(pipeBytes);
    const [reader = -1] = this.#ends;
    const { pointer } = this.#scratch;
    let got = 0;
    while (got < length) {
      const read = sys.read(reader, pointer + got, length - got);
      if (read <= 0) break;
      got += read;
    }
    return got < length ? -errno.EIO : pwriteFully(file, pointer, length, offset);
  }

  close(): void {
    this.#scratch?.release();
    if (!this.#isOpen) return;
    sys.close(this.#ends[0] as number);
    sys.close(this.#ends[1] as number);
    this.#isOpen = false;
  }
}
