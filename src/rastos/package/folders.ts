import { mkdirSync, mkdtempSync, readdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PackagePaths } from "./paths.ts";

/**
 * What a package manager is opened for; only a change writes into the root. Planning is reading
 * with a lock, which therefore lies aside.
 */
export type SessionPurpose = "read" | "planning" | "refreshed-read" | "change";

/** Makes the folders that a change writes into. */
export function makePackageFolders(paths: PackagePaths): void {
  const log = join(paths.log, "..");
  for (const folder of [paths.database, paths.cache, log]) mkdirSync(folder, { recursive: true });
}

/**
 * A database folder aside, where the root has none (libalpm would make one) or where its
 * repositories are to be fetched without changing it; it shows the root's own local database.
 */
export function scratchDatabase(paths: PackagePaths, purpose: SessionPurpose): string | undefined {
  const local = join(paths.database, "local");
  const hasLocal = entriesOf(local).length > 0;
  if (purpose === "change" || (purpose === "read" && hasLocal)) return undefined;
  const scratch = mkdtempSync(join(tmpdir(), "rastos-packages-"));
  if (hasLocal) symlinkSync(local, join(scratch, "local"));
  const sync = join(paths.database, "sync");
  if (purpose !== "refreshed-read" && entriesOf(sync).length > 0)
    symlinkSync(sync, join(scratch, "sync"));
  return scratch;
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
