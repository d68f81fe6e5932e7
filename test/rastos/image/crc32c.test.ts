import { expect, test } from "bun:test";
import fc from "fast-check";
import { crc32c, crc32cRaw } from "../../../src/rastos/image/crc32c.ts";

test("CRC-32C of the vectors of RFC 3720", () => {
  const sum = (bytes: Uint8Array): string => crc32c(bytes).toString(16).padStart(8, "0");
  expect(sum(Buffer.from("123456789"))).toBe("e3069283");
  expect(sum(new Uint8Array(32))).toBe("8a9136aa");
  expect(sum(new Uint8Array(32).fill(0xff))).toBe("62a8ab43");
  expect(sum(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe("46dd794e");
});

test("eight bytes a step come to the same as bit by bit, wherever they begin", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat({ max: 7 }),
      fc.nat(),
      (all, from, seed) => {
        const bytes = all.subarray(Math.min(from, all.length));
        expect(crc32cRaw(seed, bytes)).toBe(bitByBit(seed, bytes));
      },
    ),
  );
});

function bitByBit(seed: number, bytes: Uint8Array): number {
  let crc = seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return crc >>> 0;
}
