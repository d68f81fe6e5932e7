import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isComparable, type KeptRow, keptRows } from "../kept-rows.ts";
import { quantile } from "../report.ts";

/** One tool in one row; entry n of each list is round n. */
export interface ToolResult {
  /** Seconds. */
  wall: number[];
  /** Seconds of user and system time. */
  cpu: number[];
  peakMib: number[];
  /** Seconds that writing out took afterwards, outside of wall. */
  sync: number[];
  /** Why the tool does not count. */
  failed?: string;
}

/** One scenario on one file system, measured in one go. */
export interface Row extends KeptRow {
  readonly scenario: string;
  readonly fs: string;
  /** Day and minute, UTC. */
  readonly at: string;
  /** How many processors others kept busy just before it began. */
  readonly busy: number;
  readonly tools: Record<string, ToolResult>;
  readonly skipped?: string;
}

/** One point of the memory curve. */
export interface MemoryPoint extends KeptRow {
  readonly files: number;
  readonly copyMib: number;
  readonly copySeconds: number;
  readonly mirrorMib: number;
  readonly mirrorSeconds: number;
}

export interface Results {
  readonly machine: string;
  readonly scale: number;
  /** Version line of each tool by id. */
  readonly versions: Record<string, string>;
  /** Display name of each tool by id, in the order of the columns. */
  readonly labels: Record<string, string>;
  readonly rows: readonly Row[];
  readonly memory: readonly MemoryPoint[];
}

/** A ratio over the rounds. */
export interface Ratio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** blit over one peer, round by round; undefined when one of them was not measured. */
export function ratioOf(row: Row, peer: string, field: "wall" | "cpu" = "wall"): Ratio | undefined {
  const [ours, theirs] = [row.tools["blit"], row.tools[peer]];
  if (ours === undefined || theirs === undefined || theirs.failed !== undefined) return undefined;
  const pairs = Math.min(ours[field].length, theirs[field].length);
  if (pairs === 0) return undefined;
  const ratios = ours[field].slice(0, pairs).map((value, index) => {
    return value / (theirs[field][index] ?? Number.NaN);
  });
  return {
    median: quantile(ratios, 0.5),
    low: Math.min(...ratios),
    high: Math.max(...ratios),
  };
}

/** The peer with the smallest median wall time. */
export function bestPeer(row: Row): string | undefined {
  const peers = Object.entries(row.tools)
    .filter(([id, { wall, failed }]) => id !== "blit" && failed === undefined && wall.length > 0)
    .map(([id, { wall }]) => ({ id, median: quantile(wall, 0.5) }));
  return peers.sort((a, b) => a.median - b.median)[0]?.id;
}

/**
 * New results on top of those of an earlier session: rows of the same scenario and file system are
 * replaced, and each says with which executable of ours it was measured. Nothing is kept when the
 * machine, the scale or a version of another tool changed.
 */
export function merged(before: Results | undefined, now: Results): Results {
  if (before === undefined || !isComparable(before, now)) return now;
  const kept = keptRows(before.rows, before, now).filter(
    (old) => !now.rows.some(({ scenario, fs }) => scenario === old.scenario && fs === old.fs),
  );
  return {
    ...now,
    versions: { ...before.versions, ...now.versions },
    labels: { ...before.labels, ...now.labels },
    rows: [...kept, ...now.rows],
    memory: now.memory.length > 0 ? now.memory : keptRows(before.memory, before, now),
  };
}

/** A line of the raw file: the first says what the others were measured with. */
type Line =
  | ({ readonly kind: "session" } & Omit<Results, "rows" | "memory">)
  | ({ readonly kind: "row" } & Row)
  | ({ readonly kind: "memory" } & MemoryPoint);

/** Results that writeResults wrote; undefined when there are none. */
export function readResults(path: string): Results | undefined {
  if (!existsSync(path)) return undefined;
  let head: Omit<Results, "rows" | "memory"> | undefined;
  const rows: Row[] = [];
  const memory: MemoryPoint[] = [];
  for (const text of readFileSync(path, "utf8").trimEnd().split("\n")) {
    const { kind, ...content } = JSON.parse(text) as Line;
    if (kind === "session") head = content as typeof head;
    else if (kind === "row") rows.push(content as Row);
    else memory.push(content as MemoryPoint);
  }
  return head === undefined ? undefined : { ...head, rows, memory };
}

/** JSON lines, a row to a line: small, and a change shows in a diff. */
export function writeResults(path: string, { rows, memory, ...head }: Results): void {
  mkdirSync(dirname(path), { recursive: true });
  const lines: Line[] = [
    { kind: "session", ...head },
    ...rows.map((row): Line => ({ kind: "row", ...row })),
    ...memory.map((point): Line => ({ kind: "memory", ...point })),
  ];
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
