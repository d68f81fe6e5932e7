import { expect, test } from "bun:test";
import fc from "fast-check";

import { BrokenPipe, writeFully } from "../../../src/kit/out/write-fully.ts";

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: the reason, write`), { code });
}

test("every byte is written once and in order, through short writes, EAGAIN and EINTR", () => {
  const step = fc.oneof(
    fc.integer({ min: 1, max: 7 }),
    fc.constantFrom("EINTR" as const, "EAGAIN" as const),
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(step, { maxLength: 6 }),
      (bytes, steps) => {
        const written: number[] = [];
        const script = [...steps];
        writeFully(1, bytes, (_fd, from, offset, length) => {
          const next = script.shift() ?? length;
          if (typeof next === "string") {
            throw failure(next);
          }
          const count = Math.min(next, length);
          written.push(...from.subarray(offset, offset + count));
          return count;
        });
        expect(written).toEqual([...bytes]);
      },
    ),
    { numRuns: 50 },
  );
});

test("a reader that has gone is a broken pipe; a full disk is a fault", () => {
  const write = (code: string) => () =>
    writeFully(1, new Uint8Array(1), () => {
      throw failure(code);
    });
  expect(write("EPIPE")).toThrow(BrokenPipe);
  expect(write("ENOSPC")).toThrow("Cannot write to standard output: the reason");
});
