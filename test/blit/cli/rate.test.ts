import { expect, test } from "bun:test";
import { parseRate } from "../../../src/blit/cli/rate.ts";

test.each([
  ["1", 1],
  ["500K", 512_000],
  ["20m", 20 * 1024 * 1024],
  ["1.5G", 1.5 * 1024 ** 3],
  ["10MiB", 10 * 1024 * 1024],
  ["7B", 7],
])("%s", (text, bytes) => {
  expect(parseRate(text)).toBe(bytes);
});

test.each(["", "0", "0.1", "-1", "K", "1T", "1e3", "10 M", "Infinity"])("%s is none", (text) => {
  expect(() => parseRate(text)).toThrow(`Cannot use "${text}" as a rate`);
});
