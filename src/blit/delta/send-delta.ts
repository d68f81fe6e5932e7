import { errno } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { preadFully } from "../engine/content.ts";
import { type DeltaRequest, requestFlag, requestHeaderBytes } from "./delta-request.ts";
import { ContentHash, isSameTag, type KeyedHash, tagBytes } from "./keyed-hash.ts";
import { AnchorIndex } from "./rolling-hash.ts";

/** What a part of the source's content is for the target. */
export const deltaStep = {
  end: 0,
  /** The target has it: `length` bytes at `baseOffset` of its base are those at `offset`. */
  reuse: 1,
  /** It has to be sent: `length` bytes at `offset`, which are in memory at `pointer`. */
  data: 2,
} as const;

/** One step of data is at most this long. */
export const dataBytesMax = 1024 * 1024;

/** One step of reuse: short enough that the target copies while the source goes on comparing. */
const reuseBytesMax = 8 * 1024 * 1024;

const readBytes = 256 * 1024;

/** So much may be searched in vain before places other than the same one are given up. */
const searchCredit = 64 * 1024 * 1024;

/** Memory of a thread, shared by all its scans; grows for very large blocks. */
export class DeltaBuffer {
  #memory: Memory | undefined;

  atLeast(bytes: number): Memory {
    if (this.#memory === undefined || this.#memory.bytes.length < bytes) {
      this.#memory = new Memory(bytes);
    }
    return this.#memory;
  }
}

export type DeltaScanOptions = {
  readonly hash: KeyedHash;
  readonly request: DeltaRequest;
  readonly buffer: DeltaBuffer;
  /** The source's file, open for reading. */
  readonly fd: number;
  readonly sizeBytes: number;
};

/**
 * Compares an open file with what the target said of its base, from the beginning to the end, each
 * byte read once: first at the same place, then right behind the last block that was found, then
 * (where the request has anchors) anywhere.
 */
export class DeltaScan {
  /** Of the step that `next` announced. */
  offset = 0;
  length = 0;
  baseOffset = 0;
  /** Address of the data; good until the next call. */
  pointer = 0;
  /** The same bytes. */
  data: Uint8Array = new Uint8Array(0);
  /** Sums over the steps so far. */
  reusedBytes = 0;
  dataBytes = 0;

  readonly #o: DeltaScanOptions;
  readonly #memory: Memory;
  readonly #content: ContentHash;
  readonly #anchors: AnchorIndex | undefined;
  readonly #blockBytes: number;

  /** File offset of the first byte of memory, and how many bytes are there. */
  #memoryOffset = 0;
  #memoryLength = 0;
  /** Everything before it is decided; what is not announced yet are the two ranges before it. */
  #position = 0;
  #reuseFrom = 0;
  #reuseBase = 0;
  #reuseLength = 0;
  /** Data goes from here to the position, behind the range to reuse. */
  #dataFrom = 0;
  /** A block of the base that is at the position, not joined to the ranges yet; -1 = none. */
  #match = -1;
  #matchTag: Uint8Array = noBytes;
  /** Of the whole block at the position, where it has been made; else empty. */
  #hereTag: Uint8Array = noBytes;
  /** The base's block that would come next. */
  #expected = 0;
  #credit = searchCredit;
  /** Bytes that may be hashed in vain for places where only the rolling hash agrees. */
  #patience = 0;

  constructor(options: DeltaScanOptions) {
    const { request, hash, buffer } = options;
    this.#o = options;
    this.#blockBytes = request.blockBytes;
    this.#memory = buffer.atLeast(dataBytesMax + 2 * request.blockBytes + 2 * readBytes);
    this.#content = new ContentHash(hash, request.blockBytes);
    const anchorsAt = requestHeaderBytes + request.blocks * tagBytes;
    if ((request.flags & requestFlag.anchors) !== 0) {
      this.#anchors = new AnchorIndex(request.bytes, anchorsAt, request.blocks);
    }
  }

  /** File offset up to which the file has been looked at: for progress. */
  get position(): number {
    return this.#position;
  }

