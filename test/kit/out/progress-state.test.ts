import { expect, test } from "bun:test";
import fc from "fast-check";

import type { ProgressUpdate } from "../../../src/kit/out/progress-state.ts";
import { foldProgress, startProgress, viewProgress } from "../../../src/kit/out/progress-state.ts";

const count = fc.nat({ max: 1_000_000 });
const anyUpdate = fc.record({
  doneBytes: count,
  totalBytes: count,
  doneItems: count,
  totalItems: count,
  totalIsFinal: fc.boolean(),
  waitMs: fc.nat({ max: 20_000 }),
});

test("whatever the updates, nothing goes backwards and every figure stays sane", () => {
  fc.assert(
    fc.property(fc.array(anyUpdate, { maxLength: 200 }), (updates) => {
      let nowMs = 0;
      let state = startProgress(nowMs);
      let share = 0;
      for (const update of updates) {
        nowMs += update.waitMs;
        const next = foldProgress(state, update, nowMs);
        expect(next.doneBytes).toBeGreaterThanOrEqual(state.doneBytes);
        expect(next.doneItems).toBeGreaterThanOrEqual(state.doneItems);
        expect(next.totalBytes).toBeGreaterThanOrEqual(Math.max(state.totalBytes, next.doneBytes));
        expect(next.samples.length).toBeLessThanOrEqual(66);
        const view = viewProgress(next, nowMs);
        expect(view.share ?? share).toBeGreaterThanOrEqual(share);
        expect(view.share ?? 0).toBeLessThanOrEqual(1);
        expect(view.bytesPerSecond).toBeGreaterThanOrEqual(0);
        expect(view.secondsLeft ?? 0).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(view.secondsLeft ?? 0)).toBe(true);
        share = view.share ?? share;
        state = next;
      }
    }),
  );
});

function steady(
  from: { seconds: number; bytesPerSecond: number }[],
): ReturnType<typeof startProgress> {
  let nowMs = 0;
  let bytes = 0;
  let state = startProgress(0);
  for (const { seconds, bytesPerSecond } of from) {
    for (let tick = 0; tick < seconds * 10; tick += 1) {
      nowMs += 100;
      bytes += bytesPerSecond / 10;
      const update: ProgressUpdate = {
        doneBytes: bytes,
        totalBytes: 100_000,
        doneItems: 0,
        totalItems: 0,
        totalIsFinal: true,
      };
      state = foldProgress(state, update, nowMs);
    }
  }
  return state;
}

test("rate and time left are those of the recent window, not of the whole run", () => {
  const state = steady([
    { seconds: 10, bytesPerSecond: 5000 },
    { seconds: 20, bytesPerSecond: 1000 },
  ]);
  const view = viewProgress(state, 30_000);
  expect(view.bytesPerSecond).toBeCloseTo(1000, -1);
  expect(view.secondsLeft).toBeCloseTo(30, 0);
  expect(view.share).toBeCloseTo(0.7, 5);
});

test("a stop shows: the rate falls while nothing moves", () => {
  const state = steady([{ seconds: 5, bytesPerSecond: 1000 }]);
  const rates = [5_000, 8_000, 20_000].map((nowMs) => viewProgress(state, nowMs).bytesPerSecond);
  expect(rates[1]).toBeLessThan(rates[0] ?? 0);
  expect(rates[2]).toBeLessThan(rates[1] ?? 0);
});

test("while the listing runs there is neither share nor time left", () => {
  const update = { doneBytes: 5, totalBytes: 10, doneItems: 1, totalItems: 2, totalIsFinal: false };
  const view = viewProgress(foldProgress(startProgress(0), update, 1000), 1000);
  expect(view).toEqual({ share: undefined, bytesPerSecond: 5, secondsLeft: undefined });
});
