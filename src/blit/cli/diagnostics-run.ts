import type { CommandContext } from "../../kit/cli/command.ts";
import type { Environment } from "../../kit/config/paths.ts";
import { escapeControls } from "../../kit/fault/redact.ts";
import { formatBytes, formatRate, formatSeconds, groupDigits } from "../../kit/text/format.ts";
import { type Column, formatTable } from "../../kit/text/table.ts";
import { loadBlitConfig } from "../config.ts";
import type { PerfRecord } from "../plan/perf-record.ts";
import { createPredictor, type Estimate, type LearnedProfile } from "../plan/predictor.ts";
import { createTelemetry, TELEMETRY_OFF, type Telemetry } from "../telemetry.ts";
import type { DiagnosticsArgs } from "./diagnostics.ts";

const RUNS_SHOWN = 20;
const MIB = 1024 * 1024;

/**
 * Runs `blit diagnostics perf`: the recent runs, what the planner has learnt from them, and where
 * all that is kept. With --json one object, `blit.diagnostics.perf/1`.
 */
export async function run(
  context: Pick<CommandContext<DiagnosticsArgs>, "args" | "printer">,
  environment: Environment = process.env,
): Promise<number> {
  const { printer, args } = context;
  const config = await loadBlitConfig(environment);
  const telemetry = createTelemetry({ environment, enabled: config.telemetry.enabled });
  const runs = telemetry.readRecentRuns(args.limit ?? RUNS_SHOWN);
  const learned = createPredictor({
    records: telemetry.readTail(),
    now: Date.now,
    random: Math.random,
  }).learned();
  if (printer.jsonMode) {
    const { path, enabled } = telemetry;
    printer.json({ schema: "blit.diagnostics.perf/1", path, enabled, runs, learned });
    return 0;
  }
  if (runs.length > 0) {
    for (const line of runTable(runs)) printer.out(line);
    printer.out("");
    for (const line of formatTable(LEARNED_COLUMNS, learned.map(learnedRow))) printer.out(line);
    printer.out("");
  }
  for (const line of whereabouts(telemetry, runs.length)) printer.out(line);
  return 0;
}

const RUN_COLUMNS: readonly Column[] = [
  { title: "When" },
  { title: "Command" },
  { title: "From→to" },
  { title: "Files", align: "right" },
  { title: "Size", align: "right" },
  { title: "Same", align: "right" },
  { title: "Deleted", align: "right" },
  { title: "Failed", align: "right" },
  { title: "Time", align: "right" },
  { title: "Rate", align: "right" },
  { title: "Workers", align: "right" },
  { title: "Stalls", align: "right" },
  { title: "Way" },
];

/** Columns in which nothing ever happened are left out: the table has to fit a terminal. */
function runTable(runs: readonly PerfRecord[]): string[] {
  const rows = runs.map(runRow);
  const kept = RUN_COLUMNS.map((_, index) => rows.some((row) => row[index] !== "0"));
  return formatTable(
    RUN_COLUMNS.filter((_, index) => kept[index]),
    rows.map((row) => row.filter((_, index) => kept[index])),
  );
}

function runRow(run: PerfRecord): string[] {
  return [
    localTime(run.timestampMs),
    run.command,
    `${run.sourceFs}→${run.targetFs}`,
    groupDigits(run.files),
    formatBytes(run.bytes),
    groupDigits(run.upToDate),
    groupDigits(run.deleted),
    groupDigits(run.failed),
    formatSeconds(run.totalMs / 1000),
    run.bytes > 0 && run.totalMs > 0 ? formatRate((run.bytes * 1000) / run.totalMs) : "-",
    groupDigits(run.workers),
    groupDigits(run.stalls),
    run.bigFile === null ? run.fastPath : `${run.fastPath}, ${run.bigFile.strategy}`,
  ];
}

const LEARNED_COLUMNS: readonly Column[] = [
  { title: "Learnt of" },
  { title: "New file", align: "right" },
  { title: "Without workers", align: "right" },
  { title: "Same file", align: "right" },
  { title: "Big files" },
];

function learnedRow(learned: LearnedProfile): string[] {
  const strategies = Object.entries(learned.mibPerSecond).map(
    ([strategy, { value, samples }]) =>
      `${strategy} ${formatRate(value * MIB)} (${groupDigits(samples)})`,
  );
  return [
    learned.profile,
    costText(learned.newFileUs),
    costText(learned.newFileInlineUs),
    costText(learned.unchangedUs),
    strategies.length > 0 ? strategies.join(", ") : "-",
  ];
}

/** A cost with the number of runs that it rests on. */
function costText(estimate: Estimate | undefined): string {
  if (estimate === undefined) return "-";
  const { value, samples } = estimate;
  return `${value < 10 ? value.toFixed(1) : groupDigits(Math.round(value))} µs (${samples})`;
}

function whereabouts(telemetry: Telemetry, runs: number): string[] {
  const path = escapeControls(telemetry.path);
  if (!telemetry.enabled) {
    return [`The log is off (${TELEMETRY_OFF} or config.toml); nothing of "${path}" is used`];
  }
  return [
    runs === 0 ? `No runs yet in "${path}"` : `Log: "${path}", at most 1 MiB`,
    "It holds no names and never leaves this machine",
    `Off: ${TELEMETRY_OFF}=1, or "enabled = false" under [telemetry] in config.toml`,
  ];
}

/** "2026-11-21 09:05", in the time of this machine. */
function localTime(timestampMs: number): string {
  const date = new Date(timestampMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
