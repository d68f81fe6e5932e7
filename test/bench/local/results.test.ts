import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  bestPeer,
  merged,
  type Results,
  type Row,
  ratioOf,
  readResults,
  type ToolResult,
  writeResults,
} from "../../../bench/local/results.ts";

function tool(wall: number[], failed?: string): ToolResult {
  const sameLength = wall.map(() => 1);
  const result = { wall, cpu: wall, peakMib: sameLength, sync: sameLength };
  return failed === undefined ? result : { ...result, failed };
}

function row(scenario: string, tools: Record<string, ToolResult> = {}): Row {
  return { scenario, fs: "ext4", at: "2026-01-01T00:00", busy: 0, tools };
}

function results(rows: Row[], overrides: Partial<Results> = {}): Results {
  return {
    machine: "m",
    scale: 1,
    versions: { blit: "1" },
    labels: { blit: "blit" },
    rows,
    memory: [],
    ...overrides,
  };
}

describe("ratioOf", () => {
  test("pairs the rounds and takes the median of the ratios", () => {
    const measured = row("big", { blit: tool([1, 3, 2]), cp: tool([2, 3, 8]) });
    expect(ratioOf(measured, "cp")).toEqual({ median: 0.5, low: 0.25, high: 1 });
  });

  test("has nothing to say of a peer that failed, is absent, or cannot", () => {
    const measured = row("big", { blit: tool([1]), cp: tool([2], "exit 1"), rclone: tool([]) });
    for (const peer of ["cp", "rclone", "rsync"]) expect(ratioOf(measured, peer)).toBeUndefined();
  });
});

test("the best peer has the smallest median, works, and is not blit", () => {
  const tools = {
    blit: tool([0.1, 0.1, 0.1]),
    cp: tool([1, 9, 9]),
    rsync: tool([3, 3, 3]),
    rclone: tool([1, 1, 1], "left files or bytes out"),
  };
  expect(bestPeer(row("small", tools))).toBe("rsync");
  expect(bestPeer(row("small", { blit: tool([1]) }))).toBeUndefined();
});

describe("merged", () => {
  test("replaces rows measured again and keeps the others", () => {
    const before = results([row("big", { cp: tool([1]) }), row("deep")]);
    const now = results([row("big", { cp: tool([2]) })]);
    const rows = merged(before, now).rows;
    expect(rows.map(({ scenario }) => scenario)).toEqual(["deep", "big"]);
    expect(rows[1]?.tools["cp"]?.wall).toEqual([2]);
  });

  test("keeps nothing of another machine, scale or peer", () => {
    const now = results([row("big")], { versions: { blit: "1", cp: "1" } });
    for (const other of [{ machine: "n" }, { scale: 2 }, { versions: { blit: "1", cp: "0" } }]) {
      expect(merged(results([row("deep")], other), now)).toEqual(now);
    }
  });

  test("keeps the memory curve that was not measured again", () => {
    const point = { files: 1, copyMib: 1, copySeconds: 1, mirrorMib: 1, mirrorSeconds: 1 };
    const before = results([], { memory: [point] });
    expect(merged(before, results([row("big")])).memory).toEqual([point]);
  });
});

describe("the raw file", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "triad-test-results-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("is read as it was written, and absent at first", () => {
    const path = join(folder, "results", "local.jsonl");
    expect(readResults(path)).toBeUndefined();
    const point = { files: 1, copyMib: 1, copySeconds: 1, mirrorMib: 1, mirrorSeconds: 1 };
    const rows = [row("big", { cp: tool([1.5]) }), row("deep")];
    const written = results(rows, { memory: [point] });
    writeResults(path, written);
    expect(readResults(path)).toEqual(written);
  });
});
