import { S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { keepBackup, openFolderBelow } from "./backup.ts";
import { isSameTime } from "./entries.ts";
import { folderFlags, forEachName } from "./listing.ts";
import type { RemovalTask } from "./messages.ts";
import { closeToOwner, openUnknownToOwner } from "./owner-access.ts";
import { countTree, removeTree } from "./remove.ts";
import { counter } from "./shared-state.ts";
import type { Thread } from "./thread.ts";

/** Removes (or moves to the backup folder) what a mirror found to be too much in one folder. */
export function runRemoval(t: Thread, task: RemovalTask): void {
  t.root = task.root;
  const fd = openFolderBelow(t, task.targetRootFd, task.folder, { make: false });
  if (fd < 0) {
    t.failed(fd, "openat", task.folder, "open the folder to delete in");
    return;
  }
  const formerMode = openUnknownToOwner(t, fd);
  for (const name of task.names) {
    if (t.cancelled) break;
    removeOne(t, { fd, name, folder: task.folder });
  }
  closeToOwner(t, { targetFd: fd, path: task.folder, formerMode });
  sys.close(fd);
}

type Entry = {
  readonly fd: number;
  readonly name: string;
  /** Below the target root. */
  readonly folder: string;
};

function removeOne(t: Thread, entry: Entry): void {
  const { fd, name, folder } = entry;
  const path = joinBelow(folder, name);
  const status = t.statAt(fd, t.cName(name), t.other);
  if (status === -errno.ENOENT) return;
  if (status < 0) {
    t.failed(status, "statx", path, "delete");
    return;
  }
  const isFolder = (t.other.mode & S.IFMT) === S.IFDIR;
  if (t.options.backupFd >= 0) backUp(t, entry, isFolder);
  else removeTree(t, { fd, name, isFolder, path, counts: true });
}

/** Moves an entry to the backup folder; in parts, where some of it is to stay. */
function backUp(t: Thread, entry: Entry, isFolder: boolean): void {
  const { fd, name, folder } = entry;
  const path = joinBelow(folder, name);
  const counted = countTree(t, fd, name, path);
  if (counted === undefined || counted.entries === 0) return;
  if (counted.isWhole) {
    const pathOf = (each: string): string => joinBelow(folder, each);
    const isKept = keepBackup(t, { path: folder, targetFd: fd, pathOf }, name, "move");
    if (isKept) t.add(counter.deleted, counted.entries);
    return;
  }
  if (!isFolder) return;
  using opened = new Fd(sys.openat(fd, t.cName(name), folderFlags, 0));
  if (!opened.isOpen) {
    t.failed(opened.number, "openat", path, "delete");
    return;
  }
  const names: string[] = [];
  const listed = forEachName(t, opened.number, (offset, length) => {
    names.push(t.dirents.text.latin1Slice(offset, offset + length));
  });
  if (listed < 0) t.failed(listed, "getdents64", path, "delete");
  const formerMode = openUnknownToOwner(t, opened.number);
  for (const below of names) removeOne(t, { fd: opened.number, name: below, folder: path });
  closeToOwner(t, { targetFd: opened.number, path, formerMode });
}

function joinBelow(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** Sets a target folder's times to the source folder's again, after something in it was changed. */
export function restampFolder(
  t: Thread,
  roots: { readonly sourceFd: number; readonly targetFd: number },
  folder: string,
): void {
  using source = new Fd(openFolderBelow(t, roots.sourceFd, folder, { make: false }));
  using target = new Fd(openFolderBelow(t, roots.targetFd, folder, { make: false }));
  const unopened = [source, target].find((each) => !each.isOpen);
  if (unopened !== undefined) {
    // One that is not there has been reported as failed or vanished.
    if (unopened.number === -errno.ENOENT) return;
    t.attributeFailed(unopened.number, "openat", folder, "times of the folder");
    return;
  }
  const looked = t.statFd(source.number, t.source) || t.statFd(target.number, t.target);
  if (looked === 0 && isSameTime(t)) return;
  const result = looked < 0 ? looked : setFolderTimes(t, target.number);
  if (result < 0) t.attributeFailed(result, "futimens", folder, "times of the folder");
}

function setFolderTimes(t: Thread, fd: number): number {
  const { atimeSec, atimeNsec, mtimeSec, mtimeNsec } = t.source;
  return sys.futimens(fd, t.setTimes(atimeSec, atimeNsec, mtimeSec, mtimeNsec));
}
