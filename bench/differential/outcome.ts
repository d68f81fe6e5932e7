import type { TimedRun } from "../timed-run.ts";
import type { DifferentialSet } from "./sets.ts";

/** A package whose versions differ. */
export interface Difference {
  readonly name: string;
  /** Undefined: not there. */
  readonly uv: string | undefined;
  readonly blast: string | undefined;
  /** In how many of the environments. */
  readonly environments: number;
  /** One of them. */
  readonly where: string;
}

/** What both tools answered. */
export interface ResolveOutcome {
  readonly set: DifferentialSet;
  readonly uv: TimedRun;
  readonly blast: TimedRun;
  /** Pins of the two. */
  readonly pins: { readonly uv: readonly string[]; readonly blast: readonly string[] };
  readonly environments: number;
  readonly differences: readonly Difference[];
  /** What is wrong with an answer, whatever the other says. */
  readonly flaws: { readonly uv: readonly string[]; readonly blast: readonly string[] };
}

/** What became of an install. */
export interface InstallOutcome {
  readonly set: DifferentialSet;
  readonly packages: number;
  readonly wall: number;
  readonly peakMib: number;
  /** What went wrong; empty: all is well. */
  readonly failures: readonly string[];
}

/** What speaks against a set's answers; undefined: nothing. */
export function complaintAbout(outcome: ResolveOutcome): string | undefined {
  const { set, uv, blast, differences, flaws } = outcome;
  if (uv.exitCode !== blast.exitCode) {
    const words = (blast.exitCode === 0 ? uv : blast).stderr.trim().slice(0, 2000);
    return `uv exits with ${uv.exitCode}, blast with ${blast.exitCode}: ${words}`;
  }
  const mustFail = set.unsatisfiable;
  if (mustFail !== undefined && (blast.exitCode !== 0) !== mustFail) {
    return `both exit with ${blast.exitCode}: ${blast.stderr.trim()}`;
  }
  if (flaws.blast.length > 0) return `blast's answer is wrong: ${flaws.blast.join("; ")}`;
  if (differences.length > 0 && set.explained === undefined) {
    return `differs without an explanation: ${differences.map(differenceText).join("; ")}`;
  }
  return undefined;
}

/** A difference in words. */
export function differenceText(difference: Difference): string {
  const { name, uv, blast, environments, where } = difference;
  return `${name} uv ${uv ?? "none"}, blast ${blast ?? "none"} (${environments}, as ${where})`;
}
