/** Takes out of the cache what builds have left there and nobody uses any more. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "../../kit/fs/remove-tree.ts";

/** What may stay. */
export interface SweepOptions {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** For so long something may lie unused. */
  readonly unusedMs: number;
}

/** A kind of thing, each in a folder or file of its own; which file's time tells its last use. */
interface Kind {
  readonly folder: string;
  readonly usedAt: (path: string) => string;
}

const KINDS: readonly Kind[] = [
  { folder: "builds-v1/environments", usedAt: (path) => join(path, ".complete") },
  { folder: "builds-v1/wheels", usedAt: (path) => path },
  { folder: "builds-v1/logs", usedAt: (path) => path },
  { folder: "git-v1", usedAt: (path) => `${path}.lock` },
];

/**
 * Removes build environments, built wheels, logs of failures and mirrors of repositories that were
 * not used for long. All of it can be made again.
 *
 * @returns how many
 */
export function sweepBuilds(cacheFolder: string, options: SweepOptions): number {
  let removed = 0;
  for (const { folder, usedAt } of KINDS) {
    for (const name of namesIn(join(cacheFolder, folder))) {
      if (name.endsWith(".lock")) continue;
      const path = join(cacheFolder, folder, name);
      const usedMs = timeOf(usedAt(path)) ?? timeOf(path);
      if (usedMs === undefined || options.nowMs - usedMs < options.unusedMs) continue;
      // The lock stays: another process may hold it at this moment.
      if (removeTree(path) === 0) removed += 1;
    }
  }
  return removed;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function timeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
