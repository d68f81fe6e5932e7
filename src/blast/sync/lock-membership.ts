/** Which parts of a project need a package, and where: the markers of a lock file (PEP 751). */
import { MarkerSet } from "../pep/marker-algebra.ts";
import type { PackageName } from "../pep/name.ts";
import type { Requirement } from "../pep/requirement.ts";
import type { Resolution, ResolvedPackage } from "../resolve/port.ts";

/** A requirement of the project, and when it counts at all: in an extra or group of it. */
export interface ConditionalRoot {
  readonly requirement: Requirement;
  readonly condition: MarkerSet;
}

/** A package, or an extra of it: extras bring requirements of their own. */
interface Node {
  readonly resolved: ResolvedPackage;
  /** "" for the package itself. */
  readonly extra: string;
}

const NO_EXTRAS: ReadonlySet<string> = new Set();

/**
 * The condition of every package: `sys_platform == "win32" or "dev" in dependency_groups`. Follows
 * the requirements from the project down, extras apart from the packages that have them, so that
 * what only an extra of a group needs is not installed without the group.
 */
export function lockConditions(
  resolution: Resolution,
  roots: readonly ConditionalRoot[],
): ReadonlyMap<ResolvedPackage, MarkerSet> {
  const byName = new Map<PackageName, ResolvedPackage[]>();
  for (const resolved of resolution.packages) {
    const same = byName.get(resolved.name);
    if (same === undefined) byName.set(resolved.name, [resolved]);
    else same.push(resolved);
  }
  const conditions = new Map<ResolvedPackage, Map<string, MarkerSet>>();
  const queue: Node[] = [];
  const reach = (resolved: ResolvedPackage, extra: string, condition: MarkerSet): void => {
    const ofPackage = conditions.get(resolved) ?? new Map<string, MarkerSet>();
    conditions.set(resolved, ofPackage);
    const before = ofPackage.get(extra) ?? MarkerSet.never;
    const after = before.or(condition);
    if (after.equals(before)) return;
    ofPackage.set(extra, after);
    queue.push({ resolved, extra });
  };
  const follow = (requirement: Requirement, condition: MarkerSet): void => {
    for (const resolved of byName.get(requirement.name) ?? []) {
      const here = condition.and(resolved.marker ?? MarkerSet.always);
      if (here.isFalse()) continue;
      reach(resolved, "", here);
      for (const extra of requirement.extras) reach(resolved, extra, here);
    }
  };
  for (const { requirement, condition } of roots) {
    follow(requirement, condition.and(MarkerSet.of(requirement.marker)));
  }
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    const { resolved, extra } = node;
    const condition = conditions.get(resolved)?.get(extra) ?? MarkerSet.never;
    const extras = extra === "" ? NO_EXTRAS : new Set([extra]);
    for (const requirement of resolved.metadata.requiresDist) {
      const where = MarkerSet.of(requirement.marker).withExtras(extras);
      const both = condition.and(where);
      if (!both.isFalse()) follow(requirement, both);
    }
  }
  return new Map(
    [...conditions].map(([resolved, byExtra]) => [
      resolved,
      [...byExtra.values()].reduce((all, one) => all.or(one), MarkerSet.never),
    ]),
  );
}
