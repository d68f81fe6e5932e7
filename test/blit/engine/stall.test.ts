import { describe, expect, test } from "bun:test";
import { StallDetector, stallMs, type Verdict } from "../../../src/blit/engine/stall.ts";

type Moment = readonly [seconds: number, activity: number, state: "idle" | "busy"];

/** What the detector says at the last of some moments. */
function judge(...moments: Moment[]): Verdict {
  const detector = new StallDetector();
  let verdict: Verdict = { kind: "fine" };
  for (const [seconds, activity, state] of moments) {
    const nowMs = 1_000_000 + seconds * 1000;
    verdict = detector.observe({ nowMs, activity, isAllIdle: state === "idle" });
  }
  return verdict;
}

test("ten seconds", () => expect(stallMs).toBe(10_000));

describe("nobody works and nothing is done", () => {
  test("for less than ten seconds: fine", () => {
    expect(judge([0, 5, "idle"], [9.9, 5, "idle"])).toEqual({ kind: "fine" });
  });
  test("for ten seconds: stalled", () => {
    expect(judge([0, 5, "idle"], [10, 5, "idle"])).toEqual({ kind: "stalled", forMs: 10_000 });
  });
  test("what was done in between counts from there", () => {
    expect(judge([0, 5, "idle"], [9, 6, "idle"], [18, 6, "idle"])).toEqual({ kind: "fine" });
    expect(judge([0, 5, "idle"], [9, 6, "idle"], [19, 6, "idle"]).kind).toBe("stalled");
  });
  test("a counter that goes back is life, too", () => {
    expect(judge([0, 5, "idle"], [9, 4, "idle"], [12, 4, "idle"])).toEqual({ kind: "fine" });
  });
});

describe("somebody works and nothing comes of it", () => {
  test("is told once, never ended", () => {
    const waiting: Moment[] = [
      [0, 5, "busy"],
      [10, 5, "busy"],
    ];
    expect(judge(...waiting)).toEqual({ kind: "waiting", forMs: 10_000 });
    expect(judge(...waiting, [60, 5, "busy"])).toEqual({ kind: "fine" });
    expect(judge(...waiting, [3600, 5, "busy"])).toEqual({ kind: "fine" });
  });
  test("is told again when it went on and stopped again", () => {
    const again: Moment[] = [
      [0, 5, "busy"],
      [10, 5, "busy"],
      [20, 6, "busy"],
    ];
    expect(judge(...again, [29, 6, "busy"])).toEqual({ kind: "fine" });
    expect(judge(...again, [30, 6, "busy"])).toEqual({ kind: "waiting", forMs: 10_000 });
  });
  test("and then nobody works any more: stalled", () => {
    const moments: Moment[] = [
      [0, 5, "busy"],
      [10, 5, "busy"],
      [11, 5, "idle"],
    ];
    expect(judge(...moments)).toEqual({ kind: "stalled", forMs: 11_000 });
  });
});

test("a run that has done nothing yet is not stalled at its first look", () => {
  expect(judge([100, 0, "idle"])).toEqual({ kind: "fine" });
});
