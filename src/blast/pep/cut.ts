/**
 * Points between versions. An interval of versions goes from one cut to another; since no cut is
 * itself a version, there is nothing inclusive or exclusive about it.
 *
 * Different cuts always have a version between them: what lies just above all locals of 1.0.post1
 * is the same cut as what lies just below 1.0.post2.dev0. So ranges are equal exactly when their
 * cuts are, and empty only when they have none.
 *
 * The order of cuts refines that of PEP 440 in one way: 1.0 and 1.0.0, which are equal, are told
 * apart by the length of their release, so that `===1.0`, which compares texts, is an interval
 * like any other.
 */
import type { Version } from "./version.ts";
import type { VersionNumber } from "./version-key.ts";
import {
  ABOVE_SUFFIX,
  BEYOND_SUFFIX,
  finalStageKey,
  LOWEST_KEY,
  rankOf,
  STAGE_POST,
} from "./version-key.ts";

/**
 * How a cut lies to its version; this is for messages only.
 * - `below`: below it and above everything smaller.
 * - `below-family`: below its first development release, and so below its pre-releases.
 * - `above`: above it, but below its locals.
 * - `above-locals`: above its locals, below its post-releases.
 * - `above-family`: above its post-releases.
 * - `below-spelling`, `above-spelling`: around the one text of it.
 */
export type CutKind =
  | "lowest"
  | "below"
  | "below-family"
  | "above"
  | "above-locals"
  | "above-family"
  | "below-spelling"
  | "above-spelling"
  | "highest";

/** A point between versions. */
export interface Cut {
  readonly rank: number;
  readonly key: string;
  /** Versions of the same key whose release is at least this long lie above. */
  readonly spelling: number;
  readonly kind: CutKind;
  /** As written where the cut was asked for; undefined at both ends of everything. */
  readonly version: Version | undefined;
}

/** Below every version. */
export const LOWEST: Cut = {
  rank: 0,
  key: LOWEST_KEY,
  spelling: 0,
  kind: "lowest",
  version: undefined,
};

/** Above every version. */
export const HIGHEST: Cut = {
  rank: Number.POSITIVE_INFINITY,
  key: BEYOND_SUFFIX,
  spelling: 0,
  kind: "highest",
  version: undefined,
};

/** Just below a version, however it is spelled. */
export function cutBelow(version: Version): Cut {
  if (version.rank === 0 && version.key === LOWEST_KEY) return LOWEST;
  return { rank: version.rank, key: version.key, spelling: 0, kind: "below", version };
}

/** Just above a version; its locals, if it is none itself, are still above. */
export function cutAbove(version: Version): Cut {
  const key = version.key + ABOVE_SUFFIX;
  return { rank: version.rank, key, spelling: 0, kind: "above", version };
}

/** Just above a version and everything that differs from it by a local part only. */
export function cutAboveLocals(version: Version): Cut {
  const { post, dev } = version;
  const next =
    dev === undefined
      ? version.with({ post: post === undefined ? 0 : successor(post), dev: 0, local: undefined })
      : version.with({ dev: successor(dev), local: undefined });
  return { rank: next.rank, key: next.key, spelling: 0, kind: "above-locals", version };
}

/**
 * Just above a version, its locals and its post-releases: where `>` begins (PEP 440). What is a
 * post-release or development release itself has no such family: see {@link cutAboveLocals}.
 */
export function cutAboveFamily(version: Version): Cut {
  const { pre, post, dev } = version;
  if (post !== undefined || dev !== undefined) return cutAboveLocals(version);
  if (pre !== undefined) {
    const later = { letter: pre.letter, number: successor(pre.number) };
    const next = version.with({ pre: later, dev: 0, local: undefined });
    return { rank: next.rank, key: next.key, spelling: 0, kind: "above-family", version };
  }
  const rank = rankOf(version, STAGE_POST);
  const key = finalStageKey(version) + BEYOND_SUFFIX;
  return { rank, key, spelling: 0, kind: "above-family", version };
}

/** Just below a version and its pre-releases: where `<` ends (PEP 440). */
export function cutBelowFamily(version: Version): Cut {
  if (version.isPrerelease) return cutBelow(version);
  const first = version.with({ dev: 0, local: undefined });
  if (first.rank === 0 && first.key === LOWEST_KEY) return LOWEST;
  return { rank: first.rank, key: first.key, spelling: 0, kind: "below-family", version };
}

/** The cuts around the one text of a version, as `===` wants it. */
export function cutsAroundSpelling(version: Version): [Cut, Cut] {
  const { rank, key, release } = version;
  const upper = release.length + 1;
  // Nothing lies between the shortest spelling and what is below the version.
  const lower = release.length === 1 || release[release.length - 1] !== 0 ? 0 : release.length;
  return [
    lower === 0 && key === LOWEST_KEY
      ? LOWEST
      : { rank, key, spelling: lower, kind: "below-spelling", version },
    { rank, key, spelling: upper, kind: "above-spelling", version },
  ];
}

/** Negative, zero or positive. */
export function compareCuts(left: Cut, right: Cut): number {
  if (left === right) return 0;
  if (left.rank !== right.rank) return left.rank < right.rank ? -1 : 1;
  if (left.key !== right.key) return left.key < right.key ? -1 : 1;
  return left.spelling - right.spelling;
}

/** Whether a version lies above a cut; if not, it lies below. */
export function isAbove(version: Version, cut: Cut): boolean {
  if (cut.rank !== version.rank) return cut.rank < version.rank;
  const { key } = version;
  return cut.key === key ? cut.spelling <= version.release.length : cut.key < key;
}

/** The number plus one, exactly. */
export function successor(number: VersionNumber): VersionNumber {
  if (typeof number === "bigint") return number + 1n;
  return number < Number.MAX_SAFE_INTEGER ? number + 1 : BigInt(number) + 1n;
}
