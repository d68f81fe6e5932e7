import { existsSync } from "node:fs";
import { join } from "node:path";
import { isSubvolume } from "../snapshot/subvolume.ts";

/** Subvolumes at the top that all snapshots share, by the folders that they stand for. */
export function sharedFolders(top: string): ReadonlyMap<string, string> {
  const shared = new Map<string, string>();
  for (const name of ["home", "root", "srv"]) {
    const path = join(top, name);
    if (existsSync(path) && isSubvolume(path)) shared.set(`/${name}`, path);
  }
  return shared;
}
