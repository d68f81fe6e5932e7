import { table } from "../report.ts";
import {
  complaintAbout,
  differenceText,
  type InstallOutcome,
  type ResolveOutcome,
} from "./outcome.ts";

/** Tables of both parts, with their sums. */
export function renderOutcomes(
  resolved: readonly ResolveOutcome[],
  installed: readonly InstallOutcome[],
): string {
  const bad = resolved.filter((outcome) => complaintAbout(outcome) !== undefined);
  const good = resolved.filter((outcome) => !bad.includes(outcome));
  const same = good.filter(({ differences }) => differences.length === 0);
  const failed = installed.filter(({ failures }) => failures.length > 0);
  return [
    `${resolved.length} sets: ${same.length} with the same pins, ` +
      `${good.length - same.length} with explained differences, ` +
      `${bad.length} not explained. ${installed.length} installed, ${failed.length} with failures.`,
    "",
    table(
      ["set", "pins", "uv", "differing", "uv s", "blast s", "uv MiB", "blast MiB"],
      [...resolved.map(rowOf)],
    ),
    "",
    ...resolved.filter(({ differences }) => differences.length > 0).flatMap(differencesOf),
    table(["installed", "packages", "s", "MiB", "failures"], installed.map(installRow)),
  ].join("\n");
}

function rowOf({ set, pins, uv, blast, differences }: ResolveOutcome): string[] {
  const answer = (count: number, code: number): string => (code === 0 ? `${count}` : "no solution");
  return [
    set.id,
    answer(pins.blast.length, blast.exitCode),
    answer(pins.uv.length, uv.exitCode),
    `${differences.length}`,
    uv.wall.toFixed(2),
    blast.wall.toFixed(2),
    uv.peakMib.toFixed(0),
    blast.peakMib.toFixed(0),
  ];
}

const SHOWN_MAX = 12;

function differencesOf({ set, differences, flaws }: ResolveOutcome): string[] {
  const shown = differences.slice(0, SHOWN_MAX).map(differenceText).join("; ");
  const more = differences.length > SHOWN_MAX ? `; and ${differences.length - SHOWN_MAX} more` : "";
  const faults = (tool: "uv" | "blast"): string =>
    flaws[tool].length === 0 ? "closed" : `${flaws[tool].length} flaws: ${flaws[tool][0]}`;
  return [
    `**${set.id}**: ${shown}${more}. uv's answer: ${faults("uv")}; blast's: ${faults("blast")}. ` +
      `${set.explained ?? "Not explained."}`,
    "",
  ];
}

function installRow({ set, packages, wall, peakMib, failures }: InstallOutcome): string[] {
  const words = failures.length === 0 ? "none" : failures.join("; ");
  return [set.id, `${packages}`, wall.toFixed(1), peakMib.toFixed(0), words];
}
