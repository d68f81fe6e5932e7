import { expect, test } from "bun:test";
import { parseVariables } from "../../../src/blast/shell/variables.ts";

test("values may hold anything; the last one counts", () => {
  expect(parseVariables(["A=1", "B==x=\n", "A=2", "PYTHONPATH=/x"])).toEqual([
    ["A", "2"],
    ["B", "=x=\n"],
    ["PYTHONPATH", "/x"],
  ]);
});

test.each(["A", "=x", "A B=1", "1A=x", "a-b=1", "PATH=/x", "VIRTUAL_ENV=x", "__blast_depth=0"])(
  "%j is refused",
  (text) => {
    expect(() => parseVariables([text])).toThrow("Cannot set the variable");
  },
);

test("a value, which may be a secret, is not repeated", () => {
  expect(() => parseVariables(["MY TOKEN=hunter2"])).toThrow('"MY TOKEN=…"');
});
