import { readdirSync } from "node:fs";
import { join } from "node:path";
import { LOCK } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import type { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { must } from "./fault.ts";
import { partPath, temporaryFolder } from "./layout.ts";
import { partPlace } from "./part-place.ts";
import {
  isSubvolume,
  openFolder,
  removeEmptyFolder,
  removeSubvolume,
  snapshotSubvolume,
} from "./subvolume.ts";

/** Parts of a clone that lie in its root as subvolumes of their own. */
export const NESTED = ["etc", "var"] as const;

/** A clone under `.snapshots/tmp`. */
export interface TemporaryEntry {
  readonly name: string;
  readonly path: string;
  /** Whether a process is at work in it; otherwise it is what an interrupted run has left. */
  readonly isInUse: boolean;
}

/** The temporary clones. Only who holds the lock of the tree may take one for a leftover. */
export function listTemporary(top: string): TemporaryEntry[] {
  const folder = temporaryFolder(top);
  return readdirSync(folder).flatMap((name) => {
    if (!/^tmp-/.test(name)) return [];
    const path = join(folder, name);
    using lock = openFolder(path);
    return [{ name, path, isInUse: sys.flock(lock.number, LOCK.EX | LOCK.NB) < 0 }];
  });
}

/** Removes what interrupted runs have left; the names of it. @throws {Fault} */
export function removeLeftovers(top: string): string[] {
  const leftovers = listTemporary(top).filter(({ isInUse }) => !isInUse);
  for (const { path } of leftovers) removeClone(path);
  return leftovers.map(({ name }) => name);
}

/** Makes a writable clone of a snapshot: the root, and its etc and var in it. @throws {Fault} */
export function makeClone(top: string, id: number, target: string): void {
  const clone = (source: string, to: string): void =>
    snapshotSubvolume({ source, target: to, isReadOnly: false });
  clone(partPath(top, "root", id), target);
  for (const part of NESTED) {
    const place = join(target, part);
    removeEmptyFolder(place);
    clone(partPlace(top, part, id), place);
  }
}

/** Removes a clone with the subvolumes in it, those known first. @throws {Fault} */
export function removeClone(path: string): void {
  for (const part of NESTED) {
    const place = join(path, part);
    if (isSubvolume(place)) removeSubvolume(place);
  }
  removeSubvolume(path);
}

/** Marks a clone as in use for as long as this process lives; the descriptor is the lock. */
export function holdClone(path: string): Fd {
  const fd = openFolder(path);
  // Who lists clones holds it for a moment to see whether it is free: that one is waited for.
  let locked = -errno.EINTR;
  while (locked === -errno.EINTR) locked = sys.flock(fd.number, LOCK.EX);
  must(locked, `mark "${path}" as in use`);
  return fd;
}
