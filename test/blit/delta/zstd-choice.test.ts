import { expect, test } from "bun:test";
import fc from "fast-check";
import { unpackZstd, ZstdChoice } from "../../../src/blit/delta/zstd-choice.ts";

const text = Buffer.from("the same words again and again; ".repeat(10_000));
const noise = crypto.getRandomValues(new Uint8Array(65_536));

/** A clock that says that each compression took so long. */
function clock(stepMs: number): () => number {
  let now = 0;
  return () => {
    now += stepMs;
    return now;
  };
}

test("text goes packed over a slow link and comes out again", () => {
  const choice = new ZstdChoice();
  choice.sent(1_000_000, 1000, 10);
  const packed = choice.pack(text, clock(1));
  expect(packed?.length).toBeLessThan(text.length / 10);
  expect(unpackZstd(packed as Uint8Array, text.length)).toEqual(new Uint8Array(text));
});

test("a link that nobody waits for gets the bytes as they are", () => {
  const choice = new ZstdChoice();
  choice.sent(1_000_000_000, 1, 1000);
  expect(choice.pack(text)).toBeUndefined();
});

test("what takes longer to pack than to send is not packed, nor what does not shrink", () => {
  const fast = new ZstdChoice();
  fast.sent(1_000_000_000, 1000, 1);
  expect(fast.pack(text, clock(1000))).toBeUndefined();
  const slow = new ZstdChoice();
  slow.sent(1_000, 1000, 1);
  expect(slow.pack(noise, clock(1))).toBeUndefined();
  // The next pieces are not even tried.
  expect(slow.pack(text, clock(1))).toBeUndefined();
});

test("what does not say exactly the right length is refused before it is unpacked", () => {
  const packed = Bun.zstdCompressSync(new Uint8Array(100_000_000));
  expect(unpackZstd(packed, 1_000_000)).toBeUndefined();
  const twice = Buffer.concat([Bun.zstdCompressSync(text), packed]);
  expect(unpackZstd(twice, text.length)?.length ?? 0).toBeLessThanOrEqual(text.length);
});

test("any bytes are content or undefined", () => {
  const packed = Bun.zstdCompressSync(text.subarray(0, 5000));
  fc.assert(
    fc.property(
      fc.array(fc.record({ at: fc.nat(packed.length - 1), value: fc.nat(255) }), { maxLength: 5 }),
      fc.nat(packed.length),
      fc.nat(10_000),
      (flips, cut, length) => {
        const bytes = packed.slice(0, cut);
        for (const { at, value } of flips) if (at < cut) bytes[at] = value;
        const content = unpackZstd(bytes, length);
        if (content !== undefined) expect(content.length).toBe(length);
      },
    ),
  );
});
