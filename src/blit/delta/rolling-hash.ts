/**
 * A rolling hash over the last 32 bytes: each byte shifts the hash left by one and adds a number of
 * its own, so that a byte is out of it 32 bytes later without being taken back.
 */

/** How many bytes the hash speaks of. */
export const windowBytes = 32;

/** Numbers without a pattern, the same on both sides: splitmix32 from a fixed seed. */
export const gear = makeGear();

function makeGear(): Int32Array {
  const numbers = new Int32Array(256);
  let state = 0x6b_6c_69_74;
  for (let i = 0; i < 256; i++) {
    state = (state + 0x9e_37_79_b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21_f0_aa_ad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x73_5a_2d_97);
    numbers[i] = mixed ^ (mixed >>> 15);
  }
  return numbers;
}

/** The hash of the 32 bytes at `offset`. */
export function rollingHash(bytes: Uint8Array, offset: number): number {
  let hash = 0;
  for (let i = offset; i < offset + windowBytes; i++) {
    hash = ((hash << 1) + (gear[bytes[i] as number] as number)) | 0;
  }
  return hash;
}

/**
 * The hash as it stands in a request: 0 where there is none, because the bytes are a pattern as
 * padding is, which would be found everywhere.
 */
export function anchorOf(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset];
  const second = bytes[offset + 1];
  let others = 0;
  for (let i = offset + 2; i < offset + windowBytes; i++) {
    const byte = bytes[i];
    if (byte !== first && byte !== second) others++;
  }
  return others < 4 ? 0 : rollingHash(bytes, offset);
}

/** Where the blocks of a request begin, by their rolling hash. */
export class AnchorIndex {
  /** One bit for each value of the hash's upper bits that a block has. */
  readonly #filter: Uint32Array;
  readonly #shift: number;
  readonly #slots: Int32Array;
  readonly #mask: number;
  readonly #slotShift: number;
  readonly #anchors: Int32Array;

  /** @param count how many anchors of 4 bytes are at `offset` of `bytes` */
  constructor(bytes: Uint8Array, offset: number, count: number) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, count * 4);
    const anchors = new Int32Array(count);
    let slotBits = 4;
    while (2 ** slotBits < count * 2) slotBits++;
    const filterBits = Math.min(23, slotBits + 5);
    this.#shift = 32 - filterBits;
    this.#filter = new Uint32Array(2 ** (filterBits - 5));
    this.#slots = new Int32Array(2 ** slotBits).fill(-1);
    this.#mask = 2 ** slotBits - 1;
    this.#slotShift = 32 - slotBits;
    this.#anchors = anchors;
    for (let block = 0; block < count; block++) {
      const anchor = view.getInt32(block * 4, true);
      anchors[block] = anchor;
      if (anchor !== 0) this.#insert(anchor, block);
    }
  }

  /** Blocks that begin alike are kept once: the first of them. */
  #insert(anchor: number, block: number): void {
    let slot = spread(anchor) >>> this.#slotShift;
    for (;;) {
      const other = this.#slots[slot] as number;
      if (other === -1) break;
      if (this.#anchors[other] === anchor) return;
      slot = (slot + 1) & this.#mask;
    }
    this.#slots[slot] = block;
    const bit = spread(anchor) >>> this.#shift;
    this.#filter[bit >>> 5] = (this.#filter[bit >>> 5] as number) | (1 << (bit & 31));
  }

  /** The block that begins with this hash, or -1. */
  find(hash: number): number {
    let slot = spread(hash) >>> this.#slotShift;
    for (;;) {
      const block = this.#slots[slot] as number;
      if (block === -1 || this.#anchors[block] === hash) return block;
      slot = (slot + 1) & this.#mask;
    }
  }

  /**
   * Looks for a block that begins at `from` or later, but before `to`; the bytes up to `end` are
   * there. Returns the offset where one may begin (its hash is in `hash`), or -1.
   */
  search(bytes: Uint8Array, from: number, to: number, end: number): number {
    const last = Math.min(to - 1 + windowBytes, end);
    if (from + windowBytes > last) return -1;
    const filter = this.#filter;
    const shift = this.#shift;
    const numbers = gear;
    let hash = 0;
    let at = from;
    for (const warm = from + windowBytes - 1; at < warm; at++) {
      hash = ((hash << 1) + (numbers[bytes[at] as number] as number)) | 0;
    }
    for (; at < last; at++) {
      hash = ((hash << 1) + (numbers[bytes[at] as number] as number)) | 0;
      const bit = Math.imul(hash, spreading) >>> shift;
      if (((filter[bit >>> 5] as number) & (1 << (bit & 31))) !== 0 && this.find(hash) !== -1) {
        this.hash = hash;
        return at + 1 - windowBytes;
      }
    }
    return -1;
  }

  /** Of the place that `search` found. */
  hash = 0;
}

const spreading = 0x85_eb_ca_6b | 0;

/** The upper bits depend on all bytes of the window, the lower ones on few. */
function spread(hash: number): number {
  return Math.imul(hash, spreading);
}
