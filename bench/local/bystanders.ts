import { readFileSync } from "node:fs";

const WATCH_MS = 1000;

/** How many processors were busy over a second in which the benchmark slept: others' work. */
export function busyProcessors(): number {
  const before = ticks();
  Bun.sleepSync(WATCH_MS);
  const after = ticks();
  const total = after.total - before.total;
  if (total === 0) return 0;
  const share = 1 - (after.idle - before.idle) / total;
  return Math.round(share * navigator.hardwareConcurrency * 10) / 10;
}

/** Time that all processors together have spent since the start, in ticks. */
function ticks(): { total: number; idle: number } {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const columns = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const total = columns.reduce((sum, value) => sum + value, 0);
  // Waiting for a disk is idle time too.
  return { total, idle: (columns[3] ?? 0) + (columns[4] ?? 0) };
}
