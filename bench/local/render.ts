import { executableNotes } from "../kept-rows.ts";
import { quantile, table } from "../report.ts";
import {
  bestPeer,
  type MemoryPoint,
  type Ratio,
  type Results,
  type Row,
  ratioOf,
} from "./results.ts";
import { SCENARIOS, type Scenario } from "./scenario.ts";
import { VOLUME_KINDS } from "./volume.ts";

/** With more of the machine in other hands, a row says so. */
const BUSY_MAX = 0.2;
const PEAK_GOAL_MIB = 150;
const PEAK_GOAL_FILES = 100_000;

const METHOD = `Fresh file systems: ext4 and btrfs in an image on a loop device, tmpfs. Source and
target lie on the same one. In each round the tools run once, in shuffled order, with the target
reset and everything written out before the clock starts, the source and the tool's program in the
page cache and the memory that a run needs touched before (on a virtual machine with free page
reporting). The clock stops when the tool exits; nobody syncs. Cells: median seconds (peak MiB).
Ratios: blit's wall time over the peer's in the same round, median (lowest–highest); below 1 blit
is faster. The best peer is the one with the smallest median. rclone tuned: \`--transfers=16
--checkers=16 --buffer-size=0\`. blit's result is compared to the source by \`rsync -naiHAXc\`;
peers are checked for the number of files and bytes only, and some keep fewer attributes than blit
and cp do.`;

const MEMORY_METHOD = `blit's peak resident set over small files on ext4, the larger of two runs,
and the smaller wall time: a fresh copy, and a mirror with nothing to do.`;

/** The section of bench/RESULTS.md. */
export function renderResults(results: Results): string {
  const rows = ordered(results.rows);
  return [
    introduction(results),
    "",
    verdicts(rows, results),
    "",
    "### Wall time",
    "",
    wallTable(rows, results),
    "",
    ...notes(rows, results.labels),
    "### Processor time",
    "",
    "Median seconds of user and system time, and blit's over that of the peer that was fastest.",
    "",
    processorTable(rows, results.labels),
    ...(results.memory.length > 0 ? ["", "### Memory", "", renderMemory(results.memory)] : []),
  ].join("\n");
}

function introduction(results: Results): string {
  const versions = Object.entries(results.versions)
    .filter(([id]) => id !== "rclone-tuned")
    .map(([, version]) => version)
    .join("; ");
  const days = [...new Set(results.rows.map(({ at }) => at.slice(0, 10)))].sort();
  const scale = results.scale === 1 ? "" : ` Sets at ${results.scale} of their size.`;
  const first = `${days.join(" to ")}, ${results.machine}. ${versions}.${scale}`;
  return `${first}\n\n${METHOD}`;
}

function ordered(rows: readonly Row[]): Row[] {
  const scenarios = SCENARIOS.map(({ id }) => id);
  const kinds: readonly string[] = VOLUME_KINDS;
  const rank = (row: Row): number => kinds.indexOf(row.fs) * 100 + scenarios.indexOf(row.scenario);
  return [...rows].sort((a, b) => rank(a) - rank(b));
}

function scenarioOf(row: Row): Scenario | undefined {
  return SCENARIOS.find(({ id }) => id === row.scenario);
}

/** Goals are for the full size: with small sets everything is start-up. */
function goalOf(row: Row, scale: number): number | undefined {
  return scale === 1 ? scenarioOf(row)?.goal : undefined;
}

function title(row: Row): string {
  return `${row.fs}: ${scenarioOf(row)?.title ?? row.scenario}`;
}

function wallTable(rows: readonly Row[], { labels, scale }: Results): string {
  const tools = Object.keys(labels);
  const header = ["scenario", ...Object.values(labels), "best peer", "ratio", "goal", ""];
  const body = rows.map((row) => {
    const best = bestPeer(row);
    const ratio = best === undefined ? undefined : ratioOf(row, best);
    const goal = goalOf(row, scale);
    return [
      title(row),
      ...tools.map((tool) => wallCell(row, tool)),
      best === undefined ? "–" : (labels[best] ?? best),
      ratio === undefined ? "–" : ratioText(ratio),
      goal === undefined ? "" : `≤ ${goal.toFixed(1)}`,
      verdict(goal, ratio),
    ];
  });
  return table(header, body);
}

function wallCell(row: Row, tool: string): string {
  const result = row.tools[tool];
  if (result?.failed !== undefined) return "failed";
  if (result === undefined || result.wall.length === 0) return "–";
  return `${seconds(quantile(result.wall, 0.5))} (${quantile(result.peakMib, 0.5).toFixed(0)})`;
}

