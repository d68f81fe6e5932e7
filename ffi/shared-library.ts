import { accessSync } from "node:fs";
import { join } from "node:path";

/** Where distributions keep shared libraries (hier(7)); Debian's multiarch folder comes first. */
const FOLDERS = [
  `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`,
  "/usr/lib64",
  "/usr/lib",
  "/lib",
];

/**
 * Absolute path of the first of these sonames that is installed. Never open a bare name: where the
 * loader does not know it, Bun looks for it in the current folder, and what lies there may be
 * anybody's.
 *
 * @param sonames the wanted one first: `libalpm.so.15`, `libalpm.so.14`
 */
export function findSharedLibrary(sonames: readonly string[]): string | undefined {
  for (const soname of sonames) {
    const path = FOLDERS.map((folder) => join(folder, soname)).find(isReadable);
    if (path !== undefined) return path;
  }
  return undefined;
}

function isReadable(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
