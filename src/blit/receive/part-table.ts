import { FCNTL } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { PARTS_MAX } from "../wire/frame.ts";
import { acquireLock, releaseLock } from "../wire/shared-lock.ts";

/**
 * Files that come in parts over several streams, in memory that all receiving workers share. Each
 * stream has one place, for the file that its source has announced on it; what comes on the others
 * finds it there. Each part is taken once, so a file whose parts are all written is whole.
 */

const word = { lock: 0, running: 1, changes: 2 } as const;
const headBytes = 64;

/** 32-bit words of a place. */
const place = {
  sequence: 0,
  isOpen: 1,
  fd: 2,
  parts: 3,
  written: 4,
  failure: 5,
} as const;
/** Doubles of a place, behind its words. */
const amount = { sizeBytes: 3, partBytes: 4 } as const;
/** Behind them: a bit for each part that was taken. */
const fieldBytes = 64;
const placeBytes = fieldBytes + PARTS_MAX / 8;

/** A file that is announced. */
export type AwaitedFile = {
  /** Tells the stream's files apart, in the order in which they come. */
  readonly sequence: number;
  /** Open for writing; -1 where its parts are of no use. */
  readonly fd: number;
  readonly sizeBytes: number;
  readonly partBytes: number;
};

/** What to do with a part that has come. */
export type Claim =
  /** To be written. */
  | "taken"
  /** Its file is not announced yet. */
  | "early"
  /** Its file has been given up, or is announced no more. */
  | "void"
  /** It is no part of the file, or has come before. */
  | "wrong";

export class PartTable {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #amounts: Float64Array;
  readonly #places: number;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#amounts = new Float64Array(buffer);
    this.#places = (buffer.byteLength - headBytes) / placeBytes;
  }

  /** @param streams whose indexes are 0 and up */
  static create(streams: number): PartTable {
    return new PartTable(new SharedArrayBuffer(headBytes + streams * placeBytes));
  }

  /** A pass begins on so many streams. */
  begin(streams: number): void {
    Atomics.store(this.#words, word.running, streams);
  }

  /** Nothing more comes on one of them. */
  endOne(): void {
    Atomics.sub(this.#words, word.running, 1);
    this.#changed();
  }

  /** How many still go on. */
  get running(): number {
    return Atomics.load(this.#words, word.running);
  }

  #at(owner: number, field: number): number {
    return (headBytes + owner * placeBytes) / 4 + field;
  }

  #amountAt(owner: number, field: number): number {
    return (headBytes + owner * placeBytes) / 8 + field;
  }

  /** Makes a file known. False where its sequence is none that can follow. */
  announce(owner: number, file: AwaitedFile): boolean {
    const words = this.#words;
    if (owner >= this.#places) return false;
    acquireLock(words, word.lock);
    const isNext = file.sequence > (words[this.#at(owner, place.sequence)] as number);
    if (isNext) {
      words[this.#at(owner, place.sequence)] = file.sequence;
      words[this.#at(owner, place.fd)] = file.fd;
      words[this.#at(owner, place.parts)] = Math.ceil(file.sizeBytes / file.partBytes);
      words[this.#at(owner, place.written)] = 0;
      words[this.#at(owner, place.failure)] = 0;
      this.#amounts[this.#amountAt(owner, amount.sizeBytes)] = file.sizeBytes;
      this.#amounts[this.#amountAt(owner, amount.partBytes)] = file.partBytes;
      const bits = this.#at(owner, fieldBytes / 4);
      words.fill(0, bits, bits + Math.ceil(Math.ceil(file.sizeBytes / file.partBytes) / 32));
      words[this.#at(owner, place.isOpen)] = file.fd >= 0 ? 1 : 0;
    }
    releaseLock(words, word.lock);
    this.#changed();
    return isNext;
  }

  /** What a part of the owner itself is good for, which needs no descriptor. */
  claimOwn(owner: number, sequence: number, offset: number, length: number): Claim {
    acquireLock(this.#words, word.lock);
    const claim = this.#claim(owner, sequence, offset, length);
    releaseLock(this.#words, word.lock);
    return claim;
  }

  /** The same for what comes on another stream, with a descriptor that the caller has to close. */
  claim(
    owner: number,
    sequence: number,
    offset: number,
    length: number,
  ): { readonly claim: Claim; readonly fd: number } {
    if (owner >= this.#places) return { claim: "wrong", fd: -1 };
    const words = this.#words;
    acquireLock(words, word.lock);
    const claim = this.#claim(owner, sequence, offset, length);
    let fd = -1;
    if (claim === "taken") {
      // The owner closes its own when its stream breaks, whatever others do then.
      fd = sys.fcntl(words[this.#at(owner, place.fd)] as number, FCNTL.DUPFD_CLOEXEC, 0);
    }
    releaseLock(words, word.lock);
    return { claim, fd };
  }

  /** With the lock held. */
  #claim(owner: number, sequence: number, offset: number, length: number): Claim {
    const words = this.#words;
    const current = words[this.#at(owner, place.sequence)] as number;
    if (sequence !== current) return sequence > current ? "early" : "void";
    if (words[this.#at(owner, place.isOpen)] !== 1) return "void";
    const sizeBytes = this.#amounts[this.#amountAt(owner, amount.sizeBytes)] as number;
    const partBytes = this.#amounts[this.#amountAt(owner, amount.partBytes)] as number;
    const number = offset / partBytes;
    const isPart = Number.isInteger(number) && offset < sizeBytes;
    if (!isPart || length !== Math.min(partBytes, sizeBytes - offset)) return "wrong";
    const at = this.#at(owner, fieldBytes / 4) + (number >>> 5);
    const bit = 1 << (number & 31);
    if (((words[at] as number) & bit) !== 0) return "wrong";
    words[at] = (words[at] as number) | bit;
    return "taken";
  }

  /** A part that was taken is in the file, or (`result` below 0) could not be written. */
  settle(owner: number, sequence: number, result: number): void {
    const words = this.#words;
    acquireLock(words, word.lock);
    if (words[this.#at(owner, place.sequence)] === sequence) {
      const at = this.#at(owner, place.written);
      words[at] = (words[at] as number) + 1;
      const failed = this.#at(owner, place.failure);
      if (result < 0 && words[failed] === 0) words[failed] = result;
    }
    releaseLock(words, word.lock);
    this.#changed();
  }

  /** Whether all parts of the owner's file are written; -errno where one could not be. */
  state(owner: number): "whole" | "open" | number {
    const failure = Atomics.load(this.#words, this.#at(owner, place.failure));
    if (failure < 0) return failure;
    const written = Atomics.load(this.#words, this.#at(owner, place.written));
    return written === Atomics.load(this.#words, this.#at(owner, place.parts)) ? "whole" : "open";
  }

  /** The owner's file takes no more parts. */
  close(owner: number): void {
    acquireLock(this.#words, word.lock);
    this.#words[this.#at(owner, place.isOpen)] = 0;
    releaseLock(this.#words, word.lock);
  }

  /** A number that is another one after each change; see `wait`. */
  get changes(): number {
    return Atomics.load(this.#words, word.changes);
  }

  /** Sleeps until something has changed since `changes` was read, or `ms` have passed. */
  wait(changes: number, ms: number): void {
    Atomics.wait(this.#words, word.changes, changes, ms);
  }

  #changed(): void {
    Atomics.add(this.#words, word.changes, 1);
    Atomics.notify(this.#words, word.changes);
  }
}
