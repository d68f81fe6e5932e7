import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Pace, sharedPace } from "../../../src/blit/wire/pace.ts";

/** Streams that send whenever they may, on a clock of their own; bytes after `ms`. */
function bytesAfter(ms: number, rate: number, streams: number): number {
  let now = 1000;
  const shared = sharedPace();
  const paces = Array.from({ length: streams }, () => new Pace(rate, shared, () => now));
  let sent = 0;
  for (const end = now + ms; now < end; now += 1) {
    for (const pace of paces) {
      if (pace.waitMs() > 0) continue;
      pace.sent(pace.pieceBytes);
      sent += pace.pieceBytes;
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
          const sent = bytesAfter(10_000, rate, streams);
          // A piece for each stream may go at the start.
          expect(sent).toBeLessThanOrEqual(rate * 10 * 1.01 + (streams + 1) * Math.ceil(rate / 20));
          expect(sent).toBeGreaterThan(rate * 10 * 0.97);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("time that was not used is not made up for", () => {
    let now = 0;
    const pace = new Pace(1000, sharedPace(), () => now);
    pace.sent(50);
    now = 60_000;
    expect(pace.waitMs()).toBeLessThanOrEqual(0);
    pace.sent(50);
    expect(pace.waitMs()).toBeCloseTo(50, 3);
  });

  test("none is no rate", () => {
    expect(() => new Pace(0)).toThrow("above 0");
  });
});
