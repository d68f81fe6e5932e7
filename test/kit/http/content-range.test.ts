import { expect, test } from "bun:test";

import { parseContentRange } from "../../../src/kit/http/content-range.ts";

test("a range of a whole", () => {
  expect(parseContentRange("bytes 10-19/100")).toEqual({ start: 10, end: 20, sizeBytes: 100 });
  expect(parseContentRange(" Bytes 0-0/* ")).toEqual({ start: 0, end: 1, sizeBytes: undefined });
});

test("what makes no sense is none", () => {
  const wrong = ["bytes */100", "bytes 5-4/100", "bytes 0-100/100", "items 0-1/2", "", "bytes 0-1"];
  expect([...wrong, null].map(parseContentRange)).toEqual(Array(7).fill(undefined));
});