  /**
   * Whether the file is what the target has, byte for byte: 1, 0, or -errno. Stops at the first
   * difference; `next` then begins with what is the same before it. To be called first, if at all.
   * `between` is called every few MiB; an error number from it ends the work.
   */
  compare(between: () => number): number {
    if (this.#o.sizeBytes !== this.#o.request.coveredBytes) return 0;
    let nextBreak = reuseBytesMax;
    while (this.#position < this.#o.sizeBytes) {
      const block = this.#position / this.#blockBytes;
      const filled = this.#fill(this.#blockLength(block));
      if (filled < 0) return filled;
      if (!this.#isBlockHere(block)) return 0;
      this.#join();
      if (this.#position >= nextBreak) {
        nextBreak += reuseBytesMax;
        const result = between();
        if (result < 0) return result;
      }
    }
    return 1;
  }

  /**
   * Announces the next step: its kind, or -errno of pread(2), or -ENODATA for a file that has
   * become shorter. Steps follow each other without a gap from 0 to the file's size.
   */
  next(): number {
    for (;;) {
      const announced = this.#announce();
      if (announced !== undefined) return announced;
      if (this.#match !== -1) this.#join();
      else {
        const result = this.#decide();
        if (result < 0) return result;
      }
    }
  }

  /** The keyed hash of the whole content, 16 bytes, when `next` has said end. */
  contentHash(): Uint8Array {
    return this.#content.digest();
  }

  /** The step that is due, if one is: a range that can't become longer. */
  #announce(): number | undefined {
    const isEnd = this.#position === this.#o.sizeBytes;
    const data = this.#position - this.#dataFrom;
    if (this.#reuseLength > 0) {
      const isBroken = this.#match !== -1 && !this.#continues(this.#match);
      const isFull = this.#reuseLength >= reuseBytesMax;
      return isEnd || isFull || isBroken || data > 0 ? this.#announceReuse() : undefined;
    }
    if (data > 0) {
      const isFull = data + this.#blockBytes > dataBytesMax;
      return isEnd || isFull || this.#match !== -1 ? this.#announceData() : undefined;
    }
    return isEnd ? deltaStep.end : undefined;
  }

  #announceReuse(): number {
    this.offset = this.#reuseFrom;
    this.baseOffset = this.#reuseBase;
    this.length = Math.min(this.#reuseLength, reuseBytesMax);
    this.#reuseFrom += this.length;
    this.#reuseBase += this.length;
    this.#reuseLength -= this.length;
    this.reusedBytes += this.length;
    return deltaStep.reuse;
  }

  #announceData(): number {
    this.offset = this.#dataFrom;
    this.length = Math.min(this.#position - this.#dataFrom, dataBytesMax);
    const at = this.#dataFrom - this.#memoryOffset;
    this.pointer = this.#memory.pointer + at;
    this.data = this.#memory.bytes.subarray(at, at + this.length);
    this.#dataFrom += this.length;
    this.dataBytes += this.length;
    return deltaStep.data;
  }

  #continues(block: number): boolean {
    return this.#reuseBase + this.#reuseLength === block * this.#blockBytes;
  }

  /** Makes the match at the position a part of the range to reuse. */
  #join(): void {
    const block = this.#match;
    const length = this.#blockLength(block);
    if (this.#reuseLength === 0) {
      this.#reuseFrom = this.#position;
      this.#reuseBase = block * this.#blockBytes;
    }
    this.#reuseLength += length;
    this.#hash(length, this.#matchTag);
    this.#dataFrom = this.#position;
    this.#match = -1;
    this.#expected = block + 1;
    this.#credit = Math.min(searchCredit, this.#credit + length);
  }

