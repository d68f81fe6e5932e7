import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, fstatSync, openSync } from "node:fs";
import fc from "fast-check";
import { PartTable } from "../../../src/blit/receive/part-table.ts";

/** Two threads' views of the same memory: `table` is the owner's. */
let table: PartTable;
let other: PartTable;
let fd: number;
beforeEach(() => {
  table = PartTable.create(2);
  other = new PartTable(table.buffer);
  table.begin(2);
  fd = openSync("/dev/null", "w");
});
afterEach(() => closeSync(fd));

const file = (sequence: number, sizeBytes = 250) => ({ sequence, fd, sizeBytes, partBytes: 100 });

/** What another stream is told of a part, of which it keeps nothing open. */
function claim(sequence: number, offset: number, length: number): string {
  const { claim, fd: own } = other.claim(0, sequence, offset, length);
  if (own >= 0) closeSync(own);
  return claim;
}

test("a part is early before its file, void after it, and taken once while it is there", () => {
  expect(claim(1, 0, 100)).toBe("early");
  expect(table.announce(0, file(1))).toBe(true);
  expect([claim(1, 0, 100), claim(1, 0, 100)]).toEqual(["taken", "wrong"]);
  expect(table.claimOwn(0, 1, 100, 100)).toBe("taken");
  expect([claim(1, 100, 100), claim(2, 0, 100)]).toEqual(["wrong", "early"]);
  table.close(0);
  expect(claim(1, 200, 50)).toBe("void");
  expect(table.announce(0, file(2))).toBe(true);
  expect([claim(1, 200, 50), claim(2, 0, 100)]).toEqual(["void", "taken"]);
});

test("what is no part of the file is told apart", () => {
  table.announce(0, file(1));
  const wrong = [
    [0, 99],
    [50, 100],
    [200, 100],
    [300, 100],
    [2 ** 40, 100],
    [0, 0],
  ] as const;
  for (const [offset, length] of wrong) expect(claim(1, offset, length)).toBe("wrong");
  expect(claim(1, 200, 50)).toBe("taken");
  expect(other.claim(2, 1, 0, 100)).toEqual({ claim: "wrong", fd: -1 });
});

test("a file is whole when all its parts are written, whoever took them", () => {
  const sizes = fc.integer({ min: 1, max: 5000 });
  let sequence = 0;
  fc.assert(
    fc.property(sizes, fc.infiniteStream(fc.boolean()), (sizeBytes, isOwn) => {
      table.announce(0, file(++sequence, sizeBytes));
      for (let offset = 0; offset < sizeBytes; offset += 100) {
        expect(table.state(0)).toBe("open");
        const length = Math.min(100, sizeBytes - offset);
        const isMine = isOwn.next().value === true;
        const got = isMine
          ? table.claimOwn(0, sequence, offset, length)
          : claim(sequence, offset, length);
        expect(got).toBe("taken");
        (isMine ? table : other).settle(0, sequence, 0);
      }
      expect(other.state(0)).toBe("whole");
    }),
  );
});

test("a part that could not be written is told, one of an earlier file is not", () => {
  table.announce(0, file(1));
  claim(1, 0, 100);
  table.announce(0, file(2));
  other.settle(0, 1, -28);
  expect(table.state(0)).toBe("open");
  other.settle(0, 2, -28);
  expect(table.state(0)).toBe(-28);
});

test("a sequence never goes back, and a file that is not made has void parts", () => {
  expect([table.announce(0, file(3)), table.announce(0, file(3))]).toEqual([true, false]);
  expect([table.announce(0, file(2)), table.announce(7, file(9))]).toEqual([false, false]);
  expect(table.announce(0, { ...file(4), fd: -1 })).toBe(true);
  expect(claim(4, 0, 100)).toBe("void");
});

test("whoever takes a part gets a descriptor of its own", () => {
  table.announce(0, file(1));
  const { fd: own } = other.claim(0, 1, 0, 100);
  expect(own).not.toBe(fd);
  expect(fstatSync(own).isCharacterDevice()).toBe(true);
  closeSync(own);
});
