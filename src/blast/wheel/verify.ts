import { ptr } from "bun:ffi";
import { AT, O, S, STATX } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { HERE, openAt, openFolderAt } from "../../kit/fs/at.ts";
import { systemFault } from "./faults.ts";
import { PIECE_BYTES } from "./limits.ts";
import type { Manifest } from "./manifest.ts";
import { scratch } from "./scratch.ts";
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
  const { files } = manifest;
  if (!folder.isOpen) return files.map(({ path }) => ({ path, kind: "missing" }));
  const comparison = { folder: folder.number, tree, manifest, files };
  return options.full ? compareContent(comparison) : compareStatus(comparison);
}

type Comparison = {
  readonly folder: number;
  readonly tree: string;
  readonly manifest: Manifest;
  readonly files: readonly StoredFile[];
};

function compareStatus({ folder, manifest, files }: Comparison): Deviation[] {
  const found: Deviation[] = [];
  const { pathBytes, times } = manifest;
  if (files.length === 0) return found;
  const { status } = scratch();
  // The paths as they lie in the manifest, each with its NUL.
  let pointer = ptr(pathBytes) as number;
  let at = 0;
  for (let i = 0; i < files.length; i++) {
    const { path, size } = files[i] as StoredFile;
    const wanted = STATX.TYPE | STATX.SIZE | STATX.MTIME;
    const result = sys.statx(folder, pointer, AT.SYMLINK_NOFOLLOW, wanted, status.pointer);
    const isSame =
      result >= 0 &&
      (status.mode & S.IFMT) === S.IFREG &&
      status.sizeBytes === size &&
      status.mtimeSec === times[2 * i] &&
      status.mtimeNsec === times[2 * i + 1];
    if (!isSame) found.push({ path, kind: isAbsent(result) ? "missing" : "changed" });
    const next = endOf(pathBytes, at, path) + 1;
    pointer += next - at;
    at = next;
  }
  return found;
}

/** Where a path ends that starts there: of mere ASCII it has as many bytes as characters. */
function endOf(bytes: Uint8Array, start: number, path: string): number {
  const end = start + path.length;
  return bytes[end] === 0 ? end : bytes.indexOf(0, end);
}

function isAbsent(result: number): boolean {
  return result === -errno.ENOENT || result === -errno.ENOTDIR;
}

function compareContent({ folder, tree, files }: Comparison): Deviation[] {
  const found: Deviation[] = [];
  for (const { path, size, sha256 } of files) {
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
