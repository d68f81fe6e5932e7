import { describe, expect, test } from "bun:test";
import { createDecipheriv, randomBytes } from "node:crypto";
import fc from "fast-check";
import {
  RECORD_BYTES_MAX,
  RECORD_EXTRA_BYTES,
  RecordOpener,
  RecordSealer,
} from "../../../src/blit/wire/stream-cipher.ts";

const key = randomBytes(32);
const iv = randomBytes(12);

function sealed(sealer: RecordSealer, content: Uint8Array): Uint8Array {
  const record = new Uint8Array(content.length + RECORD_EXTRA_BYTES + 7);
  const length = sealer.seal(content, record, 7);
  return record.subarray(7, 7 + length);
}

function opened(opener: RecordOpener, record: Uint8Array): Uint8Array | undefined {
  const to = new Uint8Array(RECORD_BYTES_MAX);
  const length = opener.open(record, to, 0);
  return length < 0 ? undefined : to.subarray(0, length);
}

test("a record is what the standard says: AES-256-GCM, nonce = IV XOR number", () => {
  const sealer = new RecordSealer(key, iv);
  for (let number = 0; number < 300; number++) {
    const content = randomBytes(1 + number);
    const record = sealed(sealer, content);
    const nonce = Buffer.from(iv);
    nonce.writeUInt16BE(nonce.readUInt16BE(10) ^ number, 10);
    const decipher = createDecipheriv("aes-256-gcm", key, nonce);
    decipher.setAAD(record.subarray(0, 16));
    decipher.setAuthTag(record.subarray(16, 32));
    const end = 32 + content.length;
    const plain = Buffer.concat([decipher.update(record.subarray(32, end)), decipher.final()]);
    expect(plain.equals(content)).toBe(true);
    expect(record.length % 32).toBe(0);
    expect(record.length - end).toBeLessThan(32);
    expect(new DataView(record.buffer, record.byteOffset).getUint32(0, true)).toBe(content.length);
  }
});

test("records open in order, across changes of the key", () => {
  const sealer = new RecordSealer(key, iv, 3);
  const opener = new RecordOpener(key, iv, 3);
  const never = new RecordOpener(key, iv, 1000);
  for (let number = 0; number < 20; number++) {
    const content = randomBytes(50);
    const record = sealed(sealer, content);
    expect(opened(opener, record)).toEqual(new Uint8Array(content));
    expect(opened(never, record) === undefined).toBe(number >= 3);
  }
});

describe("a record does not open", () => {
  test("twice, out of order, or on another stream", () => {
    const sealer = new RecordSealer(key, iv);
    const [first, second] = [sealed(sealer, randomBytes(10)), sealed(sealer, randomBytes(10))];
    const twice = new RecordOpener(key, iv);
    expect(opened(twice, first)).toBeDefined();
    expect(opened(twice, first)).toBeUndefined();
    expect(opened(new RecordOpener(key, iv), second)).toBeUndefined();
    expect(opened(new RecordOpener(randomBytes(32), iv), first)).toBeUndefined();
    expect(opened(new RecordOpener(key, randomBytes(12)), first)).toBeUndefined();
  });

  test("with any bit of it turned", () => {
    const content = fc.uint8Array({ minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(
        content,
        fc.integer({ min: 0 }),
        fc.integer({ min: 0, max: 7 }),
        (bytes, at, bit) => {
          const record = sealed(new RecordSealer(key, iv), bytes);
          const place = at % record.length;
          record[place] = (record[place] as number) ^ (1 << bit);
          const to = new Uint8Array(300).fill(0xee);
          const opener = new RecordOpener(key, iv);
          expect(opener.open(record, to, 0)).toBe(-1);
          expect(to.every((byte) => byte === 0xee)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

test("lengths are judged before anything is waited for", () => {
  const opener = new RecordOpener(key, iv);
  const length = (value: number): number => {
    const head = new Uint8Array(40);
    new DataView(head.buffer).setUint32(1, value, true);
    return opener.recordLength(head, 1, 40);
  };
  expect(length(0)).toBe(-1);
  expect(length(1)).toBe(64);
  expect(length(32)).toBe(64);
  expect(length(33)).toBe(96);
  expect(length(RECORD_BYTES_MAX)).toBe(RECORD_BYTES_MAX + 32);
  expect(length(RECORD_BYTES_MAX + 1)).toBe(-1);
  expect(length(0xffffffff)).toBe(-1);
  expect(opener.recordLength(new Uint8Array(40), 9, 40)).toBe(0);
});

test("what cannot be one record is refused", () => {
  const sealer = new RecordSealer(key, iv);
  const to = new Uint8Array(2 * RECORD_BYTES_MAX);
  expect(() => sealer.seal(new Uint8Array(0), to, 0)).toThrow("Wrong size");
  expect(() => sealer.seal(new Uint8Array(RECORD_BYTES_MAX + 1), to, 0)).toThrow("Wrong size");
  expect(() => new RecordSealer(key.subarray(1), iv)).toThrow("Wrong size");
  expect(() => new RecordOpener(key, iv.subarray(1))).toThrow("Wrong size");
});
