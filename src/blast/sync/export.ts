/** A lock file as requirements.txt, for pip and everything that reads what pip reads. */

import { parseMarker } from "../pep/marker.ts";
import { MarkerSet } from "../pep/marker-algebra.ts";
import type { LockedPackage, LockedPlace, Pylock } from "../project/pylock.ts";
import type { Selection } from "./project.ts";

const HEAD = "# Made by blast from pylock.toml";

/** Whether a requirements.txt says only what a lock file says. */
export function isExported(text: string): boolean {
  return text.startsWith(HEAD);
}

/** One line a package, with markers and hashes; extras and groups that are not selected go. */
export function exportRequirements(
  lock: Pylock,
  selection: Selection,
  options: { readonly hashes: boolean },
): string {
  const lines = [HEAD];
  for (const locked of lock.packages) {
    const marker =
      locked.marker === undefined
        ? MarkerSet.always
        : MarkerSet.of(parseMarker(locked.marker)).withExtras(selection.extras, selection.groups);
    if (marker.isFalse()) continue;
    const where = marker.isTrue() ? "" : ` ; ${marker.toMarkerString()}`;
    const first = `${requirementText(locked)}${where}`;
    const hashes = options.hashes ? hashesOf(locked) : [];
    lines.push([first, ...hashes.map((hash) => `    --hash=${hash}`)].join(" \\\n"));
  }
  return `${lines.join("\n")}\n`;
}

function requirementText({ name, version, source }: LockedPackage): string {
  switch (source.kind) {
    case "files":
      return `${name}==${version}`;
    case "archive":
      return `${name} @ ${source.url ?? source.path}`;
    case "vcs": {
      const below = source.subdirectory === undefined ? "" : `#subdirectory=${source.subdirectory}`;
      const place = source.url ?? source.path;
      return `${name} @ ${source.type}+${place}@${source.commit}${below}`;
    }
    case "directory": {
      const path = source.path.startsWith(".") ? source.path : `./${source.path}`;
      return source.editable ? `-e ${path}` : path;
    }
  }
}

function hashesOf({ source }: LockedPackage): string[] {
  const places: readonly LockedPlace[] =
    source.kind === "files"
      ? [...(source.sdist === undefined ? [] : [source.sdist]), ...source.wheels]
      : source.kind === "archive"
        ? [source]
        : [];
  const texts = places.flatMap(({ hashes }) =>
    Object.entries(hashes).map(([algorithm, digest]) => `${algorithm}:${digest}`),
  );
  return [...new Set(texts)].sort();
}
