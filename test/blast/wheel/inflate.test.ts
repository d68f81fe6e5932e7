import { describe, expect, test } from "bun:test";
import { deflateRawSync } from "node:zlib";
import { Inflater, threadInflater } from "../../../src/blast/wheel/inflate.ts";

const text = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * index) >> 8));
const packed = deflateRawSync(text);

/** Feeds `input` by pieces of some size; what came out, or what was wrong. */
function inflate(
  inflater: Inflater,
  input: Uint8Array,
  sizeBytes: number,
  pieceBytes = 1000,
): Buffer | string {
  const pieces: Buffer[] = [];
  let at = 0;
  const next = (): Uint8Array => {
    const piece = input.subarray(at, at + pieceBytes);
    at += piece.length;
    return piece;
  };
  const problem = inflater.inflate(next, input.length, sizeBytes, (piece) => {
    pieces.push(Buffer.from(piece));
  });
  return problem ?? Buffer.concat(pieces);
}

test("the handle below node:zlib is there: without it memory is not bounded", () => {
  // Fails with a Bun whose streams are made otherwise: then inflate.ts has to learn that.
  expect(new Inflater(new Uint8Array(10)).isPiecewise).toBeTrue();
  expect(threadInflater()).toBe(threadInflater());
});

for (const isPublic of [false, true]) {
  describe(isPublic ? "by the public call" : "by pieces", () => {
    const inflater = new Inflater(new Uint8Array(4096), { public: isPublic });

    test("gives what was packed, one member after the other", () => {
      for (const pieceBytes of [1, 7, 1000, 1_000_000]) {
        expect(inflate(inflater, packed, text.length, pieceBytes)).toEqual(text);
      }
      expect(inflate(inflater, deflateRawSync(""), 0)).toEqual(Buffer.alloc(0));
      for (const size of [4095, 4096, 4097, 8192]) {
        const some = text.subarray(0, size);
        expect(inflate(inflater, deflateRawSync(some), size)).toEqual(Buffer.from(some));
      }
    });

    test("says what is wrong, and goes on with the next member", () => {
      const wrong = (input: Uint8Array, sizeBytes: number) => {
        const result = inflate(inflater, input, sizeBytes);
        expect(inflate(inflater, packed, text.length)).toEqual(text);
        return typeof result === "string" ? result : "accepted";
      };
      const behind = Buffer.concat([packed, Buffer.from("more")]);
      expect(wrong(packed.subarray(0, -1), text.length)).toContain("damaged");
      expect(wrong(behind, text.length)).toBe("something stands behind its data");
      expect(wrong(Buffer.alloc(9, 0xff), 9)).toContain("damaged");
      expect(wrong(packed, text.length - 1)).not.toBe("accepted");
      expect(wrong(packed, text.length + 1)).not.toBe("accepted");
      expect(wrong(packed, 0)).not.toBe("accepted");
      expect(wrong(Buffer.alloc(0), 0)).toBe("it is cut off");
    });
  });
}

test("a bomb is stopped at the size that it claims", () => {
  const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024));
  let given = 0;
  const inflater = new Inflater(new Uint8Array(4096));
  const problem = inflater.inflate(
    () => bomb,
    bomb.length,
    10_000,
    (piece) => {
      given += piece.length;
    },
  );
  expect(problem).toBe("it is longer than it says");
  expect(given).toBeLessThanOrEqual(10_000);
});

test("input that ends too early is told", () => {
  const inflater = new Inflater(new Uint8Array(4096));
  const pieces = [packed.subarray(0, 500), Buffer.alloc(0)];
  const problem = inflater.inflate(
    () => pieces.shift() ?? Buffer.alloc(0),
    packed.length,
    text.length,
    () => undefined,
  );
  expect(problem).toBe("it is cut off");
});
