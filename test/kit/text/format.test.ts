import { expect, test } from "bun:test";
import fc from "fast-check";

import {
  formatBytes,
  formatCount,
  formatRate,
  formatSeconds,
} from "../../../src/kit/text/format.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 KiB"],
  [1536, "1.5 KiB"],
  [10 * 1024, "10 KiB"],
  [1023.6 * 1024, "1.0 MiB"],
  [28.4 * 1024 ** 2, "28 MiB"],
  [4 * 1024 ** 3, "4.0 GiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("sizes never need more than three digits", () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) =>
      /^(\d{1,3}|\d\.\d) [KMGTPE]?i?B$/.test(formatBytes(bytes)),
    ),
  );
});

test.each([
  [0.123, "0.12 s"],
  [4.24, "4.2 s"],
  [38.4, "38 s"],
  [59.7, "1 min 00 s"],
  [125, "2 min 05 s"],
  [3725, "1 h 02 min"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

test("counts have a plural and groups of digits", () => {
  expect(formatCount(1, "file")).toBe("1 file");
  expect(formatCount(1234567, "file")).toBe("1,234,567 files");
  expect(formatCount(0, "entry", "entries")).toBe("0 entries");
  expect(formatRate(2048)).toBe("2.0 KiB/s");
});
