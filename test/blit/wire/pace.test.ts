import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Pace, sharedPace } from "../../../src/blit/wire/pace.ts";

/** Streams that send whenever they may, on a clock of their own; bytes of each after `ms`. */
function bytesAfter(ms: number, rate: number, streams: number): number[] {
  let now = 1000;
  const shared = sharedPace();
  const paces = Array.from({ length: streams }, () => new Pace(rate, shared, () => now));
  const sent = paces.map(() => 0);
  for (const end = now + ms; now < end; now += 1) {
    for (const [index, pace] of paces.entries()) {
      if (pace.waitMs(1e9) > 0) continue;
      const bytes = pace.allowance;
      pace.sent(bytes);
      sent[index] = (sent[index] ?? 0) + bytes;
    }
  }
  return sent;
}

describe("a rate", () => {
  test("is kept to, by one stream and by many together", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1000, max: 1e9 }),
        fc.integer({ min: 1, max: 8 }),
        (rate, streams) => {
          const each = bytesAfter(10_000, rate, streams);
          const sent = each.reduce((sum, bytes) => sum + bytes, 0);
          // A piece for each stream may go at the start.
          expect(sent).toBeLessThanOrEqual(rate * 10 * 1.01 + (streams + 1) * Math.ceil(rate / 20));
          expect(sent).toBeGreaterThan(rate * 10 * 0.97);
          // None is left behind by those that ask before it.
          expect(Math.min(...each)).toBeGreaterThan((sent / streams) * 0.9);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("time that was not used is not made up for", () => {
    let now = 0;
    const pace = new Pace(1000, sharedPace(), () => now);
    expect(pace.waitMs(50)).toBeLessThanOrEqual(0);
    pace.sent(50);
    now = 60_000;
    expect(pace.waitMs(50)).toBeLessThanOrEqual(0);
    pace.sent(50);
    expect(pace.waitMs(50)).toBeCloseTo(50, 3);
  });

  test("what could not be sent keeps its turn", () => {
    const pace = new Pace(1000, sharedPace(), () => 0);
    expect([pace.waitMs(40), pace.allowance]).toEqual([0, 40]);
    pace.sent(30);
    expect([pace.waitMs(40), pace.allowance]).toEqual([0, 10]);
    pace.sent(10);
    expect(pace.waitMs(40)).toBeCloseTo(40, 3);
  });

  test("none is no rate", () => {
    expect(() => new Pace(0)).toThrow("above 0");
  });
});
