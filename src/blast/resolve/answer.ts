import type { ExtraName, PackageName } from "../pep/name.ts";
import { rootDemands } from "./demand.ts";
import type { Manifest } from "./manifest.ts";
import type { Resolution, ResolvedPackage } from "./port.ts";
import type { Scope } from "./scope.ts";
import type { Chosen } from "./search.ts";

type Dependency = ResolvedPackage["dependencies"][number];

/** The answer for one environment. */
export function environmentResolution(
  chosen: readonly Chosen[],
  manifest: Manifest,
  scope: Scope,
): Resolution {
  const byName = new Map(chosen.map((item) => [item.name, item]));
  const direct = new Set(rootDemands(manifest, scope).map(({ name }) => name));
  const packages = chosen.map(
    (item): ResolvedPackage => ({
      name: item.name,
      version: item.candidate.version,
      extras: extrasOf(item),
      files: item.candidate.files,
      ...(item.candidate.source && { source: item.candidate.source }),
      metadata: item.metadata,
      dependencies: dependenciesOf(item, byName),
      direct: direct.has(item.name),
    }),
  );
  packages.sort((left, right) => (left.name < right.name ? -1 : 1));
  return { packages, warnings: chosen.flatMap((item) => warningsOf(item)) };
}

/** What is worth telling about a version that was taken. */
export function warningsOf({ name, candidate, metadata, parts }: Chosen): string[] {
  const warnings: string[] = [];
  const { version, problem, requiresPython } = candidate;
  for (const { extra, demands } of parts) {
    if (extra === undefined || demands.length > 0) continue;
    if (!metadata.providesExtra.includes(extra)) {
      warnings.push(`${name} ${version} has no extra "${extra}"`);
    }
  }
  if (problem?.kind === "yanked") {
    const reason = problem.reason === "" ? "" : `: ${problem.reason}`;
    warnings.push(`${name} ${version} was yanked by its authors${reason}`);
  }
  if (problem?.kind === "python") {
    warnings.push(`${name} ${version} is not meant for this Python: it wants ${requiresPython}`);
  }
  return warnings;
}

function dependenciesOf(
  { name: own, parts }: Chosen,
  byName: ReadonlyMap<PackageName, Chosen>,
): Dependency[] {
  const edges = new Map<PackageName, Set<ExtraName>>();
  for (const { demands } of parts) {
    for (const { name, extras } of demands) {
      if (name === own) continue;
      let known = edges.get(name);
      if (known === undefined) {
        known = new Set();
        edges.set(name, known);
      }
      for (const wanted of extras) known.add(wanted);
    }
  }
  const dependencies: Dependency[] = [];
  for (const [name, wanted] of edges) {
    const version = byName.get(name)?.candidate.version;
    if (version !== undefined) dependencies.push({ name, version, extras: [...wanted].sort() });
  }
  return dependencies.sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The extras that somebody wants, sorted. */
function extrasOf({ parts }: Chosen): ExtraName[] {
  return parts.flatMap(({ extra }) => extra ?? []).sort();
}
