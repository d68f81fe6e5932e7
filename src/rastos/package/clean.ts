import { lstatSync, readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { openPackageManager } from "./open.ts";
import { packagePathsOf } from "./paths.ts";
import type { PackageRootOptions } from "./types.ts";

/** What was removed from the cache, or would be. */
export interface CleanedCache {
  /** Names, sorted. */
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Removes fetched package files: those that are not installed in that version, or all.
 *
 * @throws {Fault}
 */
export async function cleanCache(
  options: PackageRootOptions,
  how: { readonly all: boolean; readonly isDryRun: boolean },
): Promise<CleanedCache> {
  const { cache } = packagePathsOf(options);
  using manager = openPackageManager(options);
  const installed = await manager.installed();
  const kept = new Set(how.all ? [] : installed.map(({ name, version }) => `${name}-${version}`));
  const files: string[] = [];
  let bytes = 0;
  for (const name of namesIn(cache).sort()) {
    const stem = stemOf(name);
    if (stem === undefined || kept.has(stem)) continue;
    const path = join(cache, name);
    const status = lstatSync(path);
    if (!status.isFile()) continue;
    files.push(name);
    bytes += status.size;
    if (!how.isDryRun) unlinkSync(path);
  }
  return { files, bytes };
}

/** `name-version` of a package file, its signature, or what was fetched of it. */
function stemOf(file: string): string | undefined {
  return /^(.+)-[^-]+\.pkg\.tar(?:\.[a-z0-9]+)?(?:\.sig)?(?:\.part)?$/.exec(file)?.[1];
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
