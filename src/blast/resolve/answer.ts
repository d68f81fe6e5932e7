import type { ExtraName, PackageName } from "../pep/name.ts";
import { demandsOf, rootDemands } from "./demand.ts";
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
      extras: item.extras,
      files: item.candidate.files,
      ...(item.candidate.source && { source: item.candidate.source }),
      metadata: item.metadata,
      dependencies: dependenciesOf(item, byName, manifest, scope),
      direct: direct.has(item.name),
    }),
  );
  packages.sort((left, right) => (left.name < right.name ? -1 : 1));
  return { packages, warnings: chosen.flatMap((item) => warningsOf(item)) };
}

/** What is worth telling about a version that was taken. */
export function warningsOf({ name, candidate, metadata, extras }: Chosen): string[] {
  const warnings: string[] = [];
  const { version, problem, requiresPython } = candidate;
  for (const extra of extras) {
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
  { metadata, extras }: Chosen,
  byName: ReadonlyMap<PackageName, Chosen>,
  manifest: Manifest,
  scope: Scope,
): Dependency[] {
  const edges = new Map<PackageName, Set<ExtraName>>();
  for (const extra of [undefined, ...extras]) {
    for (const demand of demandsOf(metadata.requiresDist, extra, manifest, scope)) {
      if (demand.name === metadata.name) continue;
      const known = edges.get(demand.name) ?? new Set();
      for (const wanted of demand.extras) known.add(wanted);
      edges.set(demand.name, known);
    }
  }
  const dependencies: Dependency[] = [];
  for (const [name, wanted] of edges) {
    const version = byName.get(name)?.candidate.version;
    if (version !== undefined) dependencies.push({ name, version, extras: [...wanted].sort() });
  }
  return dependencies.sort((left, right) => (left.name < right.name ? -1 : 1));
}
