import { expect, test } from "bun:test";
import { parseMoment, parseSize } from "../../../src/blit/cli/quantities.ts";

const usage = expect.objectContaining({ code: "E_USAGE" });

test("sizes have 1024 to the K", () => {
  const sizes = ["0", "500", "20K", "1.5M", "2g", "1GiB", "3kB", "7B"];
  expect(sizes.map((text) => parseSize("--min-size", text))).toEqual([
    0, 500, 20_480, 1_572_864, 2_147_483_648, 1_073_741_824, 3072, 7,
  ]);
  for (const text of ["", "K", "-1", "1X", "1e9", "1.M", "9999999P"]) {
    expect(() => parseSize("--min-size", text)).toThrow(usage);
  }
});

test("moments are dates in local time, or ages", () => {
  const nowMs = 1_800_000_000_000;
  const moment = (text: string): number => parseMoment("--newer-than", text, nowMs);
  expect(moment("90s")).toBe(1_800_000_000 - 90);
  expect(moment("2w")).toBe(1_800_000_000 - 1_209_600);
  expect(moment("2026-01-31")).toBe(new Date(2026, 0, 31).getTime() / 1000);
  expect(moment("2026-01-31T12:30")).toBe(new Date(2026, 0, 31, 12, 30).getTime() / 1000);
  expect(moment("2026-01-31T12:30:05Z")).toBe(Date.UTC(2026, 0, 31, 12, 30, 5) / 1000);
  for (const text of ["", "yesterday", "2026-13-01", "5", "1y"]) {
    expect(() => moment(text)).toThrow(usage);
  }
});
