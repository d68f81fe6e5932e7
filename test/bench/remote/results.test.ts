import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderResults } from "../../../bench/remote/render.ts";
import {
  bestPeer,
  merged,
  opponent,
  type Results,
  type Row,
  ratioOf,
  readResults,
  type ToolResult,
  writeResults,
} from "../../../bench/remote/results.ts";

function tool(wall: number[], failed?: string): ToolResult {
  const result = { wall, cpu: wall, peakMib: wall.map(() => 1) };
  return failed === undefined ? result : { ...result, failed };
}

function row(scenario: string, tools: Record<string, ToolResult> = {}): Row {
  return { scenario, link: "loopback", at: "2026-01-01T00:00", busy: 0, tools };
}

function results(rows: Row[], overrides: Partial<Results> = {}): Results {
  const versions = { blit: "1" };
  const labels = { blit: "blit", "blit-tls": "blit TLS", rsync: "rsync", reference: "C" };
  return { machine: "m", scale: 1, versions, labels, rows, ...overrides };
}

const big = row("push-big", {
  blit: tool([1, 3, 2]),
  "blit-tls": tool([1.2, 3.3, 2.2]),
  rsync: tool([2, 4, 8]),
  rclone: tool([1], "exit 1"),
  reference: tool([0.5, 1, 1]),
});

describe("who is compared with whom", () => {
  test("neither blit itself nor the reference is a peer, nor what failed", () => {
    expect(bestPeer(big)).toBe("rsync");
    expect(opponent(big, "best peer")).toBe("rsync");
    expect(opponent(big, "reference")).toBe("reference");
    expect(bestPeer(row("x", { blit: tool([1]) }))).toBeUndefined();
  });

  test("ratios are paired by round", () => {
    expect(ratioOf(big, "blit", "rsync")).toEqual({ median: 0.5, low: 0.25, high: 0.75 });
    expect(ratioOf(big, "blit", "rclone")).toBeUndefined();
  });
});

describe("what is kept", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "triad-results-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("rows come back as they were written", () => {
    const memory = { idleMib: 40, connections: 64, perConnectionKib: 100 };
    const written = results([big], { memory });
    writeResults(join(folder, "raw.jsonl"), written);
    expect(readResults(join(folder, "raw.jsonl"))).toEqual(written);
    expect(readResults(join(folder, "absent"))).toBeUndefined();
  });

  test("a row is replaced by its newer one; another peer keeps nothing", () => {
    const before = results([big, row("push-small")]);
    const now = results([row("push-big")]);
    expect(merged(before, now).rows).toEqual([row("push-small"), row("push-big")]);
    const other = results([row("push-big")], { machine: "n" });
    expect(merged(before, other).rows).toEqual([row("push-big")]);
  });
});

test("goals and losses are named", () => {
  const text = renderResults(results([big], { memory: undefined }));
  expect(text).toContain("Goals met: 2 of 3.");
  expect(text).toContain("Missed: loopback: push 1 file of 4 GiB (2.00 over C).");
  expect(text).toContain("encrypted over plain | 1.10 (1.10–1.20) | ≤ 1.25 | met");
  expect(renderResults(results([big], { scale: 0.5 }))).toContain("Goals are for the full size.");
});
