import { expect, test } from "bun:test";
import fc from "fast-check";
import { StreamTuner } from "../../../src/blit/send/stream-tuner.ts";

const STEP_MS = 125;

/** Lets a tuner run for so long; `rateOf` is how fast so many streams are. All numbers it chose. */
function run(
  options: { readonly streams: number; readonly seconds: number },
  rateOf: (active: number, nowMs: number) => number,
): number[] {
  const tuner = new StreamTuner(options.streams);
  const chosen: number[] = [];
  let active = options.streams;
  let done = 0;
  for (let nowMs = 0; nowMs < options.seconds * 1000; nowMs += STEP_MS) {
    done += rateOf(active, nowMs) * STEP_MS;
    active = tuner.step(nowMs, done);
    chosen.push(active);
  }
  return chosen;
}

/** How much of the time a number was chosen, in the last third. */
function shareOf(chosen: readonly number[], isRight: (active: number) => boolean): number {
  const last = chosen.slice(-Math.floor(chosen.length / 3));
  return last.filter(isRight).length / last.length;
}

test("a short transfer is left alone", () => {
  expect(new Set(run({ streams: 8, seconds: 0.9 }, () => 100))).toEqual(new Set([8]));
});

test("the best number is found, wherever it lies", () => {
  for (let streams = 2; streams <= 8; streams++) {
    for (let best = 1; best <= streams; best++) {
      // A fifth less with each stream more or less.
      const rateOf = (active: number): number => 1000 * 0.8 ** Math.abs(active - best);
      const chosen = run({ streams, seconds: 120 }, rateOf);
      expect(shareOf(chosen, (active) => active === best)).toBeGreaterThan(0.85);
    }
  }
});

test("where the number makes no difference, it hardly changes", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 8 }), fc.integer(), (streams, seed) => {
      let state = seed >>> 0;
      const noise = (): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return 1 + (state / 2 ** 32 - 0.5) * 0.04;
      };
      const chosen = run({ streams, seconds: 60 }, () => 1000 * noise());
      expect(shareOf(chosen, (active) => active === streams)).toBeGreaterThan(0.8);
    }),
  );
});

test("a rate that only falls or rises meanwhile is no gain of the trial", () => {
  for (const slope of [0.97, 1.03]) {
    const rateOf = (_: number, nowMs: number): number => 1000 * slope ** (nowMs / 1000);
    const chosen = run({ streams: 4, seconds: 60 }, rateOf);
    expect(shareOf(chosen, (active) => active === 4)).toBeGreaterThan(0.8);
  }
});

test("one stream of two is enough where they are in each other's way, else both", () => {
  const alone = run({ streams: 2, seconds: 60 }, (active) => (active === 1 ? 1200 : 1000));
  expect(shareOf(alone, (active) => active === 1)).toBeGreaterThan(0.85);
  const both = run({ streams: 2, seconds: 60 }, (active) => (active === 1 ? 600 : 1000));
  expect(shareOf(both, (active) => active === 2)).toBeGreaterThan(0.85);
});

test("nothing is tried while nothing moves", () => {
  expect(new Set(run({ streams: 4, seconds: 20 }, () => 0))).toEqual(new Set([4]));
});
