import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

import { reasonOf } from "../../../src/kit/fault/reason.ts";

test("it is the system's reason, without code, call and path", () => {
  let failure: unknown;
  try {
    readFileSync("/nonexistent, really");
  } catch (error) {
    failure = error;
  }
  expect(reasonOf(failure)).toBe("no such file or directory");
});

test("of anything else it is the message", () => {
  expect(reasonOf(new Error("E: what, ever"))).toBe("E: what, ever");
  expect(reasonOf("text")).toBe("text");
});
