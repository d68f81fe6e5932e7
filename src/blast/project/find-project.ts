/** Which files describe the project that a folder belongs to. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** Files of a project; absolute paths, undefined where there is none. */
export interface ProjectFiles {
  /** The folder that the files lie in; where there are none, the folder that was asked about. */
  readonly folder: string;
  readonly blastToml?: string;
  readonly pyproject?: string;
  readonly requirements?: string;
  readonly pylock?: string;
  /** `pylock.NAME.toml`, by name (PEP 751). */
  readonly namedPylocks: ReadonlyMap<string, string>;
  /** `.python-version`. */
  readonly pythonVersion?: string;
}

/** Any of these makes a folder a project. */
const FILES = ["blast.toml", "pyproject.toml", "requirements.txt", "pylock.toml"] as const;

/** Levels that are looked at, so that a strange file system cannot keep us busy. */
const LEVELS_MAX = 256;

/**
 * Looks in the folder and above it for the nearest one with a project's file.
 *
 * @param stopAt folder above which nobody looks (the user's home); it is looked at itself
 */
export function findProject(folder: string, stopAt?: string): ProjectFiles {
  const start = resolve(folder);
  let current = start;
  for (let level = 0; level < LEVELS_MAX; level += 1) {
    const here = current;
    if (FILES.some((name) => existsSync(join(here, name)))) return projectAt(here);
    const above = dirname(here);
    if (above === here || here === stopAt) break;
    current = above;
  }
  return projectAt(start);
}

/** The project's files in this very folder. */
export function projectAt(folder: string): ProjectFiles {
  const found = (key: keyof ProjectFiles, name: string) =>
    existsSync(join(folder, name)) ? { [key]: join(folder, name) } : {};
  return {
    folder,
    ...found("blastToml", "blast.toml"),
    ...found("pyproject", "pyproject.toml"),
    ...found("requirements", "requirements.txt"),
    ...found("pylock", "pylock.toml"),
    ...found("pythonVersion", ".python-version"),
    get namedPylocks() {
      return namedPylocks(folder);
    },
  };
}

function namedPylocks(folder: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  let files: string[] = [];
  try {
    files = readdirSync(folder).sort();
  } catch {
    // No folder, no files in it.
  }
  for (const file of files) {
    const name = /^pylock\.([^.]+)\.toml$/.exec(file)?.[1];
    if (name !== undefined) names.set(name, join(folder, file));
  }
  return names;
}
