import { join } from "node:path";
import { O } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { HERE, openAt } from "../../kit/fs/at.ts";
import { Manifest } from "./manifest.ts";
import { scratch } from "./scratch.ts";

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
  const bytes = readFile(`${wheel}/${MANIFEST}`);
  return bytes === undefined ? undefined : Manifest.parse(bytes);
}

/**
 * A small file. Whatever stands against it makes the wheel one that is not there for us. By plain
 * calls: a hundred manifests are read before anything is installed.
 */
function readFile(path: string): Buffer | undefined {
  const fd = openAt(HERE, path, O.RDONLY);
  if (fd < 0) return undefined;
  const { pointer, bytes } = scratch().archive;
  const pieces: Buffer[] = [];
  let got = sys.read(fd, pointer, bytes.length);
  while (got > 0) {
    pieces.push(Buffer.from(bytes.subarray(0, got)));
    got = sys.read(fd, pointer, bytes.length);
  }
  sys.close(fd);
  if (got < 0) return undefined;
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}

/** Whether a wheel's folder is complete. */
export function hasManifest(wheel: string): boolean {
  return readManifest(wheel) !== undefined;
}
