import type { ExtraName, PackageName } from "../pep/name.ts";
import type { VersionRange } from "../pep/range.ts";
import type { Requirement } from "../pep/requirement.ts";
import type { Manifest } from "./manifest.ts";
import type { CoreMetadata, DirectSource, RootRequirement } from "./port.ts";
import { sortedRequirements } from "./requirements-by-extra.ts";
import type { Scope } from "./scope.ts";

/** A requirement that counts in a scope. */
export interface Demand {
  readonly requirement: Requirement;
  /** The requirement that it stands for: another one where it is an override. */
  readonly original: Requirement;
  readonly name: PackageName;
  readonly extras: readonly ExtraName[];
  readonly range: VersionRange;
  readonly source: DirectSource | undefined;
  /** A URL that no source was given for. */
  readonly url: string | undefined;
  /** Where the user wrote it. */
  readonly origin: string | undefined;
}

/** The user's own requirements that count. */
export function rootDemands(manifest: Manifest, scope: Scope): Demand[] {
  const demands: Demand[] = [];
  for (const item of manifest.request.requirements) {
    if (scope.holds(item.requirement.marker)) {
      addDemand(demands, item.requirement, item, manifest, scope);
    }
  }
  return demands;
}

/** What a distribution requires: without extras, or what one extra adds to that. */
export function demandsOf(
  metadata: CoreMetadata,
  extra: ExtraName | undefined,
  manifest: Manifest,
  scope: Scope,
): Demand[] {
  const demands: Demand[] = [];
  for (const requirement of requirementsFor(metadata, extra)) {
    const { marker } = requirement;
    const counts = extra === undefined ? scope.holds(marker) : scope.isBroughtBy(extra, marker);
    if (counts) addDemand(demands, requirement, undefined, manifest, scope);
  }
  return demands;
}

/** Lists from this length on are sorted by extra. */
const LONG = 24;

/** Those that can count at all. */
function requirementsFor(
  metadata: CoreMetadata,
  extra: ExtraName | undefined,
): readonly Requirement[] {
  if (metadata.requiresDist.length < LONG) return metadata.requiresDist;
  const { plain, ofExtras, ofAnyExtra } = sortedRequirements(metadata);
  return extra === undefined ? plain : (ofExtras.get(extra) ?? ofAnyExtra);
}

function addDemand(
  demands: Demand[],
  requirement: Requirement,
  root: RootRequirement | undefined,
  manifest: Manifest,
  scope: Scope,
): void {
  const overrides = manifest.overridesOf(requirement.name);
  if (overrides === undefined) {
    demands.push(demandOf(requirement, requirement, root));
    return;
  }
  for (const override of overrides) {
    if (scope.holds(override.requirement.marker)) {
      demands.push(demandOf(override.requirement, requirement, override));
    }
  }
}

function demandOf(
  requirement: Requirement,
  original: Requirement,
  root: RootRequirement | undefined,
): Demand {
  return {
    requirement,
    original,
    name: requirement.name,
    extras: requirement.extras,
    range: requirement.specifier.toRange(),
    source: root?.source,
    url: root?.source === undefined ? requirement.url : undefined,
    origin: root?.origin,
  };
}
