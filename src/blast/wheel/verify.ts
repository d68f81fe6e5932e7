import { ptr } from "bun:ffi";
import { join } from "node:path";
import { AT, O, S, STATX } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { HERE, openAt, openFolderAt } from "../../kit/fs/at.ts";
import { systemFault } from "./faults.ts";
import { PIECE_BYTES } from "./limits.ts";
import type { Manifest } from "./manifest.ts";
import { scratch } from "./scratch.ts";
import { readManifest, TREE } from "./store-layout.ts";
import type { StoredFile } from "./stored-wheel.ts";

/** A file of the store that is not what was unpacked. */
export interface Deviation {
  readonly path: string;
  readonly kind: "missing" | "changed";
}

/**
 * Compares an unpacked wheel with its manifest: every file's kind, size and time, or its content.
 * Environments share files with the store by hard links, so an editor can change both.
 *
 * @throws {Fault} E_IO where a file cannot be read
 */
export function compareTree(
  tree: string,
  manifest: Manifest,
  options: { readonly full: boolean },
): Deviation[] {
  using folder = new Fd(openFolderAt(HERE, tree));
  if (!folder.isOpen) return manifest.files.map(({ path }) => ({ path, kind: "missing" }));
  const comparison = { folder: folder.number, tree, manifest };
  return options.full ? compareContent(comparison) : compareStatus(comparison);
}

/** Whether an unpacked wheel is as its manifest says, as far as sizes and times tell. */
export function isSoundWheel(wheel: string): boolean {
  const manifest = readManifest(wheel);
  if (manifest === undefined) return false;
  return compareTree(join(wheel, TREE), manifest, { full: false }).length === 0;
}

type Comparison = {
  readonly folder: number;
  readonly tree: string;
  readonly manifest: Manifest;
};

function compareStatus({ folder, manifest }: Comparison): Deviation[] {
  const found: Deviation[] = [];
  const { pathBytes, sizes, times } = manifest;
  const count = manifest.head.files;
  if (count === 0) return found;
  const { status } = scratch();
  // The paths as they lie in the manifest, each with its NUL.
  let pointer = ptr(pathBytes) as number;
  let at = 0;
  for (let i = 0; i < count; i++) {
    const wanted = STATX.TYPE | STATX.SIZE | STATX.MTIME;
    const result = sys.statx(folder, pointer, AT.SYMLINK_NOFOLLOW, wanted, status.pointer);
    const isSame =
      result >= 0 &&
      (status.mode & S.IFMT) === S.IFREG &&
      status.sizeBytes === sizes[i] &&
      status.mtimeSec === times[2 * i] &&
      status.mtimeNsec === times[2 * i + 1];
    if (!isSame) {
      const { path } = manifest.files[i] as StoredFile;
      found.push({ path, kind: isAbsent(result) ? "missing" : "changed" });
    }
    const next = pathBytes.indexOf(0, at) + 1;
    pointer += next - at;
    at = next;
  }
  return found;
}

function isAbsent(result: number): boolean {
  return result === -errno.ENOENT || result === -errno.ENOTDIR;
}

function compareContent({ folder, tree, manifest }: Comparison): Deviation[] {
  const found: Deviation[] = [];
  for (const { path, size, sha256 } of manifest.files) {
    using file = new Fd(openAt(folder, path, O.RDONLY | O.NOFOLLOW | O.NONBLOCK));
    if (isAbsent(file.number)) found.push({ path, kind: "missing" });
    else if (file.number === -errno.ELOOP) found.push({ path, kind: "changed" });
    else if (!file.isOpen) throw systemFault("read", `${tree}/${path}`, file.number);
    else if (digestOf(file.number, size, `${tree}/${path}`) !== sha256) {
      found.push({ path, kind: "changed" });
    }
  }
  return found;
}

/** Digest of a plain file of that size, as RECORD writes it; undefined for anything else. */
function digestOf(fd: number, size: number, path: string): string | undefined {
  const memory = scratch();
  const result = memory.stat(fd);
  if (result < 0) throw systemFault("read", path, result);
  const isPlain = (memory.status.mode & S.IFMT) === S.IFREG;
  if (!isPlain || memory.status.sizeBytes !== size) return undefined;
  const { pointer, bytes } = memory.archive;
  const hasher = new Bun.CryptoHasher("sha256");
  for (let done = 0; done < size; ) {
    const got = sys.pread(fd, pointer, Math.min(PIECE_BYTES, size - done), done);
    if (got < 0) throw systemFault("read", path, got);
    if (got === 0) return undefined;
    hasher.update(bytes.subarray(0, got));
    done += got;
  }
  return hasher.digest("base64url");
}
