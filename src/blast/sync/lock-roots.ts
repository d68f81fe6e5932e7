/** A project's requirements for locking: all of its parts at once, each under its condition. */

import { parseMarker } from "../pep/marker.ts";
import { MarkerSet } from "../pep/marker-algebra.ts";
import type { PackageName } from "../pep/name.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import type { PackageIndex, RootRequirement } from "../resolve/port.ts";
import type { ConditionalRoot } from "./lock-membership.ts";
import type { Project, RequirementSet } from "./project.ts";
import { rootsOf } from "./roots.ts";

/** The roots, twice: for the resolver, and with the conditions under which they count. */
export interface LockRoots {
  readonly roots: readonly RootRequirement[];
  readonly conditional: readonly ConditionalRoot[];
}

/** The roots of every part. What the project asks of itself (`name[extra]`) is followed. */
export async function lockRoots(
  project: Project,
  sets: readonly RequirementSet[],
  index: () => Promise<PackageIndex>,
): Promise<LockRoots> {
  const own = project.pyproject?.project?.name;
  const all: { readonly entry: ProjectRequirement; readonly condition: MarkerSet }[] = [];
  for (const set of sets) {
    for (const entry of withoutSelf(set.requirements, sets, own)) {
      all.push({ entry, condition: conditionOf(set) });
    }
  }
  const roots = await rootsOf(
    all.map(({ entry }) => entry),
    index,
  );
  return {
    roots,
    conditional: roots.map(({ requirement }, at) => ({
      requirement,
      condition: all[at]?.condition ?? MarkerSet.always,
    })),
  };
}

/** `'dev' in dependency_groups` (PEP 751). */
function conditionOf(set: RequirementSet): MarkerSet {
  switch (set.kind) {
    case "base":
      return MarkerSet.always;
    case "extra":
      return MarkerSet.of(parseMarker(`'${set.name}' in extras`));
    case "group":
      return MarkerSet.of(parseMarker(`'${set.name}' in dependency_groups`));
  }
}

/** `project[extra]` among a project's requirements stands for what the extra asks for. */
export function withoutSelf(
  requirements: readonly ProjectRequirement[],
  sets: readonly RequirementSet[],
  own: PackageName | undefined,
): ProjectRequirement[] {
  const seen = new Set<string>();
  const expanded: ProjectRequirement[] = [];
  const add = (entry: ProjectRequirement): void => {
    if (own === undefined || entry.name !== own) {
      expanded.push(entry);
      return;
    }
    for (const extra of entry.extras) {
      if (seen.has(extra)) continue;
      seen.add(extra);
      const set = sets.find(({ kind, name }) => kind === "extra" && name === extra);
      for (const inner of set?.requirements ?? []) add(inner);
    }
  };
  for (const entry of requirements) add(entry);
  return expanded;
}
