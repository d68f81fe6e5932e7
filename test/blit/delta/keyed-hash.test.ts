import { describe, expect, test } from "bun:test";
import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { ContentHash, isSameTag, KeyedHash } from "../../../src/blit/delta/keyed-hash.ts";

const key = new Uint8Array(32).map((_, i) => i);

describe("the hash of a block", () => {
  test("is GMAC: AES-256-GCM over nothing, with the block as what is only authenticated", () => {
    const block = Buffer.from("block");
    const cipher = createCipheriv("aes-256-gcm", key, new Uint8Array(12));
    cipher.setAAD(block);
    cipher.final();
    expect(Buffer.from(new KeyedHash(key).tag(block))).toEqual(cipher.getAuthTag());
  });

  test("differs by content, length and key", () => {
    const hash = new KeyedHash(key);
    const other = new KeyedHash(new Uint8Array(32));
    const tag = hash.tag(new Uint8Array(16));
    for (const different of [
      hash.tag(new Uint8Array(17)),
      hash.tag(Uint8Array.of(1)),
      other.tag(new Uint8Array(16)),
    ]) {
      expect(isSameTag(tag, 0, different, 0)).toBe(false);
    }
    expect(() => new KeyedHash(new Uint8Array(16))).toThrow("32 bytes");
  });
});

describe("the hash of a content", () => {
  const hash = new KeyedHash(key);
  const whole = (bytes: Uint8Array): string => {
    const content = new ContentHash(hash, 64);
    content.update(bytes);
    return Buffer.from(content.digest()).toString("hex");
  };

  test("does not depend on the pieces that it comes in, nor on who hashed a block", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.array(fc.nat(130)), (bytes, cuts) => {
        const content = new ContentHash(hash, 64);
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          const isBlock = at % 64 === 0 && cut % 2 === 0 && at + 64 <= bytes.length;
          const end = isBlock ? at + 64 : Math.min(at + cut, bytes.length);
          if (isBlock) content.addBlock(hash.tag(bytes.subarray(at, end)));
          else content.update(bytes.subarray(at, end));
          at = end;
        }
        expect(content.total).toBe(bytes.length);
        expect(Buffer.from(content.digest()).toString("hex")).toBe(whole(bytes));
      }),
    );
  });

  test("is not the hash of a block, and tells lengths apart", () => {
    const tag = Buffer.from(hash.tag(new Uint8Array(64))).toString("hex");
    const seen = [0, 1, 63, 64, 65, 128].map((length) => whole(new Uint8Array(length)));
    expect(new Set([tag, ...seen]).size).toBe(7);
  });

  test("a known block only fits where a block begins", () => {
    const content = new ContentHash(hash, 64);
    content.update(Uint8Array.of(1));
    expect(() => content.addBlock(hash.tag(new Uint8Array(64)))).toThrow("not at its end");
  });
});
