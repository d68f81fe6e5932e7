/** Requirements of people in the resolver's terms: what has no name gets it from its source. */
import type { PackageName } from "../pep/name.ts";
import { type ProjectRequirement, rootRequirement } from "../project/requirement-line.ts";
import type { PackageIndex, RootRequirement } from "../resolve/port.ts";

/**
 * The resolver's requirements. Sources that must be looked at to know their name are fetched, all
 * at the same time.
 */
export async function rootsOf(
  requirements: readonly ProjectRequirement[],
  index: () => Promise<PackageIndex>,
): Promise<RootRequirement[]> {
  return Promise.all(
    requirements.map(async (requirement) => {
      const { source } = requirement;
      if (requirement.name !== undefined || source === undefined) {
        return rootRequirement(requirement);
      }
      const { metadata } = await (await index()).direct(source);
      return rootRequirement(requirement, metadata.name);
    }),
  );
}

/** The names that were asked for (REQUESTED of PEP 376). */
export function namesOf(roots: readonly RootRequirement[]): ReadonlySet<PackageName> {
  return new Set(roots.map(({ requirement }) => requirement.name));
}
