/** A lock file as requirements.txt, for pip and everything that reads what pip reads. */

import { join, resolve } from "node:path";
import { fileUrlOf } from "../../kit/text/file-url.ts";
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
    const first = `${requirementText(locked, lock.folder)}${where}`;
    const hashes = options.hashes ? hashesOf(locked) : [];
    lines.push([first, ...hashes.map((hash) => `    --hash=${hash}`)].join(" \\\n"));
  }
  return `${lines.join("\n")}\n`;
}

function requirementText({ name, version, source }: LockedPackage, folder: string): string {
  switch (source.kind) {
    case "files":
      return `${name}==${version}`;
    case "archive": {
      const { url, path = "", subdirectory } = source;
      if (url !== undefined) return `${name} @ ${inSubdirectory(url, subdirectory)}`;
      // Only a URL can say where in the archive the project is.
      if (subdirectory === undefined && isPlain(path)) return besides(path);
      return `${name} @ ${inSubdirectory(fileUrlOf(resolve(folder, path)), subdirectory)}`;
    }
    case "vcs": {
      const { type, url, path = "", commit, subdirectory } = source;
      const place = url ?? fileUrlOf(resolve(folder, path));
      return `${name} @ ${inSubdirectory(`${type}+${place}@${commit}`, subdirectory)}`;
    }
    case "directory": {
      const path = join(source.path, source.subdirectory ?? "");
      if (isPlain(path)) return source.editable ? `-e ${besides(path)}` : besides(path);
      const url = fileUrlOf(resolve(folder, path));
      return source.editable ? `-e ${url}` : `${name} @ ${url}`;
    }
  }
}

/**
 * A path that pip and uv take as a line of its own, relative to where they run. `name @ PATH` is
 * none that pip would take, and with an absolute path or other characters a URL is safer.
 */
function isPlain(path: string): boolean {
  return /^[\p{L}\p{N}_.+-][\p{L}\p{N}_.+/-]*$/u.test(path);
}

function besides(path: string): string {
  return /^\.{1,2}(?:\/|$)/.test(path) ? path : `./${path}`;
}

function inSubdirectory(url: string, subdirectory: string | undefined): string {
  if (subdirectory === undefined || /[#&]subdirectory=/.test(url)) return url;
  return `${url}${url.includes("#") ? "&" : "#"}subdirectory=${subdirectory}`;
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
