import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatPerfRecord, parsePerfRecord } from "../../../src/blit/plan/perf-record.ts";
import { perfRecord } from "./perf-record.fixture.ts";

test("a line is read as it was written", () => {
  const record = perfRecord({ bigFile: { strategy: "reflink", mibPerSecond: 1234.5 } });
  const line = formatPerfRecord(record);
  expect(line.endsWith("}\n")).toBe(true);
  expect(parsePerfRecord(line)).toEqual(record);
});

test("no text makes the parser throw, and a cut line is no record", () => {
  const line = formatPerfRecord(perfRecord()).trimEnd();
  fc.assert(
    fc.property(fc.string(), fc.json(), (text, json) => {
      expect(parsePerfRecord(text)).toBeUndefined();
      expect(parsePerfRecord(json)).toBeUndefined();
    }),
  );
  for (let length = 0; length < line.length; length += 1) {
    expect(parsePerfRecord(line.slice(0, length))).toBeUndefined();
  }
});

test("every field is checked", () => {
  const good = perfRecord({ bigFile: { strategy: "direct", mibPerSecond: 1 } });
  for (const key of Object.keys(good)) {
    for (const value of ["/home/me", -1, "NaN", true, {}, [], undefined]) {
      expect([key, value, parsePerfRecord(JSON.stringify({ ...good, [key]: value }))]).toEqual([
        key,
        value,
        undefined,
      ]);
    }
  }
});

test("numbers that are none become 0, so that the line stays readable", () => {
  const line = formatPerfRecord(
    perfRecord({ totalMs: Number.NaN, bytes: Number.POSITIVE_INFINITY }),
  );
  expect(parsePerfRecord(line)).toMatchObject({ totalMs: 0, bytes: 0 });
});
