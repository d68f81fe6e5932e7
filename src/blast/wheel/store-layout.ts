import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Manifest } from "./manifest.ts";

/** The folder of the store's format: another format gets another folder. */
export const FORMAT_FOLDER = "wheels-v1";

/** The names in a wheel's folder. */
export const TREE = "tree";
export const MANIFEST = "manifest";

/** Where the wheel of that hash lies. `store`: with the format's folder. */
export function wheelPath(store: string, sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`no SHA-256: ${JSON.stringify(sha256)}`);
  return join(store, sha256.slice(0, 2), sha256);
}

/** The manifest of a wheel's folder; undefined where there is none, or a damaged one. */
export function readManifest(wheel: string): Manifest | undefined {
  try {
    return Manifest.parse(readFileSync(join(wheel, MANIFEST)));
  } catch {
    // Absent or not to be read: in both cases the wheel is not there for us.
    return undefined;
  }
}

/** Whether a wheel's folder is complete. */
export function hasManifest(wheel: string): boolean {
  return readManifest(wheel) !== undefined;
}
