import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { cut } from "../../../src/rastos/backup/cut.ts";
import { createSealer } from "../../../src/rastos/backup/sealer.ts";

const key = randomBytes(32);
const content = fc.oneof(
  fc.uint8Array({ maxLength: 5000 }),
  fc.nat({ max: 100_000 }).map((size) => new Uint8Array(size).fill(7)),
);

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
  return "none";
}

test("what is sealed opens as it was, with and without key and compression", () => {
  fc.assert(
    fc.property(
      content,
      fc.boolean(),
      fc.constantFrom(undefined, 1, 19),
      (bytes, isKeyed, level) => {
        const sealer = createSealer(isKeyed ? key : undefined, level);
        expect(Buffer.from(sealer.open("n", sealer.seal("n", bytes))).equals(bytes)).toBe(true);
      },
    ),
  );
});

test("no bit of an encrypted object can change, nor its name", () => {
  const sealer = createSealer(key, 3);
  fc.assert(
    fc.property(content, fc.nat(), (bytes, at) => {
      const sealed = Buffer.from(sealer.seal("name", bytes));
      expect(codeOf(() => sealer.open("other", sealed))).toBe("E_INTEGRITY");
      const bit = at % (sealed.length * 8);
      sealed[bit >> 3] = (sealed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(codeOf(() => sealer.open("name", sealed))).toBe("E_INTEGRITY");
    }),
  );
});

test("plain objects are not taken where all are encrypted, and the other way round", () => {
  const [plain, keyed] = [createSealer(undefined, 3), createSealer(key, 3)];
  expect(codeOf(() => keyed.open("n", plain.seal("n", Buffer.from("x"))))).toBe("E_INTEGRITY");
  expect(codeOf(() => plain.open("n", keyed.seal("n", Buffer.from("x"))))).toBe("E_AUTH");
  const other = createSealer(randomBytes(32), 3);
  expect(codeOf(() => other.open("n", keyed.seal("n", Buffer.from("x"))))).toBe("E_INTEGRITY");
  expect(other.nameOf(Buffer.from("x"))).not.toBe(keyed.nameOf(Buffer.from("x")));
  const sealed = keyed.seal("n", Buffer.from("a secret that must not be seen"));
  expect(Buffer.from(sealed).includes("secret")).toBe(false);
});

test("a stream is cut into pieces of one size, and is the same put together", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 300 })),
      fc.integer({ min: 1, max: 200 }),
      async (parts, size) => {
        const source = async function* () {
          for (const part of parts) {
            const memory = Uint8Array.from(part);
            yield memory;
            memory.fill(0);
          }
        };
        const pieces: Uint8Array[] = [];
        for await (const piece of cut(source(), size)) pieces.push(piece);
        expect(Buffer.concat(pieces).equals(Buffer.concat(parts))).toBe(true);
        for (const piece of pieces.slice(0, -1)) expect(piece.length).toBe(size);
      },
    ),
  );
});
