import type { HugeFileStrategy } from "../engine/options.ts";
import { counter } from "../engine/shared-state.ts";
import type { TransferResult } from "../engine/transfer.ts";
import type { BigFileStrategy, FastPath, PerfRecord } from "../plan/perf-record.ts";
import { createPredictor, profileKey } from "../plan/predictor.ts";
import type { Telemetry } from "../telemetry.ts";

/** What earlier runs taught, and the record of this one: kept on this machine alone. */
export type Learned = {
  chooseStrategy(sourceFs: string, targetFs: string): HugeFileStrategy;
};

const MIB = 1024 * 1024;

/** Where direct writes are of no use, or refused. */
const memoryFileSystems: ReadonlySet<string> = new Set(["tmpfs", "overlay", "unknown"]);

/** Reads the log only when a strategy is asked for. */
export function learnFrom(telemetry: Telemetry): Learned {
  return {
    chooseStrategy: (sourceFs, targetFs) => {
      const candidates: BigFileStrategy[] = memoryFileSystems.has(targetFs)
        ? ["buffered", "copy_file_range"]
        : ["direct", "buffered", "copy_file_range"];
      const fallback = candidates[0] as HugeFileStrategy;
      if (!telemetry.enabled) return fallback;
      const predictor = createPredictor({
        records: telemetry.readTail(),
        now: Date.now,
        random: Math.random,
      });
      const profile = profileKey(sourceFs, targetFs);
      const chosen = predictor.chooseBigFileStrategy(profile, candidates);
      const isKnown = predictor.learned().some((each) => each.profile === profile);
      if (chosen !== undefined) return chosen as HugeFileStrategy;
      return isKnown ? (predictor.leastKnown(profile, candidates) as HugeFileStrategy) : fallback;
    },
  };
}

function fastPathOf(result: TransferResult): FastPath {
  const total = (column: number): number => result.shared.total(column);
  const files = total(counter.files);
  if (files === 0) return "nothing-to-do";
  if (total(counter.hugeBytes) > 0 && files === 1) return "huge-file";
  if (result.workers > 0) return "none";
  return files === 1 ? "single-file" : "few-small-files";
}

/** Adds a run to the log. */
export function keepRecord(
  telemetry: Telemetry,
  run: { command: PerfRecord["command"]; result: TransferResult; seconds: number },
): void {
  if (!telemetry.enabled) return;
  const { result } = run;
  const total = (column: number): number => result.shared.total(column);
  const hugeMs = total(counter.hugeMs);
  const hugeBytes = total(counter.hugeBytes);
  telemetry.append({
    schema: 1,
    timestampMs: Date.now(),
    command: run.command,
    sourceFs: result.sourceFs,
    targetFs: result.targetFs,
    files: total(counter.files),
    bytes: total(counter.bytes),
    folders: total(counter.folders),
    upToDate: total(counter.upToDate),
    deleted: total(counter.deleted),
    failed: total(counter.failed),
    plannerMs: result.planMs,
    transferMs: result.transferMs,
    totalMs: run.seconds * 1000,
    workers: result.workers,
    fastPath: fastPathOf(result),
    bigFile:
      hugeMs > 0
        ? { strategy: result.strategy, mibPerSecond: hugeBytes / MIB / (hugeMs / 1000) }
        : null,
    stalls: result.stalls,
  });
}
