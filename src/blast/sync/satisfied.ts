/** Whether an environment holds all that is asked for already, without a question to anybody. */
import type { InstalledDistribution } from "../env/installed.ts";
import { metadataOf } from "../env/installed-metadata.ts";
import { evaluateMarker } from "../pep/marker.ts";
import type { MarkerEnvironment } from "../pep/marker-environment.ts";
import type { ExtraName, PackageName } from "../pep/name.ts";
import type { Requirement } from "../pep/requirement.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import type { CoreMetadata } from "../resolve/port.ts";

/** What is asked for. */
export interface Asked {
  readonly requirements: readonly ProjectRequirement[];
  readonly constraints: readonly ProjectRequirement[];
  readonly overrides: readonly ProjectRequirement[];
}

/**
 * True if every requirement, and all that those packages need in turn, is installed and fits. Does
 * not say yes to what it cannot be sure of: sources named by place, overrides, packages without
 * metadata.
 */
export function isSatisfied(
  asked: Asked,
  installed: readonly InstalledDistribution[],
  markers: MarkerEnvironment,
): boolean {
  if (asked.overrides.length > 0) return false;
  const byName = new Map(installed.map((one) => [one.name, one]));
  if (byName.size !== installed.length) return false;
  const limits = new Map<PackageName, Requirement[]>();
  for (const { requirement } of asked.constraints) {
    if (requirement === undefined) return false;
    limits.set(requirement.name, [...(limits.get(requirement.name) ?? []), requirement]);
  }
  const todo: [Requirement, ReadonlySet<string>][] = [];
  for (const { requirement, source } of asked.requirements) {
    if (requirement === undefined || source !== undefined) return false;
    const isMarked = byName.get(requirement.name)?.requested === true;
    const applies = requirement.marker === undefined || evaluateMarker(requirement.marker, markers);
    // Installed for another package's sake so far: that it is asked for is to be noted.
    if (applies && !isMarked) return false;
    todo.push([requirement, new Set()]);
  }
  const metadata = new Map<PackageName, CoreMetadata>();
  const seen = new Set<string>();
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [requirement, extras] = next;
    const { marker } = requirement;
    if (marker !== undefined && !evaluateMarker(marker, markers, extras)) continue;
    const found = byName.get(requirement.name);
    if (found === undefined || !fits(found, requirement)) return false;
    const isLimited = limits.get(found.name)?.some((limit) => {
      const applies = limit.marker === undefined || evaluateMarker(limit.marker, markers);
      return applies && !fits(found, limit);
    });
    if (isLimited === true) return false;
    const key = `${found.name}[${requirement.extras.join(",")}]`;
    if (seen.has(key)) continue;
    seen.add(key);
    const known = metadata.get(found.name) ?? metadataOf(found);
    if (known === undefined) return false;
    metadata.set(found.name, known);
    const wanted: ReadonlySet<ExtraName> = new Set(requirement.extras);
    for (const needed of known.requiresDist) todo.push([needed, wanted]);
  }
  return true;
}

function fits(installed: InstalledDistribution, requirement: Requirement): boolean {
  if (requirement.url !== undefined) return false;
  return requirement.specifier.contains(installed.version, { prereleases: true });
}
