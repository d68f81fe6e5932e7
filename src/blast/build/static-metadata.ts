import { markerToString } from "../pep/marker.ts";
import { type Requirement, requirementToString } from "../pep/requirement.ts";
import type { ProjectTable } from "../project/pyproject.ts";

/** Fields that decide what is resolved and installed. */
const DECISIVE = ["version", "dependencies", "optional-dependencies", "requires-python"];

/**
 * The METADATA that a build would make of [project], as far as anything follows from it; undefined
 * where only a build can tell. What is not named as dynamic is what a build has to say.
 *
 * @see PEP 621
 */
export function staticMetadata(project: ProjectTable): string | undefined {
  const { version, requiresPython, dynamic } = project;
  if (version === undefined || DECISIVE.some((field) => dynamic.has(field))) return undefined;
  const lines = ["Metadata-Version: 2.2", `Name: ${project.displayName}`, `Version: ${version}`];
  if (requiresPython !== undefined) lines.push(`Requires-Python: ${requiresPython}`);
  for (const { requirement } of project.dependencies) {
    if (requirement !== undefined) lines.push(`Requires-Dist: ${requirementToString(requirement)}`);
  }
  for (const [extra, requirements] of project.optionalDependencies) {
    lines.push(`Provides-Extra: ${extra}`);
    for (const { requirement } of requirements) {
      if (requirement !== undefined) lines.push(`Requires-Dist: ${ofExtra(requirement, extra)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function ofExtra(requirement: Requirement, extra: string): string {
  const { name, extras, specifier, url, marker } = requirement;
  const bare = { name, extras, specifier, ...(url === undefined ? {} : { url }) };
  const own = marker === undefined ? "" : `(${markerToString(marker)}) and `;
  return `${requirementToString(bare)} ; ${own}extra == "${extra}"`;
}
