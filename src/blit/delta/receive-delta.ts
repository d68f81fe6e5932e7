import { errno } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { preadFully, pwriteFully } from "../engine/content.ts";
import { requestHeaderBytes } from "./delta-request.ts";
import { ContentHash, isSameTag, type KeyedHash, tagBytes } from "./keyed-hash.ts";

/** One read or write: it stays in the second-level cache. */
const pieceBytes = 256 * 1024;

export type DeltaWriterOptions = {
  readonly hash: KeyedHash;
  /** Of the request that the answer is for: log2 of its block size. */
  readonly blockBytesLog2: number;
  /** What the request was made of, open for reading. */
  readonly baseFd: number;
  /** What the request covers: no more of the base may be named. */
  readonly coveredBytes: number;
  /** Open for writing. May be the base itself: of a transfer that goes on where one had stopped. */
  readonly targetFd: number;
  /** The target shares the base's blocks already (FICLONE): what stays in its place is there. */
  readonly isClone?: boolean;
  /**
   * The request, where the base is known not to have changed since it was made: whole blocks at
   * their own place need not be hashed again.
   */
  readonly request?: Uint8Array | undefined;
  /** As the FILE frame says. */
  readonly sizeBytes: number;
  /** Called every few MiB; an error number from it ends the work with it. */
  readonly between: () => number;
};

/** Puts a file together from what the target has and what comes, and hashes all of it. */
export class DeltaWriter {
  readonly #o: DeltaWriterOptions;
  readonly #content: ContentHash;
  readonly #memory: Memory;
  #position = 0;
  #hasBaseFailed = false;

  /** @param memory of the thread; `deltaWriterMemory` makes it */
  constructor(options: DeltaWriterOptions, memory: Memory) {
    this.#o = options;
    this.#memory = memory;
    this.#content = new ContentHash(options.hash, 2 ** options.blockBytesLog2);
  }

  /** Bytes that are written. */
  get position(): number {
    return this.#position;
  }

  /** The last `reuse` failed because of the base, not of the file that is written. */
  get hasBaseFailed(): boolean {
    return this.#hasBaseFailed;
  }

  /**
   * A REUSE frame. Returns 0, or -EBADMSG for one that is out of order or bounds, or -errno of
   * pread(2) or pwrite(2); -ENODATA for a base that has become shorter.
   */
  reuse(offset: number, baseOffset: number, length: number): number {
    const { baseFd, targetFd, coveredBytes, between } = this.#o;
    if (!this.#isNext(offset, length)) return -errno.EBADMSG;
    if (!(baseOffset >= 0) || baseOffset + length > coveredBytes) return -errno.EBADMSG;
    // What is before the position has been written over in a base that is the target.
    const isSameFile = baseFd === targetFd;
    if (isSameFile && baseOffset < offset) return -errno.EBADMSG;
    const isInPlace = (isSameFile || this.#o.isClone === true) && baseOffset === offset;
    const { bytes, pointer } = this.#memory;
    const known = this.#hashKnown(offset, baseOffset, length);
    let done = isInPlace ? known : 0;
    while (done < length) {
      const want = Math.min(pieceBytes, (done < known ? known : length) - done);
      const got = preadFully(baseFd, pointer, want, baseOffset + done);
      if (got < want) {
        this.#hasBaseFailed = true;
        return got < 0 ? got : -errno.ENODATA;
      }
      const isHashed = done < known;
      if (!isHashed) this.#content.update(want === pieceBytes ? bytes : bytes.subarray(0, want));
      if (!isInPlace) {
        const written = pwriteFully(targetFd, pointer, want, offset + done);
        if (written < 0) return written;
      }
      done += want;
    }
    this.#position += length;
    return between();
  }

  /** Takes hashes from the request as far as it has them; returns for how many bytes. */
  #hashKnown(offset: number, baseOffset: number, length: number): number {
    const { request, blockBytesLog2 } = this.#o;
    const blockBytes = 2 ** blockBytesLog2;
    if (request === undefined || offset % blockBytes !== 0 || baseOffset % blockBytes !== 0)
      return 0;
    const blocks = Math.floor(length / blockBytes);
    const from = requestHeaderBytes + (baseOffset / blockBytes) * tagBytes;
    for (let at = from; at < from + blocks * tagBytes; at += tagBytes) {
      this.#content.addBlock(request.subarray(at, at + tagBytes));
    }
    return blocks * blockBytes;
  }

  /**
   * The content of a DATA frame, unpacked: `length` bytes, which `bytes` shows and `pointer` is the
   * address of. Returns 0, -EBADMSG for one that is out of order or bounds, or -errno of pwrite(2).
   */
  data(offset: number, bytes: Uint8Array, pointer: number): number {
    if (!this.#isNext(offset, bytes.length)) return -errno.EBADMSG;
    this.#content.update(bytes);
    const written = pwriteFully(this.#o.targetFd, pointer, bytes.length, offset);
    if (written < 0) return written;
    this.#position += bytes.length;
    return 0;
  }

  /**
   * Whether all of it is there and is what the source has, by the hash in its FILE_END. Where it is
   * not, the file must not get its name.
   */
  isWhole(expected: Uint8Array): boolean {
    if (this.#position !== this.#o.sizeBytes || expected.length !== 16) return false;
    return isSameTag(this.#content.digest(), 0, expected, 0);
  }

  #isNext(offset: number, length: number): boolean {
    return offset === this.#position && length > 0 && offset + length <= this.#o.sizeBytes;
  }
}

/** What a thread needs for its writers, one after the other. */
export function deltaWriterMemory(): Memory {
  return new Memory(pieceBytes);
}
