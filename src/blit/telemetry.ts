/**
 * The local performance log, `~/.config/blit/perf_local.jsonl`: at most 1 MiB of lines without any
 * name of the user's data, read by the predictor and by `blit diagnostics perf`, sent nowhere.
 * Whatever goes wrong with it is no reason to fail a transfer: it is then silently absent.
 */

import type { Stats } from "node:fs";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Environment } from "../kit/config/paths.ts";
import { xdgPaths } from "../kit/config/paths.ts";
import { writeFileAtomic } from "../kit/store/atomic.ts";
import { formatPerfRecord, type PerfRecord, parsePerfRecord } from "./plan/perf-record.ts";

/** Size that the log never exceeds (parallel runs: by a line each). */
const LOG_BYTES_MAX = 1024 * 1024;
/** What a transfer reads of it to learn from: some 150 runs. */
const TAIL_BYTES = 64 * 1024;

const LINE_BREAK = Buffer.from("\n");

/** The variable that turns reading and writing off. */
export const TELEMETRY_OFF = "BLIT_DISABLE_LOCAL_TELEMETRY";

/** The log, as far as it is there and wanted. No method throws. */
export interface Telemetry {
  readonly path: string;
  readonly enabled: boolean;
  /** Adds a run; false when nothing was written. */
  append(record: PerfRecord): boolean;
  /** The runs in the last 64 KiB of the log, oldest first: enough to predict from. */
  readTail(): PerfRecord[];
  /** The last `limit` runs, oldest first. */
  readRecentRuns(limit: number): PerfRecord[];
}

/**
 * Opens nothing yet: each method does its own short I/O. `enabled: false` (the user's config) and
 * BLIT_DISABLE_LOCAL_TELEMETRY=1 turn it off.
 */
export function createTelemetry(options: {
  readonly environment: Environment;
  readonly enabled?: boolean;
}): Telemetry {
  const path = join(xdgPaths(options.environment).config, "blit", "perf_local.jsonl");
  const enabled = (options.enabled ?? true) && !isSwitchedOff(options.environment[TELEMETRY_OFF]);
  return {
    path,
    enabled,
    append: (record) => enabled && quietly(() => appendLine(path, formatPerfRecord(record)), false),
    readTail: () => (enabled ? quietly(() => parse(readEnd(path, TAIL_BYTES)), []) : []),
    readRecentRuns: (limit) =>
      enabled && limit > 0
        ? quietly(() => parse(readEnd(path, LOG_BYTES_MAX)).slice(-limit), [])
        : [],
  };
}

function isSwitchedOff(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false", "no"].includes(value.toLowerCase());
}

/** One write in append mode, so that the lines of parallel runs stay whole. */
function appendLine(path: string, line: string): boolean {
  const folder = dirname(path);
  if (!isOurs(folder)) return false;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // No symbolic link is followed (root may run this in a user's home), and a FIFO does not block.
  const flags =
    constants.O_RDWR |
    constants.O_APPEND |
    constants.O_CREAT |
    constants.O_NOFOLLOW |
    constants.O_NONBLOCK;
  const bytes = Buffer.from(line);
  if (sizeOf(path) + bytes.length > LOG_BYTES_MAX) trim(path);
  const fd = openSync(path, flags, 0o600);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return false;
    if ((stat.mode & 0o077) !== 0) fchmodSync(fd, 0o600);
    const whole = endsInLineBreak(fd, stat.size) ? bytes : Buffer.concat([LINE_BREAK, bytes]);
    return writeSync(fd, whole) === whole.length;
  } finally {
    closeSync(fd);
  }
}

/** False after a line that a crash or a full disk has torn: it must not take ours with it. */
function endsInLineBreak(fd: number, size: number): boolean {
  const last = Buffer.alloc(1);
  return size === 0 || (readSync(fd, last, 0, 1, size - 1) === 1 && last.equals(LINE_BREAK));
}

/**
 * False where `sudo` with the user's HOME would leave files of root in it, which later runs of the
 * user could not write.
 */
function isOurs(folder: string): boolean {
  let existing = folder;
  while (statOf(existing) === undefined && dirname(existing) !== existing) {
    existing = dirname(existing);
  }
  return statOf(existing)?.uid === process.geteuid?.();
}

/** Keeps the newest half. A line that another run adds at this very moment may be lost. */
function trim(path: string): void {
  const kept = readEnd(path, LOG_BYTES_MAX / 2);
  writeFileAtomic({ path, content: kept, mode: 0o600 });
}

/** The whole lines in the last `bytesMax` bytes; "" when there is no such file. */
function readEnd(path: string, bytesMax: number): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return "";
    const start = Math.max(0, stat.size - bytesMax);
    const buffer = Buffer.alloc(Math.min(stat.size, bytesMax));
    const read = readSync(fd, buffer, 0, buffer.length, start);
    const text = buffer.toString("utf8", 0, read);
    if (start === 0) return text;
    const first = text.indexOf("\n"); // what stands before it is the end of a line
    return first < 0 ? "" : text.slice(first + 1);
  } finally {
    closeSync(fd);
  }
}

function parse(text: string): PerfRecord[] {
  return text
    .split("\n")
    .map(parsePerfRecord)
    .filter((record) => record !== undefined);
}

function sizeOf(path: string): number {
  return statOf(path)?.size ?? 0;
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function quietly<T>(action: () => T, otherwise: T): T {
  try {
    return action();
  } catch {
    return otherwise;
  }
}
