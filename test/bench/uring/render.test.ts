import { expect, test } from "bun:test";
import type { Measured } from "../../../bench/uring/job.ts";
import { renderUring } from "../../../bench/uring/render.ts";

function runs(walls: readonly number[], cpus = walls): Measured[] {
  return walls.map((wall, index) => {
    const system = cpus[index] as number;
    return { wall, system, user: 0, switches: 50, items: 0, bytes: 0, checksum: 0 };
  });
}

function rendered(ring: readonly Measured[], label = "batched", decides = true): string {
  const variants = [
    { label: "calls", runs: runs([2, 2, 4]) },
    { label, runs: ring },
  ];
  const unit = { name: "file", count: 100 };
  return renderUring([{ title: "Small files", unit, decides, variants }], "a machine");
}

test("a win counts when it is clear in wall time and CPU, in every round", () => {
  const wins = "here:\n\n- Small files: batched";
  const stays = "the engine stays with calls";
  expect(rendered(runs([1, 1, 2]))).toContain(wins);
  expect(rendered(runs([1.9, 1.9, 3.8]))).toContain(stays);
  expect(rendered(runs([1, 1, 2], [2, 2, 4]))).toContain(stays);
  expect(rendered(runs([1, 1, 5]))).toContain(stays);
  // Not a ring: the calls with another number of threads.
  expect(rendered(runs([1, 1, 2]), "pread and pwrite, 1 thread")).toContain(stays);
  expect(rendered(runs([1, 1, 2]), "batched", false)).toContain(stays);
});

test("ratios are taken within a round", () => {
  expect(rendered(runs([1, 3, 2]))).toContain(
    "| 2.00 (1.00–3.00) | 2.00 (1.00–3.00) | 0.50 (0.50–1.50) | 0.50 (0.50–1.50) | 0.50 |",
  );
});
