import { describe, expect, test } from "bun:test";
import { renderResults } from "../../../bench/local/render.ts";
import type { Results, Row, ToolResult } from "../../../bench/local/results.ts";

function tool(wall: number[]): ToolResult {
  return { wall, cpu: wall, peakMib: wall.map(() => 14), sync: wall };
}

function row(scenario: string, ours: number[], theirs: number[]): Row {
  const tools = { blit: tool(ours), cp: tool(theirs) };
  return { scenario, fs: "ext4", at: "2026-01-01T00:00", busy: 0, tools };
}

function rendered(rows: Row[], overrides: Partial<Results> = {}): string {
  return renderResults({
    machine: "a machine",
    scale: 1,
    versions: { blit: "blit 1", cp: "cp 9" },
    labels: { blit: "blit", cp: "cp -a" },
    rows,
    memory: [],
    ...overrides,
  });
}

describe("renderResults", () => {
  test("tells goals met, goals missed and where blit loses", () => {
    const text = rendered([
      row("small", [0.4, 0.5], [1, 1]),
      row("deep", [0.7], [1]),
      row("eight", [3], [2]),
    ]);
    expect(text).toContain("Goals met: 1 of 2.");
    expect(text).toContain("Missed: ext4: deep chains, 50 x 100 folders (0.70 of cp -a).");
    expect(text).toContain("slower than the best peer: ext4: 8 files of 64 MiB (1.50 of cp -a).");
    expect(text).toContain(
      "small files | 0.450 (14) | 1.00 (14) | cp -a | 0.45 (0.40–0.50) | ≤ 0.5 | met |",
    );
    expect(text).toMatch(/deep chains.* \| 0\.70 \(0\.70–0\.70\) \| ≤ 0\.5 \| \*\*missed\*\* \|/);
  });

  test("judges no goal on sets of another size", () => {
    const text = rendered([row("small", [2], [1])], { scale: 0.1 });
    expect(text).not.toMatch(/Goals met|missed|≤/i);
    expect(text).toContain("slower than the best peer: ext4: 100k small files (2.00 of cp -a).");
  });

  test("names tools that failed and rows that were left out", () => {
    const measured = row("small", [1], [1]);
    const failed = { ...tool([]), failed: "exit 1: no" };
    const text = rendered([
      { ...measured, tools: { ...measured.tools, cp: failed } },
      { ...row("big", [], []), tools: {}, skipped: "needs 9.0 GiB of memory" },
      { ...row("deep", [1], [1]), busy: 0.4 },
    ]);
    expect(text).toContain(
      "- ext4: deep chains, 50 x 100 folders: others kept 0.4 processors busy",
    );
    expect(text).toContain("- ext4: 100k small files: cp -a failed: exit 1: no");
    expect(text).toContain("- ext4: 1 file of 4 GiB: not measured, it needs 9.0 GiB of memory");
    expect(text).toContain("| ext4: 100k small files | 1.00 (14) | failed | – | – | ≤ 0.5 |  |");
  });

  test("judges the memory curve", () => {
    const point = { copySeconds: 1, mirrorMib: 10, mirrorSeconds: 1 };
    const memory = [
      { ...point, files: 100_000, copyMib: 151 },
      { ...point, files: 1_000_000, copyMib: 302 },
    ];
    const text = rendered([], { memory });
    expect(text).toContain("at most 150 MiB at 100,000 files: 151, **missed**");
    expect(text).toContain("10 x the files take 2.00 x the memory, met");
  });
});
