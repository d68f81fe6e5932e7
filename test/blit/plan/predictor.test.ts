import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatPerfRecord, parsePerfRecord } from "../../../src/blit/plan/perf-record.ts";
import { createPredictor, profileKey } from "../../../src/blit/plan/predictor.ts";
import { perfRecord } from "./perf-record.fixture.ts";

const NOW = 1_700_000_000_000;
const ext4 = profileKey("ext4", "ext4");
type Record = ReturnType<typeof perfRecord>;

const predictor = (records: Record[], random = 0.9, now = NOW) =>
  createPredictor({ records, random: () => random, now: () => now });
const smallFiles = (transferMs: number, workers = 0) => perfRecord({ transferMs, workers });
const bigFile = (strategy: "reflink" | "direct" | "parallel", mibPerSecond: number, at = NOW) =>
  perfRecord({ files: 1, bytes: 2 ** 30, timestampMs: at, bigFile: { strategy, mibPerSecond } });
const samples = fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1 });

describe("the averages", () => {
  test("lie between the smallest and the largest sample", () => {
    fc.assert(
      fc.property(samples, (list) => {
        const [learned] = predictor(list.map((ms) => smallFiles(ms))).learned();
        const value = learned?.newFileUs?.value ?? Number.NaN;
        expect(value).toBeGreaterThanOrEqual(Math.min(...list) * (1 - 1e-9));
        expect(value).toBeLessThanOrEqual(Math.max(...list) * (1 + 1e-9));
        expect(learned?.newFileUs?.samples).toBe(list.length);
      }),
    );
  });

  test("never fall when an observation grows", () => {
    fc.assert(
      fc.property(
        samples,
        fc.nat(),
        fc.double({ min: 1, max: 100, noNaN: true }),
        (list, at, factor) => {
          const grown = list.map((ms, index) => (index === at % list.length ? ms * factor : ms));
          const predict = (values: number[]) =>
            predictor(values.map((ms) => smallFiles(ms))).predictTransfer({
              profile: ext4,
              files: 100,
              bytes: 100,
            });
          expect(predict(grown)).toBeGreaterThanOrEqual(predict(list) * (1 - 1e-9));
        },
      ),
    );
  });

  test("are the same with corrupt lines between the records", () => {
    const record = fc.record({
      files: fc.nat(2000),
      upToDate: fc.nat(2000),
      bytes: fc.nat(1e9),
      transferMs: fc.double({ min: 0, max: 1e5, noNaN: true }).map((ms) => Math.round(ms)),
      workers: fc.nat(4),
    });
    fc.assert(
      fc.property(fc.array(record), fc.array(fc.string()), (changes, garbage) => {
        const lines = changes.map((change) => formatPerfRecord(perfRecord(change)));
        const mixed = lines.flatMap((line, index) => [
          garbage[index % Math.max(1, garbage.length)] ?? "",
          line.slice(0, -5),
          line,
        ]);
        const read = mixed.map(parsePerfRecord).filter((one) => one !== undefined);
        expect(predictor(read).learned()).toEqual(
          predictor(changes.map((change) => perfRecord(change))).learned(),
        );
      }),
    );
  });

  test("recent runs weigh more", () => {
    const [learned] = predictor([10, 10, 10, 100].map((ms) => smallFiles(ms))).learned();
    expect(learned?.newFileUs?.value).toBeCloseTo(37, 5);
  });

  test("runs that measure nothing of a cost leave it alone", () => {
    const useless = [
      perfRecord({ files: 3 }),
      perfRecord({ upToDate: 1000 }),
      perfRecord({ bytes: 1e10 }),
      perfRecord({ failed: 1 }),
      perfRecord({ stalls: 1 }),
      perfRecord({ transferMs: 0, totalMs: 0 }),
    ];
    const [learned] = predictor(useless).learned();
    expect(learned).toMatchObject({ newFileUs: undefined, unchangedUs: undefined });
  });

  test("unchanged entries have a cost of their own", () => {
    const [learned] = predictor([perfRecord({ files: 0, upToDate: 2000 })]).learned();
    expect(learned?.unchangedUs).toEqual({ value: 5, samples: 1, lastMs: NOW });
    expect(learned?.newFileUs).toBeUndefined();
  });

  test("each pair of file systems is apart", () => {
    const one = predictor([smallFiles(1000)]);
    const work = { files: 100, bytes: 0 };
    expect(one.predictTransfer({ profile: ext4, ...work })).toBeCloseTo(100, 5);
    expect(one.predictTransfer({ profile: profileKey("ext4", "tmpfs"), ...work })).toBeLessThan(10);
  });
});

describe("the strategy for big files", () => {
  const both = ["reflink", "direct"] as const;
  const known = [1, 2, 3].flatMap((n) => [bigFile("reflink", 5000 + n), bigFile("direct", 900)]);

  test("the fastest, once each is known by three samples", () => {
    expect(predictor(known).chooseBigFileStrategy(ext4, both)).toBe("reflink");
    expect(predictor(known.slice(2)).chooseBigFileStrategy(ext4, both)).toBeUndefined();
    expect(predictor(known).chooseBigFileStrategy(ext4, [...both, "parallel"])).toBeUndefined();
  });

  test("one candidate is no question", () => {
    expect(predictor([], 0).chooseBigFileStrategy(ext4, ["direct"])).toBe("direct");
    expect(predictor([]).chooseBigFileStrategy(ext4, [])).toBeUndefined();
  });

  test("one run in twenty explores", () => {
    expect(predictor(known, 0.049).chooseBigFileStrategy(ext4, both)).toBeUndefined();
    expect(predictor(known, 0.05).chooseBigFileStrategy(ext4, both)).toBe("reflink");
  });

  test("what is to be tried is what is known least, then what is oldest", () => {
    const records = [...known, bigFile("reflink", 5000)];
    expect(predictor(records).leastKnown(ext4, both)).toBe("direct");
    expect(predictor(records).leastKnown(ext4, [...both, "parallel"])).toBe("parallel");
    const aged = [bigFile("reflink", 1, NOW), bigFile("direct", 1, NOW - 1000)];
    expect(predictor(aged).leastKnown(ext4, both)).toBe("direct");
    expect(predictor([]).leastKnown(ext4, [])).toBeUndefined();
  });

  test("what was last seen 90 days ago is not known", () => {
    const later = NOW + 91 * 24 * 3600 * 1000;
    expect(predictor(known, 0.9, later).chooseBigFileStrategy(ext4, both)).toBeUndefined();
  });
});

describe("starting the workers", () => {
  const ask = (records: Record[], entries: number, bytes = 0) =>
    predictor(records).shouldStartWorkers({ profile: ext4, entries, bytes });

  test("not for a handful of entries, but for many or for many bytes", () => {
    expect(ask([], 8)).toBe(false);
    expect(ask([], 100_000)).toBe(true);
    expect(ask([], 1, 2 ** 30)).toBe(true);
  });

  test("learned from inline runs only", () => {
    expect(ask([smallFiles(1)], 2000)).toBe(false);
    expect(ask([smallFiles(100)], 200)).toBe(true);
    expect(ask([smallFiles(100, 4)], 200)).toBe(ask([], 200));
  });

  test("more work never speaks against it", () => {
    fc.assert(
      fc.property(samples, fc.nat(5000), fc.nat(5000), (list, entries, more) => {
        const records = list.map((ms) => smallFiles(ms));
        if (ask(records, entries)) expect(ask(records, entries + more)).toBe(true);
      }),
    );
  });
});
