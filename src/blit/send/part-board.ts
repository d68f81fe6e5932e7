import { FCNTL } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { acquireLock, releaseLock } from "../wire/shared-lock.ts";

/**
 * Large files whose parts any stream may send, in memory that all sending workers share. Each
 * stream has one place: a file is offered there by the stream that its folder is on, its owner, and
 * the others take parts of it while they have nothing else to do.
 */

const word = { lock: 0, streams: 1, busy: 2 } as const;
const headBytes = 64;

/** 32-bit words of a place. */
const place = {
  isOpen: 0,
  fd: 1,
  sequence: 2,
  next: 3,
  parts: 4,
  helpers: 5,
  failure: 6,
} as const;
/** Doubles of a place, behind its words. */
const amount = { sizeBytes: 4, partBytes: 5, helpedBytes: 6 } as const;
const placeBytes = 64;

/** A file in parts, as its owner offers it. */
export type OfferedFile = {
  /** Open for reading. */
  readonly fd: number;
  /** Tells the owner's files apart, in the order in which they come. */
  readonly sequence: number;
  readonly sizeBytes: number;
  readonly partBytes: number;
};

/** A part of somebody's file. */
export type TakenPart = {
  readonly owner: number;
  readonly sequence: number;
  readonly offset: number;
  readonly length: number;
};

/** The same for another stream than the owner; `fd` is its own. */
export type HelpersPart = TakenPart & { readonly fd: number };

export class PartBoard {
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
  static create(streams: number): PartBoard {
    return new PartBoard(new SharedArrayBuffer(headBytes + streams * placeBytes));
  }

  /** A phase begins in which so many streams have something to do; nothing is offered yet. */
  begin(streams: number): void {
    for (let owner = 0; owner < this.#places; owner++) this.close(owner);
    Atomics.store(this.#words, word.streams, streams);
    Atomics.store(this.#words, word.busy, streams);
  }

  /** How many streams there are in this phase. */
  get streams(): number {
    return Atomics.load(this.#words, word.streams);
  }

  /** How many of them may still have a file to offer. */
  get busy(): number {
    return Atomics.load(this.#words, word.busy);
  }

  /** A stream has nothing more of its own. Returns whether that was the last one. */
  endOne(): boolean {
    return Atomics.sub(this.#words, word.busy, 1) === 1;
  }

  #at(owner: number, field: number): number {
    return (headBytes + owner * placeBytes) / 4 + field;
  }

  #amountAt(owner: number, field: number): number {
    return (headBytes + owner * placeBytes) / 8 + field;
  }

  /** Lets others take parts. What announces the file has to be on its way. */
  offer(owner: number, file: OfferedFile): void {
    const words = this.#words;
    acquireLock(words, word.lock);
    words[this.#at(owner, place.fd)] = file.fd;
    words[this.#at(owner, place.sequence)] = file.sequence;
    words[this.#at(owner, place.next)] = 0;
    words[this.#at(owner, place.parts)] = Math.ceil(file.sizeBytes / file.partBytes);
    words[this.#at(owner, place.helpers)] = 0;
    words[this.#at(owner, place.failure)] = 0;
    this.#amounts[this.#amountAt(owner, amount.sizeBytes)] = file.sizeBytes;
    this.#amounts[this.#amountAt(owner, amount.partBytes)] = file.partBytes;
    this.#amounts[this.#amountAt(owner, amount.helpedBytes)] = 0;
    words[this.#at(owner, place.isOpen)] = 1;
    releaseLock(words, word.lock);
  }

  /** Whether anybody but `stream` has parts to give away. */
  hasPartsFor(stream: number): boolean {
    for (let owner = 0; owner < this.#places; owner++) {
      if (owner !== stream && this.#hasParts(owner)) return true;
    }
    return false;
  }

  #hasParts(owner: number): boolean {
    const words = this.#words;
    const isOpen = Atomics.load(words, this.#at(owner, place.isOpen)) === 1;
    const next = Atomics.load(words, this.#at(owner, place.next));
    return isOpen && next < Atomics.load(words, this.#at(owner, place.parts));
  }

  /** The owner's next part; undefined where all are taken, or one has failed. */
  take(owner: number): TakenPart | undefined {
    acquireLock(this.#words, word.lock);
    const part = this.#hasParts(owner) ? this.#next(owner) : undefined;
    releaseLock(this.#words, word.lock);
    return part;
  }

  /** A part of any other stream's file, with a descriptor that the caller has to close. */
  takeFor(stream: number): HelpersPart | undefined {
    if (!this.hasPartsFor(stream)) return undefined;
    const words = this.#words;
    acquireLock(words, word.lock);
    let part: HelpersPart | undefined;
    for (let owner = 0; owner < this.#places && part === undefined; owner++) {
      if (owner === stream || !this.#hasParts(owner)) continue;
      // The owner closes its own when its stream breaks, whatever others do then.
      const fd = sys.fcntl(words[this.#at(owner, place.fd)] as number, FCNTL.DUPFD_CLOEXEC, 0);
      if (fd < 0) break;
      part = { ...this.#next(owner), fd };
      Atomics.add(words, this.#at(owner, place.helpers), 1);
    }
    releaseLock(words, word.lock);
    return part;
  }

  /** With the lock held. */
  #next(owner: number): TakenPart {
    const number = Atomics.add(this.#words, this.#at(owner, place.next), 1);
    const sizeBytes = this.#amounts[this.#amountAt(owner, amount.sizeBytes)] as number;
    const partBytes = this.#amounts[this.#amountAt(owner, amount.partBytes)] as number;
    const sequence = this.#words[this.#at(owner, place.sequence)] as number;
    const offset = number * partBytes;
    return { owner, sequence, offset, length: Math.min(partBytes, sizeBytes - offset) };
  }

  /** A helper is done with its part. `result` is 0, or why the file cannot be sent. */
  giveBack(part: HelpersPart, result: number): void {
    const { owner, length } = part;
    const words = this.#words;
    sys.close(part.fd);
    acquireLock(words, word.lock);
    const at = this.#amountAt(owner, amount.helpedBytes);
    this.#amounts[at] = (this.#amounts[at] as number) + length;
    releaseLock(words, word.lock);
    if (result !== 0) this.fail(owner, result);
    Atomics.sub(words, this.#at(owner, place.helpers), 1);
    Atomics.notify(words, this.#at(owner, place.helpers));
  }

  /** No more parts are given out; the first reason stays. */
  fail(owner: number, result: number): void {
    const words = this.#words;
    acquireLock(words, word.lock);
    Atomics.compareExchange(words, this.#at(owner, place.failure), 0, result);
    words[this.#at(owner, place.next)] = words[this.#at(owner, place.parts)] as number;
    releaseLock(words, word.lock);
  }

  failure(owner: number): number {
    return Atomics.load(this.#words, this.#at(owner, place.failure));
  }

  /** Bytes of the file that others have sent. */
  helpedBytes(owner: number): number {
    return this.#amounts[this.#amountAt(owner, amount.helpedBytes)] as number;
  }

  /** Waits at most so long for others' parts. Returns whether all of them are sent. */
  isSent(owner: number, waitMs: number): boolean {
    const at = this.#at(owner, place.helpers);
    const helpers = Atomics.load(this.#words, at);
    if (helpers > 0) Atomics.wait(this.#words, at, helpers, waitMs);
    return Atomics.load(this.#words, at) === 0;
  }

  /** The end of the offer. */
  close(owner: number): void {
    acquireLock(this.#words, word.lock);
    Atomics.store(this.#words, this.#at(owner, place.isOpen), 0);
    releaseLock(this.#words, word.lock);
  }
}
