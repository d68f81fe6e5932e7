/** The files that a build may take a project's dependencies from, as far as anybody can tell. */
import { type BigIntStats, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** Files that may name others. */
const BUILD_FILES = ["pyproject.toml", "setup.py", "setup.cfg"] as const;

/** What lists of requirements, and code of a build, are kept in. */
const DATA = /\.(?:txt|in|toml|cfg|ini|py|json|ya?ml|lock)$/;

/** What looks like a path in a text. */
const PATH = /[\w.@+-]+(?:\/[\w.@+-]+)*/g;

/** So many are looked at. */
const WORDS_MAX = 4000;

/**
 * Differs once such a file differs: one in the project's own folder, one that its build files name,
 * and one in a folder that they name. What a build reads besides is not seen.
 */
export function buildInputsOf(folder: string): string {
  const words = new Set<string>();
  for (const name of BUILD_FILES) {
    for (const word of textOf(join(folder, name)).match(PATH) ?? []) {
      if (/\w/.test(word)) words.add(word);
    }
  }
  const found = new Map<string, string>();
  const look = (path: string): void => {
    const status = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (status?.isFile() === true) found.set(path, printOf(status));
    if (status?.isDirectory() !== true) return;
    for (const name of namesIn(path)) {
      if (!DATA.test(name)) continue;
      const inner = statSync(join(path, name), { bigint: true, throwIfNoEntry: false });
      if (inner?.isFile() === true) found.set(join(path, name), printOf(inner));
    }
  };
  look(folder);
  for (const word of [...words].slice(0, WORDS_MAX)) {
    try {
      look(resolve(folder, word));
    } catch {
      // No path after all: a file in the place of a folder, a name that is too long.
    }
  }
  return JSON.stringify([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function printOf({ size, mtimeNs, ino }: BigIntStats): string {
  return `${size}:${mtimeNs}:${ino}`;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
