import type { PerfRecord } from "../../../src/blit/plan/perf-record.ts";

/** A plausible record: 1,000 small files on ext4 in 10 ms. */
export function perfRecord(change: Partial<PerfRecord> = {}): PerfRecord {
  return {
    schema: 1,
    timestampMs: 1_700_000_000_000,
    command: "copy",
    sourceFs: "ext4",
    targetFs: "ext4",
    files: 1000,
    bytes: 2_000_000,
    folders: 10,
    upToDate: 0,
    deleted: 0,
    failed: 0,
    plannerMs: 4,
    transferMs: 10,
    totalMs: 12,
    workers: 0,
    fastPath: "none",
    bigFile: null,
    stalls: 0,
    ...change,
  };
}
