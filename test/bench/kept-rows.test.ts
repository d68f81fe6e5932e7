import { expect, test } from "bun:test";
import { executableNotes, isComparable, type KeptRow, keptRows } from "../../bench/kept-rows.ts";

interface Row extends KeptRow {
  readonly id: string;
}

const conditions = (blit: string, rsync = "3") => ({
  machine: "m",
  scale: 1,
  versions: { blit, "blit-tls": blit, rsync },
});

test("another executable of ours keeps the rows, another peer does not", () => {
  expect(isComparable(conditions("1"), conditions("2"))).toBe(true);
  expect(isComparable(conditions("1"), conditions("1", "4"))).toBe(false);
  expect(isComparable(conditions("1"), { ...conditions("1"), scale: 2 })).toBe(false);
});

test("kept rows name their executable, once it is not the table's", () => {
  const first: Row[] = [{ id: "a" }, { id: "b" }];
  const second = keptRows(first, conditions("1"), conditions("2"));
  expect(second).toEqual([
    { id: "a", blit: "1" },
    { id: "b", blit: "1" },
  ]);
  const third = keptRows([...second, { id: "c" }], conditions("2"), conditions("3"));
  expect(third.map(({ blit }) => blit)).toEqual(["1", "1", "2"]);
  expect(executableNotes(third, ({ id }) => id)).toEqual([
    "- measured with 1: a; b",
    "- measured with 2: c",
  ]);
  expect(keptRows(third, conditions("3"), conditions("1"))).toEqual([
    { id: "a" },
    { id: "b" },
    { id: "c", blit: "2" },
  ]);
});