  /** Goes on by `length` bytes; `tag` is their hash where they are a whole block. */
  #hash(length: number, tag: Uint8Array): void {
    const isBlock = length === this.#blockBytes && this.#position % this.#blockBytes === 0;
    if (isBlock && tag.length > 0) this.#content.addBlock(tag);
    else this.#content.update(this.#bytesAt(this.#position, length));
    this.#position += length;
    this.#hereTag = noBytes;
  }

  /** Finds out about the bytes at the position: a match, or more data. */
  #decide(): number {
    const size = this.#blockBytes;
    const filled = this.#fill(size);
    if (filled < 0) return filled;
    const here = this.#position / size;
    if (this.#isBlockHere(this.#expected)) return 0;
    if (Number.isInteger(here) && here !== this.#expected && this.#isBlockHere(here)) return 0;
    const boundary = Math.min((Math.floor(here) + 1) * size, this.#o.sizeBytes);
    const searched = this.#search(boundary);
    if (searched < 0) return searched;
    return 0;
  }

  /** Whether the base's block is at the position; it is a match then. */
  #isBlockHere(block: number): boolean {
    const { request, sizeBytes } = this.#o;
    if (block >= request.blocks) return false;
    const length = this.#blockLength(block);
    if (length > sizeBytes - this.#position) return false;
    if (length !== this.#blockBytes)
      return this.#isMatch(block, this.#tagAt(this.#position, length));
    if (this.#hereTag.length === 0) this.#hereTag = this.#tagAt(this.#position, length);
    return this.#isMatch(block, this.#hereTag);
  }

  #isMatch(block: number, tag: Uint8Array): boolean {
    const isSame = isSameTag(this.#o.request.bytes, requestHeaderBytes + block * tagBytes, tag, 0);
    if (!isSame) return false;
    this.#match = block;
    this.#matchTag = tag;
    return true;
  }

  /** Makes what comes before the next match, at most up to `boundary`, data. */
  #search(boundary: number): number {
    const anchors = this.#anchors;
    if (anchors === undefined || this.#credit <= 0) return this.#miss(boundary);
    const filled = this.#fill(2 * this.#blockBytes);
    if (filled < 0) return filled;
    const { bytes } = this.#memory;
    let from = this.#position;
    this.#credit -= boundary - from;
    this.#patience = Math.min(patienceMax, this.#patience + (boundary - from) * hashedPerByte);
    while (this.#patience >= 0) {
      const at = anchors.search(
        bytes,
        from - this.#memoryOffset,
        boundary - this.#memoryOffset,
        this.#memoryLength,
      );
      if (at === -1) break;
      const block = anchors.find(anchors.hash);
      const offset = this.#memoryOffset + at;
      const length = this.#blockLength(block);
      if (offset + length <= this.#memoryOffset + this.#memoryLength) {
        if (this.#isMatch(block, this.#tagAt(offset, length))) return this.#miss(offset);
        this.#patience -= length;
      }
      from = offset + 1;
    }
    return this.#miss(boundary);
  }

  #miss(to: number): number {
    const length = to - this.#position;
    if (length > 0) this.#hash(length, length === this.#blockBytes ? this.#hereTag : noBytes);
    return 0;
  }

  #blockLength(block: number): number {
    const { request } = this.#o;
    const left = request.coveredBytes - block * this.#blockBytes;
    return Math.min(left, this.#blockBytes);
  }

  #bytesAt(offset: number, length: number): Uint8Array {
    const at = offset - this.#memoryOffset;
    return this.#memory.bytes.subarray(at, at + length);
  }

  #tagAt(offset: number, length: number): Uint8Array {
    return this.#o.hash.tag(this.#bytesAt(offset, length));
  }

  /**
   * Sees to it that `ahead` bytes from the position are in memory, or all up to the end, and those
   * of the data that is not announced. Returns 0 or -errno.
   */
  #fill(ahead: number): number {
    const end = Math.min(this.#position + ahead, this.#o.sizeBytes);
    const have = this.#memoryOffset + this.#memoryLength;
    if (have >= end) return 0;
    const keep = this.#dataFrom;
    const want = Math.min(Math.max(end, have + readBytes), this.#o.sizeBytes);
    const { bytes, pointer } = this.#memory;
    // Without anything to keep the next read goes to the beginning, which is in the cache.
    if (keep === have || want - this.#memoryOffset > bytes.length) {
      bytes.copyWithin(0, keep - this.#memoryOffset, this.#memoryLength);
      this.#memoryOffset = keep;
      this.#memoryLength = have - keep;
    }
    const got = preadFully(this.#o.fd, pointer + this.#memoryLength, want - have, have);
    if (got < 0) return got;
    this.#memoryLength += got;
    return got < want - have ? -errno.ENODATA : 0;
  }
}

const noBytes = new Uint8Array(0);

/** How many bytes are hashed in vain for each that is searched, at most. */
const hashedPerByte = 4;

/** Saved up for, at most. */
const patienceMax = 64 * 1024 * 1024;
