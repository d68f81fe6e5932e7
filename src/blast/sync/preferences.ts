import type { InstalledDistribution } from "../env/installed.ts";
import type { PackageName } from "../pep/name.ts";
import type { Version } from "../pep/version.ts";

/** Installed versions are kept where they fit, as pip does without --upgrade. */
export function preferencesOf(
  installed: readonly InstalledDistribution[],
): ReadonlyMap<PackageName, readonly Version[]> {
  return new Map(installed.map(({ name, version }) => [name, [version]]));
}
