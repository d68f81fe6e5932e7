import { expect, test } from "bun:test";
import { splitPays } from "../../../src/blit/remote/split-pays.ts";

test("a file goes over one stream where both ends share two processors", () => {
  expect(splitPays("127.0.0.1", 2)).toBe(false);
  expect(splitPays("::1", 1)).toBe(false);
  expect(splitPays("127.0.0.1", 4)).toBe(true);
  expect(splitPays("192.0.2.1", 2)).toBe(true);
});
