/**
 * One line of the local performance log: how one run went, in numbers. It never holds a name or
 * a path of the user's data, and it never leaves the machine. Pure.
 */

const COMMANDS = ["copy", "mirror", "move"] as const;
const FAST_PATHS = [
  "none",
  "nothing-to-do",
  "single-file",
  "few-small-files",
  "huge-file",
] as const;
const BIG_FILE_STRATEGIES = [
  "reflink",
  "copy_file_range",
  "buffered",
  "parallel",
  "direct",
] as const;

/** Which short cut the planner took. */
export type FastPath = (typeof FAST_PATHS)[number];
/** How the data of a big file were moved. */
export type BigFileStrategy = (typeof BIG_FILE_STRATEGIES)[number];

/** A run. Counts are entries; `…Ms` are milliseconds of wall time. */
export interface PerfRecord {
  readonly schema: 1;
  /** When the run ended, milliseconds since 1970. */
  readonly timestampMs: number;
  readonly command: (typeof COMMANDS)[number];
  /** Kind of file system, such as "ext4" or "tmpfs". */
  readonly sourceFs: string;
  readonly targetFs: string;
  /** Files copied, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  readonly folders: number;
  readonly upToDate: number;
  readonly deleted: number;
  readonly failed: number;
  readonly plannerMs: number;
  readonly transferMs: number;
  readonly totalMs: number;
  /** Worker threads beside the main thread; 0 = everything ran inline. */
  readonly workers: number;
  readonly fastPath: FastPath;
  /** The way that big files went, with its rate in MiB/s; null when there were none. */
  readonly bigFile: { readonly strategy: BigFileStrategy; readonly mibPerSecond: number } | null;
  readonly stalls: number;
}

const COUNTS = [
  "timestampMs",
  "files",
  "bytes",
  "folders",
  "upToDate",
  "deleted",
  "failed",
  "plannerMs",
  "transferMs",
  "totalMs",
  "workers",
  "stalls",
] as const satisfies readonly (keyof PerfRecord)[];

/** The record as one line, with its line break. Only the known fields, so nothing else slips in. */
export function formatPerfRecord(record: PerfRecord): string {
  const { schema, timestampMs, command, sourceFs, targetFs, fastPath, bigFile } = record;
  const counts = Object.fromEntries(COUNTS.map((key) => [key, round(record[key])]));
  const line = {
    schema,
    timestampMs,
    command,
    sourceFs: fileSystemName(sourceFs),
    targetFs: fileSystemName(targetFs),
    ...counts,
    fastPath,
    bigFile: bigFile && {
      strategy: bigFile.strategy,
      mibPerSecond: round(bigFile.mibPerSecond),
    },
  };
  return `${JSON.stringify(line)}\n`;
}

/** The record of a line; undefined when it is torn, foreign, or of another schema. Never throws. */
export function parsePerfRecord(line: string): PerfRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isPerfRecord(value) ? value : undefined;
}

function isPerfRecord(value: unknown): value is PerfRecord {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Partial<Record<keyof PerfRecord, unknown>>;
  return (
    record.schema === 1 &&
    oneOf(COMMANDS, record.command) &&
    oneOf(FAST_PATHS, record.fastPath) &&
    isFileSystemName(record.sourceFs) &&
    isFileSystemName(record.targetFs) &&
    COUNTS.every((key) => isCount(record[key])) &&
    isBigFile(record.bigFile)
  );
}

function isBigFile(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== "object") return false;
  const { strategy, mibPerSecond } = value as Record<string, unknown>;
  return oneOf(BIG_FILE_STRATEGIES, strategy) && isCount(mibPerSecond);
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function oneOf(words: readonly string[], value: unknown): boolean {
  return typeof value === "string" && words.includes(value);
}

/** What names a kind of file system, and can name nothing of the user's. */
function isFileSystemName(value: unknown): boolean {
  return typeof value === "string" && /^[a-z0-9][a-z0-9._-]{0,23}$/.test(value);
}

function fileSystemName(name: string): string {
  return isFileSystemName(name) ? name : "other";
}

/** Three decimals: a microsecond, where the value is in milliseconds. */
function round(value: number): number {
  return Number.isFinite(value) && value > 0 ? Math.round(value * 1000) / 1000 : 0;
}
