import { quantile, table } from "../report.ts";
import type { Sample, TaskResult } from "./contest.ts";

/** Tables of wall time with ratios, and of processor time and memory. */
export function renderTasks(results: readonly TaskResult[]): string {
  const goals = results.filter(({ task }) => task.goal !== undefined);
  const met = goals.filter((result) => isMet(result)).length;
  const missed = goals.filter((result) => !isMet(result)).map(({ task }) => task.title);
  const misses = missed.length > 0 ? ` Missed: ${missed.join("; ")}.` : "";
  return [
    `Goals met: ${met} of ${goals.length}.${misses}`,
    "",
    table(["task", "tool", "median ms", "ratio", "goal", "cpu ms", "peak MiB"], rowsOf(results)),
  ].join("\n");
}

function rowsOf(results: readonly TaskResult[]): string[][] {
  return results.flatMap((result) =>
    result.task.entrants.map((entrant, at) => {
      const samples = result.samples[at] ?? [];
      const median = (pick: (sample: Sample) => number): number => quantile(samples.map(pick), 0.5);
      const ratios = at === 0 ? [] : ratiosTo(result, at);
      const isGoal = at === 1 && result.task.goal !== undefined;
      return [
        at === 0 ? result.task.title : "",
        entrant.label,
        (median(({ wall }) => wall) * 1000).toFixed(1),
        ratios.length === 0 ? "" : ratioText(ratios),
        isGoal ? `≤ ${result.task.goal} ${isMet(result) ? "met" : "**missed**"}` : "",
        (median(({ cpu }) => cpu) * 1000).toFixed(0),
        median(({ peakMib }) => peakMib).toFixed(0),
      ];
    }),
  );
}

function isMet(result: TaskResult): boolean {
  const { goal } = result.task;
  return goal === undefined || quantile(ratiosTo(result, 1), 0.5) <= goal;
}

/** blast's wall time over another's, round by round. */
function ratiosTo({ samples }: TaskResult, at: number): number[] {
  const [own = []] = samples;
  return (samples[at] ?? []).map((sample, round) => (own[round]?.wall ?? Number.NaN) / sample.wall);
}

function ratioText(ratios: readonly number[]): string {
  const middle = quantile(ratios, 0.5).toFixed(2);
  return `${middle} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
}
