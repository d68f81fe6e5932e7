import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";

/**
 * The records of an encrypted stream where the kernel has no TLS: a head of 32 bytes (u32 length of
 * the content, 12 zero bytes, tag of 16 bytes), then the ciphertext, filled up with zeros to a
 * multiple of 32. AES-256-GCM (NIST SP 800-38D); the nonce is the stream's IV XOR the number of
 * the record, as in RFC 8446, 5.3, and the first half of the head is authenticated with it. A
 * record that is lost, repeated or moved has another number, so it does not open.
 *
 * All is a multiple of 32 because processors with fast string copies (AMD Zen 3) copy up to ten
 * times slower to an address that is not, in the kernel too (docs/bun.md).
 */

/** Most bytes of content in one record. */
export const RECORD_BYTES_MAX = 64 * 1024;
/** Bytes that a record has beyond its content, at most. */
export const RECORD_EXTRA_BYTES = 64;

const alignment = 32;
const headBytes = 32;
const authenticatedBytes = 16;
const tagBytes = 16;

/** Bytes of the record that holds so much content. */
function recordBytes(contentBytes: number): number {
  return headBytes + Math.ceil(contentBytes / alignment) * alignment;
}

const ivBytes = 12;
const algorithm = "aes-256-gcm";

/**
 * After so many records both sides go on with a key derived from the last: 64 GiB under one key
 * keep well below what NIST SP 800-38D and RFC 8446, 5.5, allow.
 */
export const RECORDS_PER_KEY = 2 ** 20;

/** Key and record number of one direction. */
class Sequence {
  readonly head = Buffer.alloc(authenticatedBytes);
  readonly #iv: Uint8Array;
  readonly #nonce = new Uint8Array(ivBytes);
  readonly #recordsPerKey: number;
  #key: Uint8Array;
  #record = 0;

  constructor(key: Uint8Array, iv: Uint8Array, recordsPerKey: number) {
    if (key.length !== 32 || iv.length !== ivBytes) throw new Error("Wrong size of key or IV");
    this.#key = key.slice();
    this.#iv = iv.slice();
    this.#recordsPerKey = recordsPerKey;
  }

  get key(): Uint8Array {
    return this.#key;
  }

  /** Of the record that comes next; each is given out once. */
  nextNonce(): Uint8Array {
    if (this.#record > 0 && this.#record % this.#recordsPerKey === 0) {
      this.#key = new Uint8Array(hkdfSync("sha256", this.#key, "", "blit next key", 32));
    }
    const nonce = this.#nonce;
    nonce.set(this.#iv);
    let rest = this.#record++;
    for (let i = ivBytes - 1; rest > 0; i--) {
      nonce[i] = (nonce[i] as number) ^ (rest % 256);
      rest = Math.floor(rest / 256);
    }
    return nonce;
  }
}

/** Closes records: the sending direction of a stream. */
export class RecordSealer {
  readonly #sequence: Sequence;

  constructor(key: Uint8Array, iv: Uint8Array, recordsPerKey = RECORDS_PER_KEY) {
    this.#sequence = new Sequence(key, iv, recordsPerKey);
  }

  /**
   * Writes one record with `content` (1 to RECORD_BYTES_MAX bytes) at `offset` of `to`, a multiple
   * of 32 best; returns its length, at most RECORD_EXTRA_BYTES more than the content.
   */
  seal(content: Uint8Array, to: Uint8Array, offset: number): number {
    const { length } = content;
    if (length === 0 || length > RECORD_BYTES_MAX) throw new Error("Wrong size of a record");
    const { head } = this.#sequence;
    head.writeUInt32LE(length, 0);
    const nonce = this.#sequence.nextNonce();
    const cipher = createCipheriv(algorithm, this.#sequence.key, nonce);
    cipher.setAAD(head);
    const total = recordBytes(length);
    to.set(head, offset);
    to.set(cipher.update(content), offset + headBytes);
    cipher.final();
    to.set(cipher.getAuthTag(), offset + authenticatedBytes);
    to.fill(0, offset + headBytes + length, offset + total);
    return total;
  }
}

/** Opens records: the receiving direction of a stream. */
export class RecordOpener {
  readonly #sequence: Sequence;

  constructor(key: Uint8Array, iv: Uint8Array, recordsPerKey = RECORDS_PER_KEY) {
    this.#sequence = new Sequence(key, iv, recordsPerKey);
  }

  /**
   * Length of the whole record that starts at `offset`, 0 while its head is not there, -1 where no
   * record begins like this.
   */
  recordLength(from: Uint8Array, offset: number, end: number): number {
    if (end - offset < headBytes) return 0;
    const view = new DataView(from.buffer, from.byteOffset + offset, headBytes);
    const length = view.getUint32(0, true);
    return length === 0 || length > RECORD_BYTES_MAX ? -1 : recordBytes(length);
  }

  /**
   * Opens the whole record `record` and writes its content at `offset` of `to`. Returns the
   * content's length, or -1 for a record that is not the sender's next one: nothing of it is
   * written then, and nothing more may be read from the stream.
   */
  open(record: Uint8Array, to: Uint8Array, offset: number): number {
    const view = new DataView(record.buffer, record.byteOffset, headBytes);
    const end = headBytes + view.getUint32(0, true);
    const nonce = this.#sequence.nextNonce();
    const decipher = createDecipheriv(algorithm, this.#sequence.key, nonce, {
      authTagLength: tagBytes,
    });
    decipher.setAAD(record.subarray(0, authenticatedBytes));
    decipher.setAuthTag(record.subarray(authenticatedBytes, headBytes));
    const content = decipher.update(record.subarray(headBytes, end));
    try {
      decipher.final();
    } catch {
      return -1;
    }
    for (let i = end; i < record.length; i++) if (record[i] !== 0) return -1;
    copyAligned(content, to, offset);
    return content.length;
  }
}

/** Copies so that all but the first bytes go to a multiple of 32. `to` starts at one. */
function copyAligned(from: Uint8Array, to: Uint8Array, offset: number): void {
  const lead = (alignment - (offset % alignment)) % alignment;
  if (lead === 0 || lead >= from.length) {
    to.set(from, offset);
    return;
  }
  to.set(from.subarray(0, lead), offset);
  to.set(from.subarray(lead), offset + lead);
}
