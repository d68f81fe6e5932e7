import { expect, test } from "bun:test";
import { parseDuration, parseProcessors, parseSize } from "../../../src/rastos/service/units.ts";

test.each([
  ["500ms", 500],
  ["1.5s", 1500],
  ["2m", 120_000],
  ["2min", 120_000],
  ["1h 30m", 5_400_000],
  ["1h30m", 5_400_000],
  ["1d", 86_400_000],
  ["0s", 0],
  ["", undefined],
  ["5", undefined],
  ["5x", undefined],
  ["-5s", undefined],
  ["5s!", undefined],
])("the duration %j is %p ms", (text, expected) => {
  expect(parseDuration(text)).toBe(expected as number);
});

test.each([
  ["4096", 4096],
  ["1K", 1024],
  ["512M", 512 << 20],
  ["1.5G", 1.5 * 2 ** 30],
  ["2GiB", 2 ** 31],
  ["9999999999T", undefined],
  ["M", undefined],
  ["-1K", undefined],
])("the size %j is %p bytes", (text, expected) => {
  expect(parseSize(text)).toBe(expected as number);
});

test("processors are percent of one", () => {
  expect(["50%", "1.5", "2", "0", "x"].map(parseProcessors)).toEqual([
    50,
    150,
    200,
    undefined,
    undefined,
  ]);
});
