import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";

/**
 * The records of an encrypted stream where the kernel has no TLS: u32 number of bytes that follow,
 * ciphertext, tag of 16 bytes. AES-256-GCM (NIST SP 800-38D); the nonce is the stream's IV XOR the
 * number of the record, as in RFC 8446, 5.3, and the length is authenticated with it. A record
 * that is lost, repeated or moved has another number, so it does not open.
 */

/** Most bytes of content in one record. */
export const RECORD_BYTES_MAX = 64 * 1024;
const tagBytes = 16;
const headBytes = 4;
/** Bytes that a record has beyond its content. */
export const RECORD_EXTRA_BYTES = headBytes + tagBytes;

const ivBytes = 12;
const algorithm = "aes-256-gcm";

/**
 * After so many records both sides go on with a key derived from the last: 64 GiB under one key
 * keep well below what NIST SP 800-38D and RFC 8446, 5.5, allow.
 */
export const RECORDS_PER_KEY = 2 ** 20;

/** Key and record number of one direction. */
class Sequence {
  readonly head = Buffer.alloc(headBytes);
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
   * Writes one record with `content` (1 to RECORD_BYTES_MAX bytes) at `offset` of `to`; returns
   * its length, content and RECORD_EXTRA_BYTES.
   */
  seal(content: Uint8Array, to: Uint8Array, offset: number): number {
    const { length } = content;
    if (length === 0 || length > RECORD_BYTES_MAX) throw new Error("Wrong size of a record");
    const { head } = this.#sequence;
    head.writeUInt32LE(length + tagBytes, 0);
    const nonce = this.#sequence.nextNonce();
    const cipher = createCipheriv(algorithm, this.#sequence.key, nonce);
    cipher.setAAD(head);
    to.set(head, offset);
    to.set(cipher.update(content), offset + headBytes);
    cipher.final();
    to.set(cipher.getAuthTag(), offset + headBytes + length);
    return length + RECORD_EXTRA_BYTES;
  }
}

/** Opens records: the receiving direction of a stream. */
export class RecordOpener {
  readonly #sequence: Sequence;

  constructor(key: Uint8Array, iv: Uint8Array, recordsPerKey = RECORDS_PER_KEY) {
    this.#sequence = new Sequence(key, iv, recordsPerKey);
  }

  /**
   * Length of the whole record that starts at `offset`, 0 while fewer than its first four bytes
   * are there, -1 where no record begins like this.
   */
  recordLength(from: Uint8Array, offset: number, end: number): number {
    if (end - offset < headBytes) return 0;
    const view = new DataView(from.buffer, from.byteOffset + offset, headBytes);
    const rest = view.getUint32(0, true);
    return rest <= tagBytes || rest > RECORD_BYTES_MAX + tagBytes ? -1 : headBytes + rest;
  }

  /**
   * Opens the whole record `record` and writes its content at `offset` of `to`. Returns the
   * content's length, or -1 for a record that is not the sender's next one: nothing of it is
   * written then, and nothing more may be read from the stream.
   */
  open(record: Uint8Array, to: Uint8Array, offset: number): number {
    const end = record.length - tagBytes;
    const nonce = this.#sequence.nextNonce();
    const decipher = createDecipheriv(algorithm, this.#sequence.key, nonce, {
      authTagLength: tagBytes,
    });
    decipher.setAAD(record.subarray(0, headBytes));
    decipher.setAuthTag(record.subarray(end));
    const content = decipher.update(record.subarray(headBytes, end));
    try {
      decipher.final();
    } catch {
      return -1;
    }
    to.set(content, offset);
    return content.length;
  }
}
