import { quantile, table } from "../report.ts";
import type { Measured } from "./job.ts";

/** One variant; entry n of the list is round n. */
export interface VariantResult {
  readonly label: string;
  readonly runs: readonly Measured[];
}

/** One group; the first variant is the engine's present way. */
export interface GroupResult {
  readonly title: string;
  readonly unit: { readonly name: string; readonly count: number };
  /** False for what explains the others and is no work of the engine. */
  readonly decides: boolean;
  readonly variants: readonly VariantResult[];
}

interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Below this share of both wall time and processor time, io_uring would have won. */
const clearWin = 0.9;

/** The body of the section: a verdict, then a table for each group. */
export function renderUring(groups: readonly GroupResult[], head: string): string {
  const parts = groups.map((group) => `### ${group.title}\n\n${renderGroup(group)}`);
  return [head, verdict(groups), METHOD, ...parts].join("\n\n");
}

const METHOD = `\
Each run is a process of its own; its threads and rings are ready before the clock starts. CPU is
user and system time of all its threads, the kernel's io-wq threads for the ring included. Rounds
alternate between the variants in random order; × is the median over the rounds of the ratio to
the first line in the same round (lowest–highest), below 1 is better. Switches are context
switches. Trees are compared by rsync, files by cmp, statuses by a checksum.`;

function renderGroup({ unit, variants }: GroupResult): string {
  const [base] = variants;
  const rows = variants.map((variant) => {
    const wall = ratio(variant, base, wallOf);
    const cpu = ratio(variant, base, cpuOf);
    const switches = spread(variant.runs.map((run) => run.switches / unit.count));
    return [
      variant.label,
      text(spread(variant.runs.map(wallOf))),
      text(spread(variant.runs.map(cpuOf))),
      variant === base ? "1" : text(wall),
      variant === base ? "1" : text(cpu),
      switches.median.toFixed(2),
    ];
  });
  return table(["", "wall s", "CPU s", "wall ×", "CPU ×", `switches per ${unit.name}`], rows);
}

function verdict(groups: readonly GroupResult[]): string {
  const wins: string[] = [];
  for (const { title, decides, variants } of groups) {
    const [base, ...others] = variants;
    if (!decides) continue;
    for (const variant of others.filter(isRing)) {
      const ratios = [ratio(variant, base, wallOf), ratio(variant, base, cpuOf)];
      const isClear = ratios.every(({ median, high }) => median < clearWin && high < 1);
      if (isClear) wins.push(`${title}: ${variant.label}`);
    }
  }
  const both = `below ${clearWin} × the present way in wall time and CPU`;
  const goal = `${both}, and better in every round`;
  return wins.length === 0
    ? `No variant with io_uring is ${goal}: the engine stays with calls.`
    : `io_uring is ${goal}, here:\n\n${wins.map((win) => `- ${win}`).join("\n")}`;
}

/** The calls with another number of threads are no ring. */
function isRing({ label }: VariantResult): boolean {
  return !label.startsWith("pread");
}

function wallOf({ wall }: Measured): number {
  return wall;
}

function cpuOf({ user, system }: Measured): number {
  return user + system;
}

function ratio(
  variant: VariantResult,
  base: VariantResult | undefined,
  of: (run: Measured) => number,
): Spread {
  const pairs = Math.min(variant.runs.length, base?.runs.length ?? 0);
  return spread(
    variant.runs.slice(0, pairs).map((run, round) => {
      const other = base?.runs[round];
      return other === undefined ? Number.NaN : of(run) / of(other);
    }),
  );
}

function spread(samples: readonly number[]): Spread {
  const median = quantile(samples, 0.5);
  return { median, low: Math.min(...samples), high: Math.max(...samples) };
}

function text({ median, low, high }: Spread): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}
