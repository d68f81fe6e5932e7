import { expect, test } from "bun:test";
import { DeltaJudge } from "../../../src/blit/delta/estimate.ts";

const gigabyte = 1e9;
const question = (linkBytesPerSecond: number | undefined, isResume = false) => {
  return { sourceBytes: gigabyte, baseBytes: gigabyte, linkBytesPerSecond, isResume };
};

test("a slow link is worth comparing for, a fast one is not", () => {
  const judge = new DeltaJudge();
  expect(judge.wantsDelta(question(118e6))).toBe(true);
  expect(judge.wantsDelta(question(3e9))).toBe(false);
  expect(judge.wantsDelta(question(undefined))).toBe(true);
});

test("small files are sent, and those that the target has hardly anything of", () => {
  const judge = new DeltaJudge();
  const small = { ...question(1e6), sourceBytes: 100_000, baseBytes: 100_000 };
  expect(judge.wantsDelta(small)).toBe(false);
  expect(judge.wantsDelta({ ...question(118e6), baseBytes: gigabyte / 20 })).toBe(false);
});

test("after some files without a gain it stops, except for what was interrupted", () => {
  const judge = new DeltaJudge();
  for (let i = 0; i < 4; i++) judge.learn(gigabyte, 1000);
  expect(judge.wantsDelta(question(118e6))).toBe(false);
  expect(judge.wantsDelta(question(3e9, true))).toBe(true);
  judge.learn(gigabyte, gigabyte);
  expect(judge.wantsDelta(question(20e6))).toBe(true);
});
