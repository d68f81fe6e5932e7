import { AT, DT, S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { folderFlags, forEachName } from "./listing.ts";
import { closeToOwner, openUnknownToOwner } from "./owner-access.ts";
import { counter } from "./shared-state.ts";
import type { Thread } from "./thread.ts";

/**
 * Removal, through folder descriptors only: no symbolic link is followed, and nothing on another
 * mount is touched.
 */

type Removal = {
  /** The folder that holds the entry. */
  readonly fd: number;
  /** latin1 */
  readonly name: string;
  readonly isFolder: boolean;
  /** For messages. */
  readonly path: string;
  /** Whether it counts as deleted: leftovers of earlier runs do not. */
  readonly counts: boolean;
};

/** Removes an entry and all below it, reporting what it cannot; returns whether all is gone. */
export function removeTree(t: Thread, removal: Removal): boolean {
  const { fd, name, path } = removal;
  if (!removal.isFolder) {
    const result = sys.unlinkat(fd, t.cName(name), 0);
    if (result < 0 && result !== -errno.ENOENT) {
      t.failed(result, "unlinkat", path, "delete");
      return false;
    }
    if (removal.counts) t.add(counter.deleted, 1);
    return true;
  }
  const opened = sys.openat(fd, t.cName(name), folderFlags, 0);
  if (opened < 0) {
    if (opened === -errno.ENOENT) return true;
    t.failed(opened, "openat", path, "delete");
    return false;
  }
  // What blit made itself may lie below a mount point that both sides have.
  const isOurs = !removal.counts || isOnTargetMount(t, opened, path);
  const formerMode = isOurs ? openUnknownToOwner(t, opened) : undefined;
  const isEmptied = isOurs && emptyFolder(t, opened, removal);
  if (!isEmptied) closeToOwner(t, { targetFd: opened, path, formerMode });
  sys.close(opened);
  if (!isEmptied) return false;
  const result = sys.unlinkat(fd, t.cName(name), AT.REMOVEDIR);
  if (result < 0 && result !== -errno.ENOENT) {
    t.failed(result, "unlinkat", path, "delete");
    return false;
  }
  if (removal.counts) t.add(counter.deleted, 1);
  return true;
}

/**
 * Whether a folder lies on the mount of the target root, and is not the source by way of another
 * mount; reports where it is not so.
 */
export function isOnTargetMount(
  t: Thread,
  fd: number,
  path: string,
  kind: "failed" | "skipped" = "failed",
): boolean {
  const { targetMount } = t.options;
  const result = t.statFd(fd, t.other);
  if (result < 0) {
    t.failed(result, "statx", path, "delete");
    return false;
  }
  if (t.shared.isPlace("source", t.other)) {
    const message = "it is the source itself, mounted elsewhere: not deleted";
    t.report({ kind: "failed", path, code: "E_OVERLAP", call: undefined, message });
    return false;
  }
  if (t.other.dev === targetMount.dev && t.other.mntId === targetMount.mntId) return true;
  const message = "another file system is mounted here: not deleted";
  t.report({ kind, path, code: "E_MOUNT_POINT", call: undefined, message });
  return false;
}

function emptyFolder(t: Thread, fd: number, removal: Removal): boolean {
  const entries: { name: string; isFolder: boolean }[] = [];
  const visit = (offset: number, length: number, type: number): void => {
    const name = t.dirents.text.latin1Slice(offset, offset + length);
    const isFolder = type === DT.UNKNOWN ? isFolderByStat(t, fd, name) : type === DT.DIR;
    entries.push({ name, isFolder });
  };
  // The folder was just opened: one call less that could keep a leftover from being removed.
  const listed = forEachName(t, fd, visit, true);
  if (listed < 0) {
    t.failed(listed, "getdents64", removal.path, "delete");
    return false;
  }
  let isEmptied = true;
  for (const entry of entries) {
    if (t.cancelled && removal.counts) return false;
    const path = `${removal.path}/${entry.name}`;
    if (removal.counts && t.filter?.isExcluded(path, entry.isFolder) === true) {
      isEmptied = false;
      continue;
    }
    const below = removeTree(t, { fd, ...entry, path, counts: removal.counts });
    isEmptied &&= below;
  }
  return isEmptied;
}

function isFolderByStat(t: Thread, fd: number, name: string): boolean {
  return t.statAt(fd, t.cName(name), t.other) === 0 && (t.other.mode & S.IFMT) === S.IFDIR;
}

/** What of an entry, and of all below it, may be deleted. */
export type Deletable = {
  readonly entries: number;
  /** False where the filter leaves out something in it, which then stays with its folders. */
  readonly isWhole: boolean;
};

const nothing: Deletable = { entries: 0, isWhole: false };
const single: Deletable = { entries: 1, isWhole: true };

/**
 * Counts an entry and all below it, for consent before a deletion. Undefined, after a report, where
 * it cannot be listed or another file system is mounted in it.
 */
export function countTree(
  t: Thread,
  fd: number,
  name: string,
  path: string,
): Deletable | undefined {
  const isFolder = isFolderByStat(t, fd, name);
  if (t.filter?.isExcluded(path, isFolder) === true) return nothing;
  if (!isFolder) return single;
  const opened = t.openToRead(fd, t.cName(name), folderFlags);
  if (opened < 0) {
    t.failed(opened, "openat", path, "count what is to be deleted");
    return undefined;
  }
  const counted = isOnTargetMount(t, opened, path) ? countFolder(t, opened, path) : undefined;
  sys.close(opened);
  return counted;
}

function countFolder(t: Thread, fd: number, path: string): Deletable | undefined {
  const names: string[] = [];
  const listed = forEachName(t, fd, (offset, length) => {
    names.push(t.dirents.text.latin1Slice(offset, offset + length));
  });
  if (listed < 0) {
    t.failed(listed, "getdents64", path, "count what is to be deleted");
    return undefined;
  }
  let entries = 0;
  let isWhole = true;
  for (const below of names) {
    const counted = countTree(t, fd, below, `${path}/${below}`);
    if (counted === undefined) return undefined;
    entries += counted.entries;
    isWhole &&= counted.isWhole;
  }
  return { entries: isWhole ? entries + 1 : entries, isWhole };
}
