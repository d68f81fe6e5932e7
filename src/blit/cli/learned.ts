import type { HugeFileStrategy } from "../engine/options.ts";
import { counter } from "../engine/shared-state.ts";
import type { TransferResult } from "../engine/transfer.ts";
import type { FastPath, PerfRecord } from "../plan/perf-record.ts";
import { createPredictor, type Predictor, profileKey } from "../plan/predictor.ts";
import type { Telemetry } from "../telemetry.ts";

/** What earlier runs taught, and the record of this one: kept on this machine alone. */
export type Learned = {
  chooseStrategy(sourceFs: string, targetFs: string): HugeFileStrategy;
  isWorthWorkers(work: {
    readonly sourceFs: string;
    readonly targetFs: string;
    readonly entries: number;
    readonly bytes: number;
  }): boolean;
};

const MIB = 1024 * 1024;

/** File systems whose server can copy by itself, so that no byte crosses the network. */
const serverCopies: ReadonlySet<string> = new Set(["nfs", "cifs", "smb2"]);

const candidates = ["buffered", "copy_file_range"] as const;

/** Reads the log when something is asked for the first time. */
export function learnFrom(telemetry: Telemetry): Learned {
  let made: Predictor | undefined;
  const predictor = (): Predictor => {
    made ??= createPredictor({
      records: telemetry.readTail(),
      now: Date.now,
      // Every huge file tries both ways in itself, so that no whole run has to be given to it.
      random: () => 1,
    });
    return made;
  };
  return {
    chooseStrategy: (sourceFs, targetFs) => {
      const isServer = serverCopies.has(sourceFs) && sourceFs === targetFs;
      const usual: HugeFileStrategy = isServer ? "copy_file_range" : "buffered";
      if (!telemetry.enabled) return usual;
      const profile = profileKey(sourceFs, targetFs);
      const chosen = predictor().chooseBigFileStrategy(profile, candidates);
      return (chosen as HugeFileStrategy | undefined) ?? usual;
    },
    isWorthWorkers: ({ sourceFs, targetFs, entries, bytes }) =>
      predictor().shouldStartWorkers({ profile: profileKey(sourceFs, targetFs), entries, bytes }),
  };
}

/** The way that moved most of the bytes of huge files, and its rate. */
function bigFileOf(result: TransferResult): PerfRecord["bigFile"] {
  const total = (column: number): number => result.shared.total(column);
  const ways = [
    { strategy: "buffered", bytes: total(counter.bufferedBytes), ms: total(counter.bufferedMs) },
    { strategy: "copy_file_range", bytes: total(counter.rangeBytes), ms: total(counter.rangeMs) },
  ] as const;
  const [most] = [...ways].sort((a, b) => b.bytes - a.bytes);
  if (most === undefined || most.ms === 0) return null;
  return { strategy: most.strategy, mibPerSecond: most.bytes / MIB / (most.ms / 1000) };
}

function fastPathOf(result: TransferResult): FastPath {
  const total = (column: number): number => result.shared.total(column);
  const files = total(counter.files);
  if (files === 0) return "nothing-to-do";
  if (total(counter.bufferedBytes) + total(counter.rangeBytes) > 0 && files === 1)
    return "huge-file";
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
    bigFile: bigFileOf(result),
    stalls: result.stalls,
  });
}
