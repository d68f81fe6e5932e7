import { compareCuts, HIGHEST } from "../pep/cut.ts";
import { roundedCut } from "../pep/python-releases.ts";
import { VersionRange } from "../pep/range.ts";
import type { Version } from "../pep/version.ts";
import { type Candidate, pythonRangeOfText } from "./candidate.ts";
import type { Page } from "./page.ts";

/** Which version of a package to take. */
export interface Wish {
  readonly lowest: boolean;
  /** To be taken if they fit, best first. */
  readonly preferred: readonly Version[];
  /** `last`: where nothing else fits. */
  readonly preReleases: "like-others" | "last" | "never";
  /** The versions that the user named exactly: yanked ones and such may be taken. */
  readonly pinned: VersionRange;
  /** In universal mode: the Pythons for which the choice must hold. */
  readonly pythons: VersionRange | undefined;
  /** The one of them for which upper bounds count, too. */
  readonly pythonAtHand: Version | undefined;
}

export type Choice =
  | { readonly kind: "take"; readonly index: number; readonly candidate: Candidate }
  /** The version wanted is for a part of the Pythons only: those above the cut of this range. */
  | { readonly kind: "split"; readonly pythons: VersionRange }
  | { readonly kind: "none" };

const NONE: Choice = { kind: "none" };

/** The version of a page to take from a range. */
export function select(page: Page, range: VersionRange, wish: Wish): Choice {
  for (const version of wish.preferred) {
    if (!range.contains(version)) continue;
    const index = page.indexOf(version);
    if (index === undefined || isHeldBack(version, wish)) continue;
    const choice = consider(page, index, wish, true);
    if (choice !== undefined) return choice;
  }
  const held: number[] = [];
  for (const index of wish.lowest ? page.withinUpwards(range) : page.within(range)) {
    if (isHeldBack(page.versionAt(index), wish)) {
      held.push(index);
      continue;
    }
    const choice = consider(page, index, wish, false);
    if (choice !== undefined) return choice;
  }
  if (wish.preReleases === "never") return NONE;
  for (const index of held) {
    const choice = consider(page, index, wish, false);
    if (choice !== undefined) return choice;
  }
  return NONE;
}

/** How the Pythons of a fork stand to a Requires-Python: only its lower bound counts there. */
export function pythonSplit(
  requiresPython: string,
  pythons: VersionRange,
): "fits" | "never" | VersionRange {
  const given = pythonRangeOfText(requiresPython)?.cuts[0];
  const own = pythons.cuts[0];
  if (given === undefined || own === undefined) return "fits";
  const lower = roundedCut(given);
  if (compareCuts(lower, own) <= 0) return "fits";
  const above = VersionRange.between(lower, HIGHEST);
  return above.isDisjointFrom(pythons) ? "never" : above;
}

function isHeldBack(version: Version, wish: Wish): boolean {
  return wish.preReleases !== "like-others" && version.isPrerelease;
}

function consider(page: Page, index: number, wish: Wish, preferred: boolean): Choice | undefined {
  const candidate = page.candidate(index);
  const { problem, requiresPython } = candidate;
  if (problem !== undefined && !isForgiven(candidate, wish, preferred)) return undefined;
  if (wish.pythons !== undefined && requiresPython !== undefined) {
    const split = pythonSplit(requiresPython, wish.pythons);
    if (split === "never") return undefined;
    if (split !== "fits") return { kind: "split", pythons: split };
    const { pythonAtHand } = wish;
    const isAtHand =
      pythonAtHand === undefined ||
      pythonRangeOfText(requiresPython)?.contains(pythonAtHand) !== false;
    if (!isAtHand && !preferred && !wish.pinned.contains(candidate.version)) return undefined;
  }
  return { kind: "take", index, candidate };
}

/** Problems that do not count against what somebody asked for by its very version. */
function isForgiven({ problem, version }: Candidate, wish: Wish, preferred: boolean): boolean {
  const soft = problem?.kind === "yanked" || (problem?.kind === "python" && problem.soft);
  return soft && (preferred || wish.pinned.contains(version));
}
