import { S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { keepBackup, openFolderBelow } from "./backup.ts";
import type { RemovalTask } from "./messages.ts";
import { removeTree } from "./remove.ts";
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
  const pathOf = (name: string): string => (task.folder === "" ? name : `${task.folder}/${name}`);
  for (const name of task.names) {
    if (t.cancelled) break;
    removeOne(t, { fd, name, folder: task.folder, pathOf });
  }
  sys.close(fd);
}

function removeOne(
  t: Thread,
  entry: { fd: number; name: string; folder: string; pathOf: (name: string) => string },
): void {
  const { fd, name, folder, pathOf } = entry;
  const status = t.statAt(fd, t.cName(name), t.other);
  if (status === -errno.ENOENT) return;
  if (status < 0) {
    t.failed(status, "statx", pathOf(name), "delete");
    return;
  }
  if (t.options.backupFd >= 0) {
    if (keepBackup(t, { path: folder, targetFd: fd, pathOf }, name, "move"))
      t.add(counter.deleted, 1);
    return;
  }
  const isFolder = (t.other.mode & S.IFMT) === S.IFDIR;
  removeTree(t, { fd, name, isFolder, path: pathOf(name), counts: true });
}

/** Sets a target folder's times to the source folder's again, after something in it was changed. */
export function restampFolder(
  t: Thread,
  roots: { readonly sourceFd: number; readonly targetFd: number },
  folder: string,
): void {
  const source = openFolderBelow(t, roots.sourceFd, folder, { make: false });
  const target = openFolderBelow(t, roots.targetFd, folder, { make: false });
  if (source >= 0 && target >= 0 && t.statFd(source, t.source) === 0) {
    const { atimeSec, atimeNsec, mtimeSec, mtimeNsec } = t.source;
    sys.futimens(target, t.setTimes(atimeSec, atimeNsec, mtimeSec, mtimeNsec));
  }
  if (source >= 0) sys.close(source);
  if (target >= 0) sys.close(target);
}
