import { describe, expect, test } from "bun:test";

import { isRetryableStatus, parseRetryAfter, retryDelayMs } from "../../../src/kit/http/backoff.ts";

describe("the delay before the next try", () => {
  test("doubles from 250 ms to 10 s, between half and the whole", () => {
    const whole = [0, 1, 2, 3, 4, 5, 6, 20].map((attempt) => retryDelayMs(attempt, 1, undefined));
    expect(whole).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    expect(retryDelayMs(3, 0, undefined)).toBe(1000);
  });

  test("is at least what the server asks for, and none when it asks for too much", () => {
    expect(retryDelayMs(0, 0, 3000)).toBe(3000);
    expect(retryDelayMs(5, 1, 3000)).toBe(8000);
    expect(retryDelayMs(0, 0, 60_001)).toBeUndefined();
  });
});

test("Retry-After is a number of seconds or a date", () => {
  const nowMs = Date.parse("2026-01-02T03:04:05Z");
  expect(parseRetryAfter("7", nowMs)).toBe(7000);
  expect(parseRetryAfter("Fri, 02 Jan 2026 03:04:15 GMT", nowMs)).toBe(10_000);
  expect(parseRetryAfter("Fri, 02 Jan 2026 03:04:00 GMT", nowMs)).toBe(0);
  expect(parseRetryAfter("soon", nowMs)).toBeUndefined();
  expect(parseRetryAfter(null, nowMs)).toBeUndefined();
});

test("statuses that may pass", () => {
  const all = [200, 304, 400, 401, 403, 404, 408, 410, 429, 500, 501, 502, 503, 504, 505, 520];
  expect(all.filter(isRetryableStatus)).toEqual([408, 429, 500, 502, 503, 504, 520]);
});
