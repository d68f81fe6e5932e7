import { expect, test } from "bun:test";

import { loadColorStyle, wantsColor } from "../../../src/kit/out/style.ts";

type Row = [mode: "auto" | "always" | "never", environment: Record<string, string>, tty: boolean];

const ROWS: readonly [...Row, boolean][] = [
  ["auto", {}, true, true],
  ["auto", {}, false, false],
  ["auto", { TERM: "dumb" }, true, false],
  ["auto", { NO_COLOR: "1" }, true, false],
  ["auto", { NO_COLOR: "" }, true, true],
  ["auto", { FORCE_COLOR: "1" }, false, true],
  ["auto", { FORCE_COLOR: "1", TERM: "dumb" }, false, true],
  ["auto", { FORCE_COLOR: "0" }, true, false],
  ["auto", { NO_COLOR: "1", FORCE_COLOR: "1" }, true, false],
  ["always", { NO_COLOR: "1" }, false, true],
  ["never", { FORCE_COLOR: "1" }, true, false],
];

test.each(ROWS)("--color=%s with %j on a terminal %p is %p", (mode, environment, tty, wanted) => {
  expect(wantsColor({ mode, environment, isTerminal: () => tty })).toBe(wanted);
});

test("loading colour leaves the environment as it was, for our children", async () => {
  const before = { ...process.env };
  await loadColorStyle();
  expect({ ...process.env }).toEqual(before);
});
