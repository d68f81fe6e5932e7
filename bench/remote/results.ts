import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isComparable, type KeptRow, keptRows } from "../kept-rows.ts";
import { quantile } from "../report.ts";
import type { LinkKind } from "./link.ts";
import { BEST_PEER } from "./scenario.ts";
import { OWN_TOOLS } from "./tool.ts";

/** One tool in one row; entry n of each list is round n. */
export interface ToolResult {
  /** Seconds of the client. */
  wall: number[];
  /** Seconds of user and system time, client and server. */
  cpu: number[];
  /** Of the client, MiB. */
  peakMib: number[];
  /** The server's largest resident set in the row, MiB. */
  serverPeakMib?: number;
  /** Why the tool does not count. */
  failed?: string;
}

/** One scenario over one kind of link, measured in one go. */
export interface Row extends KeptRow {
  readonly scenario: string;
  readonly link: LinkKind;
  /** Day and minute, UTC. */
  readonly at: string;
  /** How many processors others kept busy just before it began. */
  readonly busy: number;
  readonly tools: Record<string, ToolResult>;
  readonly skipped?: string;
}

/** What blitd takes while nobody wants anything from it. */
export interface DaemonMemory {
  readonly idleMib: number;
  readonly connections: number;
  readonly perConnectionKib: number;
}

export interface Results {
  readonly machine: string;
  readonly scale: number;
  /** Version line of each tool by id. */
  readonly versions: Record<string, string>;
  /** Display name of each tool by id, in the order of the columns. */
  readonly labels: Record<string, string>;
  readonly rows: readonly Row[];
  readonly memory?: DaemonMemory | undefined;
}

/** A ratio over the rounds. */
export interface Ratio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** One tool's wall time over another's, round by round; undefined without both. */
export function ratioOf(row: Row, tool: string, over: string): Ratio | undefined {
  const [ours, theirs] = [row.tools[tool], row.tools[over]];
  if (ours === undefined || theirs === undefined || theirs.failed !== undefined) return undefined;
  const pairs = Math.min(ours.wall.length, theirs.wall.length);
  if (pairs === 0) return undefined;
  const ratios = ours.wall.slice(0, pairs).map((value, index) => {
    return value / (theirs.wall[index] ?? Number.NaN);
  });
  return { median: quantile(ratios, 0.5), low: Math.min(...ratios), high: Math.max(...ratios) };
}

/** The peer with the smallest median wall time. */
export function bestPeer(row: Row): string | undefined {
  const peers = Object.entries(row.tools)
    .filter(([id]) => !OWN_TOOLS.includes(id))
    .filter(([, { wall, failed }]) => failed === undefined && wall.length > 0)
    .map(([id, { wall }]) => ({ id, median: quantile(wall, 0.5) }));
  return peers.sort((a, b) => a.median - b.median)[0]?.id;
}

/** The tool that a goal names, in this row. */
export function opponent(row: Row, over: string): string | undefined {
  return over === BEST_PEER ? bestPeer(row) : over;
}

/**
 * New results on top of those of an earlier session: rows of the same scenario and link are
 * replaced, and each says with which executable of ours it was measured. Nothing is kept when the
 * machine, the scale or a version of another tool changed.
 */
export function merged(before: Results | undefined, now: Results): Results {
  if (before === undefined || !isComparable(before, now)) return now;
  const kept = keptRows(before.rows, before, now).filter(
    (old) => !now.rows.some(({ scenario, link }) => scenario === old.scenario && link === old.link),
  );
  return {
    ...now,
    versions: { ...before.versions, ...now.versions },
    labels: { ...before.labels, ...now.labels },
    rows: [...kept, ...now.rows],
    memory: now.memory ?? before.memory,
  };
}

/** Results that writeResults wrote; undefined when there are none. */
export function readResults(path: string): Results | undefined {
  if (!existsSync(path)) return undefined;
  const [head, ...rows] = readFileSync(path, "utf8").trimEnd().split("\n");
  if (head === undefined || head === "") return undefined;
  return {
    ...(JSON.parse(head) as Omit<Results, "rows">),
    rows: rows.map((row) => JSON.parse(row)),
  };
}

/** JSON lines: what they were measured with, then a row to a line. */
export function writeResults(path: string, { rows, ...head }: Results): void {
  mkdirSync(dirname(path), { recursive: true });
  const lines = [head, ...rows].map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(path, lines.join(""));
}
