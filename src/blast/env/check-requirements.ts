import { evaluateMarker } from "../pep/marker.ts";
import type { MarkerEnvironment } from "../pep/marker-environment.ts";
import type { PackageName } from "../pep/name.ts";
import { requirementToString } from "../pep/requirement.ts";
import { parseSpecifierSet } from "../pep/specifier.ts";
import { parseVersion } from "../pep/version.ts";
import type { CoreMetadata } from "../resolve/port.ts";
import type { Finding } from "./finding.ts";
import type { InstalledDistribution } from "./installed.ts";
import { metadataOf } from "./installed-metadata.ts";

/**
 * Whether what the installed packages require is installed, without extras, as `pip check` sees it;
 * and whether they say that they run on this Python.
 */
export function checkRequirements(
  installed: readonly InstalledDistribution[],
  markers: MarkerEnvironment,
): Finding[] {
  const byName = new Map(installed.map((distribution) => [distribution.name, distribution]));
  return installed.flatMap((distribution) => {
    const metadata = metadataOf(distribution);
    if (metadata === undefined) return [];
    return [
      ...checkPython(distribution.name, metadata, markers),
      ...checkNeeds(distribution.name, metadata, byName, markers),
    ];
  });
}

function checkNeeds(
  name: PackageName,
  metadata: CoreMetadata,
  byName: ReadonlyMap<PackageName, InstalledDistribution>,
  markers: MarkerEnvironment,
): Finding[] {
  return metadata.requiresDist.flatMap((requirement): Finding[] => {
    const { marker, specifier } = requirement;
    if (marker !== undefined && !evaluateMarker(marker, markers, new Set())) return [];
    const wanted = requirementToString({
      name: requirement.name,
      extras: requirement.extras,
      specifier,
      url: requirement.url,
    });
    const other = byName.get(requirement.name);
    if (other === undefined) {
      const message = `"${name}" requires "${wanted}", which is not installed`;
      return [{ kind: "unmet", message, packages: [name] }];
    }
    if (specifier.contains(other.version, { prereleases: true })) return [];
    const message = `"${name}" requires "${wanted}", and ${other.version} is installed`;
    return [{ kind: "conflict", message, packages: [name, other.name] }];
  });
}

function checkPython(
  name: PackageName,
  { requiresPython }: CoreMetadata,
  markers: MarkerEnvironment,
): Finding[] {
  if (requiresPython === undefined) return [];
  const { python_full_version: version } = markers;
  try {
    const wanted = parseSpecifierSet(requiresPython);
    if (wanted.contains(parseVersion(version), { prereleases: true })) return [];
  } catch {
    // Nobody could read it when the package was installed either.
    return [];
  }
  const message = `"${name}" requires Python ${requiresPython}, and this is ${version}`;
  return [{ kind: "conflict", message, packages: [name] }];
}
