import { MSG } from "../../../ffi/abi/socket.ts";
import { errno } from "../../../ffi/errno.ts";
import { type Memory, takeGrowingMemory, takeMemory } from "../../../ffi/mem.ts";
import type { StreamKeys } from "../session/types.ts";
import type { StreamCalls } from "./stream-calls.ts";
import { RECORD_BYTES_MAX, RECORD_EXTRA_BYTES, RecordOpener } from "./stream-cipher.ts";

/**
 * What has come in on a stream and is not used yet. One block of memory for the whole life of the
 * stream, of which only the touched pages exist: bytes keep their place until they are consumed,
 * also while a sender that cannot write goes on reading.
 */

/** Most that is taken in before it is used: while a sender cannot write. */
export const INPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Bounds of what is read in one call ahead of what is asked for. */
const readAheadMin = 4 * 1024;
const readAheadMax = 512 * 1024;

/** So much of the memory is in view from the start. */
const viewBytes = 1024 * 1024;

/** Pages above this go back to the system as soon as nothing is left in them. */
const keptBytes = 8 * 1024 * 1024;

/** Moving so little to the front costs less than cold memory. */
const movedBytesMax = 32 * 1024;

const sealedBytes = 8 * (RECORD_BYTES_MAX + RECORD_EXTRA_BYTES);

export class StreamInput {
  readonly memory = takeGrowingMemory(viewBytes, INPUT_BYTES_MAX);
  /** First byte that is not consumed, and the end of what is there. */
  offset = 0;
  end = 0;
  /** Nothing more comes: the peer has closed. */
  isEnded = false;
  /** Bytes of the stream so far, those that were spliced to a file included. */
  received = 0;
  readonly #fd: number;
  readonly #calls: StreamCalls;
  readonly #opener: RecordOpener | undefined;
  /** Records as they came, where the stream is encrypted. */
  readonly #sealed: Memory | undefined;
  #sealedStart = 0;
  #sealedEnd = 0;
  #readAhead = readAheadMax;
  #highest = 0;

  constructor(fd: number, keys: StreamKeys | undefined, calls: StreamCalls) {
    this.#fd = fd;
    this.#calls = calls;
    if (keys === undefined) return;
    this.#opener = new RecordOpener(keys.receiveKey, keys.receiveIv);
    this.#sealed = takeMemory(sealedBytes);
  }

  get available(): number {
    return this.end - this.offset;
  }

  /** Whether `fill` may be called while nothing is consumed. */
  get hasRoom(): boolean {
    return !this.isEnded && INPUT_BYTES_MAX - this.end >= RECORD_BYTES_MAX;
  }

  consume(bytes: number): void {
    this.offset += bytes;
    if (this.offset !== this.end) return;
    this.offset = 0;
    this.end = 0;
    if (this.#highest <= keptBytes) return;
    this.memory.release(keptBytes);
    this.#highest = 0;
  }

  /** Moves what is there to the front where `bytes` have no room, or where that is cheap. */
  makeRoom(bytes: number): void {
    const { offset, available } = this;
    if (offset === 0) return;
    const isTight = INPUT_BYTES_MAX - offset < bytes + RECORD_BYTES_MAX;
    if (!isTight && (offset < readAheadMax || available > movedBytesMax)) return;
    this.memory.grow(this.end);
    this.memory.bytes.copyWithin(0, offset, this.end);
    this.offset = 0;
    this.end = available;
  }

  /** What comes next is the content of a large file: it is better left in the kernel. */
  expectContent(): void {
    this.#readAhead = readAheadMin;
  }

  /**
   * Takes what the socket has, at least `wanted` bytes if they are there. Does not wait.
   * Returns a number above 0, or -EAGAIN, -ECONNRESET at the end, -EBADMSG for a forged record,
   * or another -errno of recv(2).
   */
  fill(wanted: number): number {
    if (this.isEnded) return -errno.ECONNRESET;
    const result = this.#opener === undefined ? this.#fillPlain(wanted) : this.#fillSealed();
    if (result === -errno.ECONNRESET) this.isEnded = true;
    this.memory.grow(this.end);
    if (this.end > this.#highest) this.#highest = this.end;
    return result;
  }

  #receive(pointer: number, length: number): number {
    const got = this.#calls.recv(this.#fd, pointer, length, MSG.DONTWAIT);
    return got === 0 ? -errno.ECONNRESET : got;
  }

  #fillPlain(wanted: number): number {
    const length = Math.min(Math.max(wanted, this.#readAhead), INPUT_BYTES_MAX - this.end);
    const got = this.#receive(this.memory.pointer + this.end, length);
    if (got < 0) return got;
    this.end += got;
    this.received += got;
    if (got >= this.#readAhead) this.#readAhead = Math.min(readAheadMax, this.#readAhead * 4);
    return got;
  }

  #fillSealed(): number {
    const sealed = this.#sealed as Memory;
    const opened = this.#openRecords(sealed.bytes);
    if (opened !== 0) return opened;
    if (this.#sealedStart > 0) {
      sealed.bytes.copyWithin(0, this.#sealedStart, this.#sealedEnd);
      this.#sealedEnd -= this.#sealedStart;
      this.#sealedStart = 0;
    }
    const room = sealedBytes - this.#sealedEnd;
    const got = this.#receive(sealed.pointer + this.#sealedEnd, room);
    if (got < 0) return got;
    this.#sealedEnd += got;
    const result = this.#openRecords(sealed.bytes);
    // A part of a record is progress too: the caller asks again and waits then.
    return result === 0 ? got : result;
  }

  /** Opens the whole records that there is room for. Returns the bytes of content, or -EBADMSG. */
  #openRecords(sealed: Uint8Array): number {
    const opener = this.#opener as RecordOpener;
    const before = this.end;
    while (INPUT_BYTES_MAX - this.end >= RECORD_BYTES_MAX) {
      const length = opener.recordLength(sealed, this.#sealedStart, this.#sealedEnd);
      if (length < 0) return -errno.EBADMSG;
      if (length === 0 || this.#sealedEnd - this.#sealedStart < length) break;
      this.memory.grow(this.end + RECORD_BYTES_MAX);
      const record = sealed.subarray(this.#sealedStart, this.#sealedStart + length);
      const opened = opener.open(record, this.memory.bytes, this.end);
      if (opened < 0) return -errno.EBADMSG;
      this.#sealedStart += length;
      this.end += opened;
    }
    this.received += this.end - before;
    return this.end - before;
  }

  /** Gives the memory back; nothing may be read any more. */
  close(): void {
    this.isEnded = true;
    this.offset = 0;
    this.end = 0;
    this.memory.release();
    this.#sealed?.release();
  }
}
