import { fstatSync, lstatSync, openSync, readdirSync, renameSync } from "node:fs";
import { basename, dirname } from "node:path";
import { SUBVOLUME_INODE, TOP_LEVEL_ID } from "../../../ffi/abi/btrfs.ts";
import { O } from "../../../ffi/abi/constants.ts";
import { btrfsCalls, type SubvolumeInfo } from "../../../ffi/btrfs/calls.ts";
import { errno } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { HERE, openAt, removeFolderAt } from "../../kit/fs/at.ts";
import { callFault, must } from "./fault.ts";

/** Opens a folder, never through a symbolic link as last part: what is in a snapshot is foreign. */
export function openFolder(path: string): Fd {
  return new Fd(must(openHere(path), `open "${path}"`));
}

function openHere(path: string): number {
  return openAt(HERE, path, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
}

/** A subvolume to make a snapshot of, and where. */
export interface SnapshotRequest {
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

/** Makes a snapshot; it is on the disk on return. @throws {Fault} */
export function snapshotSubvolume(request: SnapshotRequest): void {
  const { source, target, isReadOnly } = request;
  using from = openFolder(source);
  using folder = openFolder(dirname(target));
  must(
    btrfsCalls().snapshot(from.number, folder.number, basename(target), isReadOnly),
    `make a snapshot of "${source}" as "${target}"`,
  );
}

/** Makes an empty subvolume. @throws {Fault} */
export function createSubvolume(path: string): void {
  using folder = openFolder(dirname(path));
  must(btrfsCalls().create(folder.number, basename(path)), `make the subvolume "${path}"`);
}

/**
 * Removes a subvolume with the subvolumes in it; one that is not there is fine.
 * @throws {Fault} where anything stays
 */
export function removeSubvolume(path: string): void {
  const result = removeOne(path);
  if (result === 0 || result === -errno.ENOENT) return;
  if (result !== -errno.ENOTEMPTY) throw callFault(`remove the subvolume "${path}"`, result);
  removeNested(Buffer.from(path));
  must(removeOne(path), `remove the subvolume "${path}"`);
}

function removeOne(path: string): number {
  using folder = new Fd(openHere(dirname(path)));
  if (!folder.isOpen) return folder.number;
  return btrfsCalls().remove(folder.number, basename(path));
}

/**
 * Removes the subvolumes in a subvolume, with those in them. Found by their inode number, in
 * folders alone: a container engine may have put them anywhere below /var. Paths are bytes: what is
 * in a system need not be named in UTF-8.
 */
function removeNested(path: Buffer): void {
  const folders = [path];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of readdirSync(folder, { encoding: "buffer" })) {
      const child = Buffer.concat([folder, SLASH, name]);
      const status = lstatSync(child);
      if (!status.isDirectory()) continue;
      if (status.ino === SUBVOLUME_INODE) removeChild(folder, name);
      else folders.push(child);
    }
  }
}

const SLASH = Buffer.from("/");

function removeChild(folder: Buffer, name: Buffer): void {
  const text = textName(folder, name);
  const path = Buffer.concat([folder, SLASH, Buffer.from(text)]);
  using parent = new Fd(openSync(folder, O.RDONLY | O.DIRECTORY | O.NOFOLLOW));
  let result = btrfsCalls().remove(parent.number, text);
  if (result === -errno.ENOTEMPTY) {
    removeNested(path);
    result = btrfsCalls().remove(parent.number, text);
  }
  must(result, `remove the subvolume "${path.toString()}"`);
}

/** The name as text; one that is none is changed into one: it goes in any case. */
function textName(folder: Buffer, name: Buffer): string {
  const text = name.toString();
  if (Buffer.from(text).equals(name)) return text;
  const other = `.gone-${crypto.randomUUID()}`;
  const at = (last: Buffer): Buffer => Buffer.concat([folder, SLASH, last]);
  renameSync(at(name), at(Buffer.from(other)));
  return other;
}

const NO_FOLDER: readonly number[] = [-errno.ENOENT, -errno.ENOTDIR, -errno.ELOOP];

/** Whether there is a folder of this name, and it is a subvolume's root. @throws {Fault} */
export function isSubvolume(path: string): boolean {
  using fd = new Fd(openHere(path));
  if (NO_FOLDER.includes(fd.number)) return false;
  must(fd.number, `open "${path}"`);
  return fstatSync(fd.number).ino === SUBVOLUME_INODE;
}

/** What the kernel knows about a subvolume. @throws {Fault} */
export function subvolumeInfo(path: string): SubvolumeInfo {
  using fd = openFolder(path);
  const info = btrfsCalls().info(fd.number);
  if (typeof info === "number") throw callFault(`read the subvolume "${path}"`, info);
  return info;
}

/** Puts a folder out of the way that a subvolume is to take the place of. @throws {Fault} */
export function removeEmptyFolder(path: string): void {
  const result = removeFolderAt(HERE, path);
  if (result !== -errno.ENOENT) must(result, `remove the empty folder "${path}"`);
}

/** Whether this is the top level of a btrfs. */
export function isTopLevel(path: string): boolean {
  return subvolumeInfo(path).id === TOP_LEVEL_ID;
}

/** Waits until everything that was done so far is on the disk. @throws {Fault} */
export function syncFilesystem(path: string): void {
  using fd = openFolder(path);
  must(btrfsCalls().sync(fd.number), `write "${path}" to the disk`);
}
