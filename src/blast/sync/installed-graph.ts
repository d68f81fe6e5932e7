/** Who needs whom among the installed packages, read from their metadata. */
import type { InstalledDistribution } from "../env/installed.ts";
import { metadataOf } from "../env/installed-metadata.ts";
import { evaluateMarker } from "../pep/marker.ts";
import type { MarkerEnvironment } from "../pep/marker-environment.ts";
import type { ExtraName, PackageName } from "../pep/name.ts";
import type { Requirement } from "../pep/requirement.ts";

/** One requirement of one package. */
export interface Edge {
  readonly from: PackageName;
  readonly requirement: Requirement;
  /** The extra of `from` that asks for it; undefined: `from` itself. */
  readonly extra: ExtraName | undefined;
  /** What stands for it; undefined: it is not installed. */
  readonly to: InstalledDistribution | undefined;
  /** Installed, and of a version that fits. */
  readonly fits: boolean;
}

/** The graph. */
export interface InstalledGraph {
  readonly byName: ReadonlyMap<PackageName, InstalledDistribution>;
  /** What a package needs, by its own name first; extras only where something asks for them. */
  needs(name: PackageName): readonly Edge[];
  /** Who needs a package. */
  neededBy(name: PackageName): readonly Edge[];
}

/**
 * Reads the metadata of all. An extra counts where an installed package asks for it, or where the
 * whole of it is installed: who typed `httpx[http2]` did not leave that in writing.
 */
export function installedGraph(
  installed: readonly InstalledDistribution[],
  markers: MarkerEnvironment,
): InstalledGraph {
  const byName = new Map(installed.map((one) => [one.name, one]));
  const all = new Map<PackageName, Edge[]>();
  for (const one of installed) all.set(one.name, edgesOf(one, byName, markers));
  const asked = new Map<PackageName, Set<ExtraName>>();
  for (const edges of all.values()) {
    for (const { requirement } of edges) {
      const extras = asked.get(requirement.name) ?? new Set();
      for (const extra of requirement.extras) extras.add(extra);
      asked.set(requirement.name, extras);
    }
  }
  const needs = new Map<PackageName, Edge[]>();
  const neededBy = new Map<PackageName, Edge[]>();
  for (const [name, edges] of all) {
    const wanted = asked.get(name);
    const counted = edges.filter(
      ({ extra }) => extra === undefined || wanted?.has(extra) || isWhole(extra, edges),
    );
    needs.set(name, counted);
    for (const edge of counted) {
      const { name: target } = edge.requirement;
      neededBy.set(target, [...(neededBy.get(target) ?? []), edge]);
    }
  }
  return {
    byName,
    needs: (name) => needs.get(name) ?? [],
    neededBy: (name) => neededBy.get(name) ?? [],
  };
}

function isWhole(extra: ExtraName, edges: readonly Edge[]): boolean {
  return edges.every((edge) => edge.extra !== extra || edge.fits);
}

function edgesOf(
  distribution: InstalledDistribution,
  byName: ReadonlyMap<PackageName, InstalledDistribution>,
  markers: MarkerEnvironment,
): Edge[] {
  const metadata = metadataOf(distribution);
  if (metadata === undefined) return [];
  const { requiresDist, providesExtra } = metadata;
  return requiresDist.flatMap((requirement) => {
    const { marker } = requirement;
    const holds = (extras: ReadonlySet<string>): boolean =>
      marker === undefined || evaluateMarker(marker, markers, extras);
    const isPlain = holds(new Set());
    const extra = isPlain ? undefined : providesExtra.find((one) => holds(new Set([one])));
    if (!isPlain && extra === undefined) return [];
    const to = byName.get(requirement.name);
    const fits =
      to !== undefined && requirement.specifier.contains(to.version, { prereleases: true });
    return [{ from: distribution.name, requirement, extra, to, fits }];
  });
}