function processorTable(rows: readonly Row[], labels: Record<string, string>): string {
  const tools = Object.keys(labels);
  const body = rows
    .filter((row) => row.skipped === undefined)
    .map((row) => {
      const best = bestPeer(row);
      const ratio = best === undefined ? undefined : ratioOf(row, best, "cpu");
      const readable = ratio !== undefined && Number.isFinite(ratio.median) && ratio.median > 0;
      return [
        title(row),
        ...tools.map((tool) => {
          const cpu = row.tools[tool]?.cpu ?? [];
          return cpu.length === 0 ? "–" : quantile(cpu, 0.5).toFixed(2);
        }),
        readable ? ratio.median.toFixed(2) : "–",
      ];
    });
  return table(["scenario", ...Object.values(labels), "ratio"], body);
}

function seconds(value: number): string {
  return value < 1 ? value.toFixed(3) : value.toFixed(2);
}

function ratioText({ median, low, high }: Ratio): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

function verdict(goal: number | undefined, ratio: Ratio | undefined): string {
  if (goal === undefined || ratio === undefined) return "";
  return ratio.median <= goal ? "met" : "**missed**";
}

/** What was reached and where blit loses, before any table. */
function verdicts(rows: readonly Row[], { labels, scale }: Results): string {
  const missed: string[] = [];
  const slower: string[] = [];
  let goals = 0;
  for (const row of rows) {
    const best = bestPeer(row);
    const ratio = best === undefined ? undefined : ratioOf(row, best);
    if (best === undefined || ratio === undefined) continue;
    const goal = goalOf(row, scale);
    if (goal !== undefined) goals++;
    const text = `${title(row)} (${ratio.median.toFixed(2)} of ${labels[best] ?? best})`;
    if (goal !== undefined && ratio.median > goal) missed.push(text);
    if (ratio.median > 1) slower.push(text);
  }
  const met = goals === 0 ? "" : `Goals met: ${goals - missed.length} of ${goals}.`;
  return [met, sentence("Missed", missed), sentence("blit is slower than the best peer", slower)]
    .filter((line) => line !== "")
    .join("\n\n");
}

function sentence(start: string, items: readonly string[]): string {
  return items.length === 0 ? "" : `${start}: ${items.join("; ")}.`;
}

function notes(rows: readonly Row[], labels: Record<string, string>): string[] {
  const lines = executableNotes(rows, title);
  for (const row of rows) {
    if (row.skipped !== undefined) lines.push(`- ${title(row)}: not measured, it ${row.skipped}`);
    if (row.busy > BUSY_MAX) {
      lines.push(`- ${title(row)}: others kept ${row.busy} processors busy just before it began`);
    }
    for (const [id, { failed }] of Object.entries(row.tools)) {
      if (failed !== undefined)
        lines.push(`- ${title(row)}: ${labels[id] ?? id} failed: ${failed}`);
    }
  }
  return lines.length === 0 ? [] : [...lines, ""];
}

function renderMemory(points: readonly MemoryPoint[]): string {
  const rows = points.map((point) => [
    point.files.toLocaleString("en"),
    `${point.copyMib.toFixed(0)}`,
    seconds(point.copySeconds),
    `${point.mirrorMib.toFixed(0)}`,
    seconds(point.mirrorSeconds),
  ]);
  return [
    MEMORY_METHOD,
    "",
    table(["files", "copy MiB", "copy s", "mirror MiB", "mirror s"], rows),
    "",
    memoryVerdict(points),
    ...executableNotes(points.slice(0, 1), () => "all of the curve").map((note) => `\n${note}`),
  ].join("\n");
}

function memoryVerdict(points: readonly MemoryPoint[]): string {
  const peak = (point: MemoryPoint): number => Math.max(point.copyMib, point.mirrorMib);
  const at = points.find(({ files }) => files === PEAK_GOAL_FILES);
  const last = points.at(-1);
  const base = at ?? points[0];
  if (last === undefined || base === undefined) return "";
  const lines: string[] = [];
  if (at !== undefined) {
    const judged = peak(at) <= PEAK_GOAL_MIB ? "met" : "**missed**";
    const goal = `at most ${PEAK_GOAL_MIB} MiB at 100,000 files`;
    lines.push(`Goal: ${goal}: ${peak(at).toFixed(0)}, ${judged}.`);
  }
  if (last.files > base.files) {
    const files = last.files / base.files;
    const memory = peak(last) / peak(base);
    const judged = memory < files ? "met" : "**missed**";
    const factor = `${files.toFixed(0)} x the files take ${memory.toFixed(2)} x the memory`;
    lines.push(`Goal: growth less than linear: ${factor}, ${judged}.`);
  }
  return lines.join(" ");
}
