import { compareCuts, HIGHEST } from "../pep/cut.ts";
import { MarkerSet } from "../pep/marker-algebra.ts";
import type { ExtraName, PackageName } from "../pep/name.ts";
import type { VersionRange } from "../pep/range.ts";
import type { Demand } from "./demand.ts";
import type { Manifest } from "./manifest.ts";
import { type UniversalScope, whereHolds } from "./universal-scope.ts";

/** A requirement or constraint on a name, and where it counts. */
interface Claim {
  readonly where: MarkerSet;
  readonly range: VersionRange;
}

/** Where a requirement counts. */
export function whereOf(demand: Demand, extra: ExtraName | undefined): MarkerSet {
  const { requirement, original } = demand;
  const where = whereHolds(original.marker, extra);
  return requirement === original ? where : where.and(whereHolds(requirement.marker, undefined));
}

/**
 * The parts of a scope that are to be searched apart, since one distribution requires different
 * things of one project in them; empty or one where there is nothing to part. In order: the first
 * is to be searched first.
 *
 * As uv has it, only requirements that stand side by side part a scope, and those of one kind that
 * hold for later Pythons only.
 */
export function forksOf(
  demands: readonly Demand[],
  extra: ExtraName | undefined,
  manifest: Manifest,
  scope: UniversalScope,
): UniversalScope[] {
  let parts = [scope.marker];
  const claims = claimsByName(demands, extra, manifest, scope);
  for (const name of [...claims.keys()].sort()) {
    const group = claims.get(name) ?? [];
    if (!isDiverging(group, scope)) continue;
    for (const { where } of group) parts = parts.flatMap((part) => cutApart(part, where));
  }
  if (parts.length < 2) return [];
  const all = [...claims.values()].flat();
  return parts
    .map((part) => scope.narrow(part))
    .filter(({ pythons }) => !pythons.isEmpty())
    .sort((left, right) => {
      const order = byLowestPython(left, right);
      return order === 0 ? boundsIn(right, all) - boundsIn(left, all) : order;
    });
}

/** The two parts of a scope: from a Python on, which is searched first, and before it. */
export function splitAtPython(scope: UniversalScope, pythons: VersionRange): UniversalScope[] {
  const where = MarkerSet.ofPython(pythons);
  return cutApart(scope.marker, where).map((part) => scope.narrow(part));
}

function claimsByName(
  demands: readonly Demand[],
  extra: ExtraName | undefined,
  manifest: Manifest,
  scope: UniversalScope,
): Map<PackageName, Claim[]> {
  const claims = new Map<PackageName, Claim[]>();
  for (const demand of demands) {
    const { name, range } = demand;
    const where = whereOf(demand, extra);
    let group = claims.get(name);
    if (group === undefined) {
      group = [];
      claims.set(name, group);
    }
    group.push({ where, range });
    for (const { requirement } of manifest.constraintsOf(name)) {
      const both = where.and(whereHolds(requirement.marker, undefined));
      if (scope.meets(both)) group.push({ where: both, range: requirement.specifier.toRange() });
    }
  }
  return claims;
}

function isDiverging(group: readonly Claim[], scope: UniversalScope): boolean {
  const [first] = group;
  if (first === undefined) return false;
  return group.some(({ where }) => where !== first.where) || raisesPython(first.where, scope);
}

/** Whether a condition holds for later Pythons only, of those in the scope. */
function raisesPython(where: MarkerSet, scope: UniversalScope): boolean {
  if (where.isTrue()) return false;
  const lower = where.pythonRange().cuts[0];
  const own = scope.pythons.cuts[0];
  return lower !== undefined && own !== undefined && compareCuts(lower, own) > 0;
}

function cutApart(part: MarkerSet, where: MarkerSet): MarkerSet[] {
  const inside = part.and(where);
  if (inside.isFalse() || inside === part) return [part];
  return [inside, part.minus(where)];
}

/** Later Pythons first: each gets the newest versions, which the earlier ones take if they can. */
function byLowestPython(left: UniversalScope, right: UniversalScope): number {
  const leftCut = left.pythons.cuts[0];
  const rightCut = right.pythons.cuts[0];
  return leftCut === undefined || rightCut === undefined ? 0 : compareCuts(rightCut, leftCut);
}

/** How many requirements with an upper bound count in a part: what is bound more goes first. */
function boundsIn(scope: UniversalScope, claims: readonly Claim[]): number {
  let count = 0;
  for (const { where, range } of claims) {
    const upper = range.cuts[range.cuts.length - 1];
    if (upper !== undefined && upper !== HIGHEST && scope.meets(where)) count += 1;
  }
  return count;
}
