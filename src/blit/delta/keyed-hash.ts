import { createCipheriv } from "node:crypto";

/**
 * Hashes of blocks and of whole contents under a key that both sides got with the pass. The hash is
 * GMAC with AES-256 (NIST SP 800-38D): whoever made a file before the key was drawn cannot make two
 * blocks that agree, at the speed of the processor's carry-less multiplication.
 */

/** Of the key in a PASS frame. */
export const keyBytes = 32;

/** Of one hash. */
export const tagBytes = 16;

/** Tells hashes of blocks from hashes of hashes. */
const purpose = { block: 0, content: 1 } as const;

const empty = new Uint8Array(0);

export class KeyedHash {
  readonly #key: Uint8Array;

  /** @param key 32 random bytes; copied */
  constructor(key: Uint8Array) {
    if (key.length !== keyBytes) throw new Error(`A key has ${keyBytes} bytes, not ${key.length}`);
    this.#key = key.slice();
  }

  /** The hash of a block, 16 bytes. */
  tag(bytes: Uint8Array): Uint8Array {
    const mac = new Mac(this.#key, purpose.block);
    mac.add(bytes);
    return mac.end();
  }

  /** The hash of a block that comes in pieces. */
  block(): Mac {
    return new Mac(this.#key, purpose.block);
  }

  /** For hashes of hashes, which never agree with the hash of a block. */
  content(): Mac {
    return new Mac(this.#key, purpose.content);
  }
}

const nonces = [new Uint8Array(12), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)];

/** One hash in the making: any number of pieces, then `end`. */
export class Mac {
  readonly #cipher;

  constructor(key: Uint8Array, use: 0 | 1) {
    this.#cipher = createCipheriv("aes-256-gcm", key, nonces[use] ?? empty);
  }

  add(bytes: Uint8Array): void {
    this.#cipher.setAAD(bytes);
  }

  /** The hash; nothing may be added afterwards. */
  end(): Uint8Array {
    this.#cipher.final();
    return this.#cipher.getAuthTag();
  }
}

/** Whether 16 bytes at two places are the same. */
export function isSameTag(a: Uint8Array, aOffset: number, b: Uint8Array, bOffset: number): boolean {
  for (let i = 0; i < tagBytes; i++) {
    if (a[aOffset + i] !== b[bOffset + i]) return false;
  }
  return true;
}

/**
 * The hash of a file's whole content, fed from its beginning to its end: a hash over the hashes of
 * its blocks and its size. Where the hash of a block is known already, the block need not be
 * looked at again.
 */
export class ContentHash {
  readonly #hash: KeyedHash;
  readonly #blockBytes: number;
  readonly #whole: Mac;
  #open: Mac | undefined;
  #inBlock = 0;
  #total = 0;

  /** @param blockBytes the same on both sides */
  constructor(hash: KeyedHash, blockBytes: number) {
    this.#hash = hash;
    this.#blockBytes = blockBytes;
    this.#whole = hash.content();
  }

  /** Bytes so far. */
  get total(): number {
    return this.#total;
  }

  update(bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      const length = Math.min(this.#blockBytes - this.#inBlock, bytes.length - done);
      const isAll = done === 0 && length === bytes.length;
      const piece = isAll ? bytes : bytes.subarray(done, done + length);
      this.#open ??= this.#hash.block();
      this.#open.add(piece);
      this.#inBlock += length;
      this.#total += length;
      done += length;
      if (this.#inBlock === this.#blockBytes) this.#closeBlock();
    }
  }

  /** The next block, whole, by its hash. Only where a block begins. */
  addBlock(tag: Uint8Array): void {
    if (this.#open !== undefined) throw new Error("A block is not at its end");
    this.#whole.add(tag);
    this.#total += this.#blockBytes;
  }

  /** 16 bytes; nothing may be added afterwards. */
  digest(): Uint8Array {
    if (this.#open !== undefined) this.#closeBlock();
    const size = new Uint8Array(8);
    new DataView(size.buffer).setBigUint64(0, BigInt(this.#total), true);
    this.#whole.add(size);
    return this.#whole.end();
  }

  #closeBlock(): void {
    if (this.#open !== undefined) this.#whole.add(this.#open.end());
    this.#open = undefined;
    this.#inBlock = 0;
  }
}
