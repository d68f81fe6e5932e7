import type { InstalledDistribution } from "../env/installed.ts";
import type { ManifestChange } from "../env/journal.ts";
import { holdsManifest } from "../env/manifest.ts";
import { Overtaken } from "./overtaken.ts";

/**
 * To be asked by who holds the environment's lock.
 *
 * @param seen what was installed when the change was planned
 * @throws {Overtaken}
 */
export function checkNotOvertaken(
  seen: readonly InstalledDistribution[],
  now: readonly InstalledDistribution[],
  manifests: readonly ManifestChange[],
): void {
  const paths = (list: readonly InstalledDistribution[]): string =>
    list
      .map(({ path, requested }) => `${path} ${requested}`)
      .sort()
      .join("\n");
  if (paths(seen) !== paths(now)) throw new Overtaken("another process changed the environment");
  const changed = manifests.find(({ path, before }) => !holdsManifest(path, before));
  if (changed !== undefined) throw new Overtaken(`"${changed.path}" was changed meanwhile`);
}
