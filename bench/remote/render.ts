import { executableNotes } from "../kept-rows.ts";
import { quantile, table } from "../report.ts";
import { LINK_KINDS } from "./link.ts";
import {
  bestPeer,
  type DaemonMemory,
  opponent,
  type Ratio,
  type Results,
  type Row,
  ratioOf,
} from "./results.ts";
import { ENCRYPTED_LIMIT, type Goal, SCENARIOS, type Scenario } from "./scenario.ts";

/** With more of the machine in other hands, a row says so. */
const BUSY_MAX = 0.2;

const METHOD = `One fresh ext4 in an image on a loop device holds source and target; every server
offers it. Client and servers are on the same machine: over loopback, or over a pair of virtual
interfaces into a network namespace, shaped to 1 Gbit/s in each direction by HTB. In each round the
tools run once, in shuffled order, with the target reset and everything written out before the clock
starts and the source in the page cache. The clock stops when the client exits; nobody syncs. Cells:
median seconds (seconds of processor time, client and server). Ratios: blit's wall time over the
other's in the same round, median (lowest–highest). blit's result is compared to the source by
\`rsync -naiHAXc\`; peers are checked for the number of files and bytes only. blit TLS: TLS 1.3, the
data too; nobody else encrypts here. C: sendfile on one side and splice on the other, a single
connection, no attributes.`;

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
    "### Goals",
    "",
    goalTable(rows, results),
    "",
    ...notes(rows, results.labels),
    ...(results.memory === undefined ? [] : ["### Memory", "", memoryLine(results.memory)]),
  ].join("\n");
}

function introduction(results: Results): string {
  const versions = Object.entries(results.versions)
    .filter(([id]) => id !== "blit-tls")
    .map(([, version]) => version)
    .join("; ");
  const days = [...new Set(results.rows.map(({ at }) => at.slice(0, 10)))].sort();
  const scale = results.scale === 1 ? "" : ` Sets at ${results.scale} of their size.`;
  return `${days.join(" to ")}, ${results.machine}. ${versions}.${scale}\n\n${METHOD}`;
}

function ordered(rows: readonly Row[]): Row[] {
  const scenarios = SCENARIOS.map(({ id }) => id);
  const rank = (row: Row): number =>
    LINK_KINDS.indexOf(row.link) * 100 + scenarios.indexOf(row.scenario);
  return [...rows].sort((a, b) => rank(a) - rank(b));
}

function scenarioOf(row: Row): Scenario | undefined {
  return SCENARIOS.find(({ id }) => id === row.scenario);
}

function title(row: Row): string {
  return `${row.link}: ${scenarioOf(row)?.title ?? row.scenario}`;
}

function wallTable(rows: readonly Row[], { labels }: Results): string {
  const tools = Object.keys(labels);
  const header = ["scenario", ...Object.values(labels), "best peer", "ratio"];
  const body = rows.map((row) => {
    const best = bestPeer(row);
    return [
      title(row),
      ...tools.map((tool) => wallCell(row, tool)),
      best === undefined ? "–" : (labels[best] ?? best),
      best === undefined ? "–" : ratioText(ratioOf(row, "blit", best)),
    ];
  });
  return table(header, body);
}

function wallCell(row: Row, tool: string): string {
  const result = row.tools[tool];
  if (result?.failed !== undefined) return "failed";
  if (result === undefined || result.wall.length === 0) return "–";
  return `${seconds(quantile(result.wall, 0.5))} (${quantile(result.cpu, 0.5).toFixed(1)})`;
}

/** A goal beside what was reached. */
interface Judged {
  readonly row: Row;
  readonly text: string;
  readonly ratio: Ratio;
  readonly limit: number;
}

function judged(rows: readonly Row[], { labels, scale }: Results): Judged[] {
  // Goals are for the full size: with small sets everything is start-up.
  if (scale !== 1) return [];
  return rows.flatMap((row) => {
    const goals = (scenarioOf(row)?.goals ?? []).filter(({ link }) => link === row.link);
    return [
      ...goals.flatMap((goal) => judge(row, goal, labels)),
      ...compared(row, "blit-tls", "blit", ENCRYPTED_LIMIT, "encrypted over plain"),
    ];
  });
}

function judge(row: Row, goal: Goal, labels: Record<string, string>): Judged[] {
  const other = opponent(row, goal.over);
  if (other === undefined) return [];
  return compared(row, "blit", other, goal.limit, `over ${labels[other] ?? other}`);
}

function compared(row: Row, tool: string, over: string, limit: number, text: string): Judged[] {
  const ratio = ratioOf(row, tool, over);
  return ratio === undefined ? [] : [{ row, text, ratio, limit }];
}

function goalTable(rows: readonly Row[], results: Results): string {
  const body = judged(rows, results).map(({ row, text, ratio, limit }) => [
    title(row),
    text,
    ratioText(ratio),
    `≤ ${limit}`,
    ratio.median <= limit ? "met" : "**missed**",
  ]);
  if (body.length === 0) return "Goals are for the full size.";
  return table(["scenario", "ratio of", "ratio", "goal", ""], body);
}

/** What was reached and where blit loses, before any table. */
function verdicts(rows: readonly Row[], results: Results): string {
  const goals = judged(rows, results);
  const missed = goals.filter(({ ratio, limit }) => ratio.median > limit);
  const slower = rows.flatMap((row) => {
    const best = bestPeer(row);
    const ratio = best === undefined ? undefined : ratioOf(row, "blit", best);
    if (best === undefined || ratio === undefined || ratio.median <= 1) return [];
    return [`${title(row)} (${ratio.median.toFixed(2)} of ${results.labels[best] ?? best})`];
  });
  const names = missed.map(({ row, text, ratio }) => {
    return `${title(row)} (${ratio.median.toFixed(2)} ${text})`;
  });
  const met = `Goals met: ${goals.length - missed.length} of ${goals.length}.`;
  return [
    goals.length === 0 ? "" : met,
    sentence("Missed", names),
    sentence("blit is slower than the best peer", slower),
  ]
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
      if (failed === undefined) continue;
      lines.push(`- ${title(row)}: ${labels[id] ?? id} failed: ${failed}`);
    }
  }
  return lines.length === 0 ? [] : [...lines, ""];
}

function memoryLine({ idleMib, connections, perConnectionKib }: DaemonMemory): string {
  const each = `${perConnectionKib.toFixed(0)} KiB for each of ${connections} idle connections`;
  return `blitd, resident: ${idleMib.toFixed(0)} MiB idle, ${each}.`;
}

function seconds(value: number): string {
  return value < 1 ? value.toFixed(3) : value.toFixed(2);
}

function ratioText(ratio: Ratio | undefined): string {
  if (ratio === undefined) return "–";
  return `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})`;
}
