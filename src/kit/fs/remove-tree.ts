import { readdirSync } from "node:fs";
import { join } from "node:path";
import { errno } from "../../../ffi/errno.ts";
import { HERE, removeFileAt, removeFolderAt } from "./at.ts";

/**
 * Removes a file, or a folder with all below it; symbolic links are removed, not followed. What is
 * not there is fine. Not for folders that somebody else may write to.
 *
 * @returns 0, or minus the error number of the first thing that could not be removed
 */
export function removeTree(path: string): number {
  const asFile = removeFileAt(HERE, path);
  if (asFile === 0 || asFile === -errno.ENOENT) return 0;
  if (asFile !== -errno.EISDIR && asFile !== -errno.EPERM) return asFile;
  let problem = 0;
  let names: string[];
  try {
    names = readdirSync(path);
  } catch {
    names = [];
  }
  for (const name of names) {
    // The others go all the same.
    const result = removeTree(join(path, name));
    if (problem === 0) problem = result;
  }
  const asFolder = removeFolderAt(HERE, path);
  return problem || (asFolder === -errno.ENOENT ? 0 : asFolder);
}
