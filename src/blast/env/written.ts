import { lstatSync } from "node:fs";
import { resolve } from "node:path";
import type { Environment } from "./environment.ts";
import type { Journal } from "./journal.ts";

/**
 * Whether all that a transaction wrote has the size that its RECORDs say, and the RECORDs are whole
 * themselves: what a power cut takes, it takes from the end of a file.
 */
export function isWrittenWhole(environment: Environment, journal: Journal): boolean {
  const installed = new Map(environment.installed().map((entry) => [entry.distInfo, entry]));
  for (const { distInfo } of journal.installed) {
    const distribution = installed.get(distInfo);
    // Another installer has replaced it since; then it is not ours to judge.
    if (distribution === undefined) continue;
    const record = distribution.record() ?? [];
    if (record.at(-1)?.path !== `${distInfo}/RECORD`) return false;
    for (const { path, size } of record) {
      if (size === undefined) continue;
      const status = lstatSync(resolve(distribution.site, path), { throwIfNoEntry: false });
      if (status === undefined || status.size !== size) return false;
    }
  }
  for (const { distInfo } of journal.marked ?? []) {
    // RECORD itself is on the disk; what was copied beside it may not be.
    const distribution = installed.get(distInfo);
    const beside = distribution?.record()?.filter(({ path }) => path.startsWith(`${distInfo}/`));
    for (const { path, size } of beside ?? []) {
      const status = lstatSync(resolve(distribution?.site ?? "", path), { throwIfNoEntry: false });
      if (size !== undefined && status?.size !== size) return false;
    }
  }
  return true;
}
