import { type Memory, takeMemory } from "../../../ffi/mem.ts";
import { preadFully } from "../engine/content.ts";
import {
  blockBytesLog2For,
  blocksMax,
  requestBytesMax,
  requestFlag,
  requestHeaderBytes,
  writeRequestHead,
} from "./delta-request.ts";
import { type KeyedHash, tagBytes } from "./keyed-hash.ts";
import { anchorOf, windowBytes } from "./rolling-hash.ts";

/** What the target says of a file that it has, for the source to compare with. */

/** One read: it stays in the second-level cache until it is hashed. */
const readBytes = 256 * 1024;

export type BaseHashOptions = {
  /** `requestFlag`: anchors let the source find blocks that have moved, reuse lets it name them. */
  readonly flags: number;
  /** Called every few MiB; an error number (-errno) ends the work with it. */
  readonly between: () => number;
};

export class BaseHasher {
  readonly #hash: KeyedHash;
  #memory: Memory | undefined;

  /** @param hash of this pass */
  constructor(hash: KeyedHash) {
    this.#hash = hash;
  }

  /**
   * The request for a base: its first `baseBytes` bytes as they are now. A file that ends earlier
   * is described as far as it goes. Returns the bytes to send, or -errno of pread(2).
   */
  request(fd: number, baseBytes: number, options: BaseHashOptions): Uint8Array | number {
    const log2 = blockBytesLog2For(baseBytes);
    const blockBytes = 2 ** log2;
    const to = new Uint8Array(requestBytesMax(baseBytes));
    const limit = Math.min(baseBytes, blockBytes * blocksMax);
    const withAnchors = (options.flags & requestFlag.anchors) !== 0;
    const blocks = Math.ceil(limit / blockBytes);
    const anchors = new DataView(to.buffer, requestHeaderBytes + blocks * tagBytes);
    let block = 0;
    let covered = 0;
    let sinceBreak = 0;
    while (covered < limit) {
      const piece = this.#block(fd, covered, Math.min(blockBytes, limit - covered));
      if (typeof piece === "number") return piece;
      if (piece.length === 0) break;
      to.set(piece.tag, requestHeaderBytes + block * tagBytes);
      if (withAnchors) anchors.setInt32(block * 4, piece.anchor, true);
      block++;
      covered += piece.length;
      sinceBreak += piece.length;
      if (sinceBreak >= breakBytes) {
        sinceBreak = 0;
        const result = options.between();
        if (result < 0) return result;
      }
      if (piece.length < blockBytes) break;
    }
    if (block < blocks) to.copyWithin(requestHeaderBytes + block * tagBytes, anchors.byteOffset);
    const head = { flags: options.flags, blockBytesLog2: log2, blocks: block };
    writeRequestHead(to, { ...head, coveredBytes: covered });
    return to.subarray(0, requestHeaderBytes + block * (tagBytes + (withAnchors ? 4 : 0)));
  }

  /** The request for a small file, less than `deltaBytesMin`, whose bytes are in memory. */
  smallRequest(content: Uint8Array): Uint8Array {
    const blocks = content.length === 0 ? 0 : 1;
    const to = new Uint8Array(requestHeaderBytes + blocks * tagBytes);
    const head = { flags: 0, blockBytesLog2: blockBytesLog2For(content.length), blocks };
    writeRequestHead(to, { ...head, coveredBytes: content.length });
    if (blocks > 0) to.set(this.#hash.tag(content), requestHeaderBytes);
    return to;
  }

  #block(fd: number, offset: number, length: number) {
    this.#memory ??= takeMemory(readBytes);
    const { bytes, pointer } = this.#memory;
    const mac = this.#hash.block();
    let anchor = 0;
    let done = 0;
    while (done < length) {
      const want = Math.min(readBytes, length - done);
      const got = preadFully(fd, pointer, want, offset + done);
      if (got < 0) return got;
      mac.add(got === readBytes ? bytes : bytes.subarray(0, got));
      if (done === 0 && got >= windowBytes) anchor = anchorOf(bytes, 0);
      done += got;
      if (got < want) break;
    }
    return { length: done, tag: mac.end(), anchor };
  }
}

/** How often others get a turn. */
const breakBytes = 8 * 1024 * 1024;
