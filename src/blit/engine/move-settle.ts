import { AT, S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { isOneFile, isSameTime } from "./entries.ts";
import { folderFlags, forEachName } from "./listing.ts";
import type { SettleTask } from "./messages.ts";
import { counter } from "./shared-state.ts";
import type { Thread } from "./thread.ts";

/**
 * The end of a move across file systems. Everything has been copied and is synced first; then each
 * entry of the source is removed if the target has its equal, and only then. What was left out,
 * failed or changed meanwhile stays.
 */
export function settleMove(t: Thread, task: SettleTask): void {
  t.root = task.root;
  const synced = sys.syncfs(task.targetFd);
  if (synced < 0) {
    t.failed(synced, "syncfs", "", "sync the target before the source is removed");
    return;
  }
  if (task.name === "") settleFolder(t, task.sourceFd, task.targetFd, "");
  else settleEntry(t, { ...task, path: task.name });
}

type Entry = {
  readonly sourceFd: number;
  readonly targetFd: number;
  readonly name: string;
  readonly targetName: string;
  readonly path: string;
};

function settleFolder(t: Thread, sourceFd: number, targetFd: number, path: string): void {
  const names: string[] = [];
  forEachName(t, sourceFd, (offset, length) => {
    names.push(t.dirents.text.latin1Slice(offset, offset + length));
  });
  for (const name of names) {
    if (t.cancelled) return;
    const below = path === "" ? name : `${path}/${name}`;
    settleEntry(t, { sourceFd, targetFd, name, targetName: name, path: below });
  }
}

function settleEntry(t: Thread, entry: Entry): void {
  if (t.statAt(entry.sourceFd, t.cName(entry.name), t.source) < 0) return;
  const type = t.source.mode & S.IFMT;
  const isFolder = type === S.IFDIR;
  if (t.filter?.isExcluded(entry.path, isFolder) === true) return;
  if (t.statAt(entry.targetFd, t.cTargetName(entry.targetName), t.target) < 0) return;
  if ((t.target.mode & S.IFMT) !== type) return;
  if (isFolder) {
    settleSubfolder(t, entry);
    return;
  }
  if (!hasArrived(t, entry, type)) {
    const message = "it is not the same in the target: left in the source";
    t.report({ kind: "skipped", path: entry.path, code: "E_NOT_MOVED", call: undefined, message });
    return;
  }
  const removed = sys.unlinkat(entry.sourceFd, t.cName(entry.name), 0);
  if (removed < 0 && removed !== -errno.ENOENT) {
    t.failed(removed, "unlinkat", entry.path, "remove the moved source");
  } else t.add(counter.moved, 1);
}

function settleSubfolder(t: Thread, entry: Entry): void {
  const source = sys.openat(entry.sourceFd, t.cName(entry.name), folderFlags, 0);
  const target = sys.openat(entry.targetFd, t.cTargetName(entry.targetName), folderFlags, 0);
  if (source >= 0 && target >= 0) settleFolder(t, source, target, entry.path);
  if (source >= 0) sys.close(source);
  if (target >= 0) sys.close(target);
  // What still holds something (excluded, failed, changed) stays: ENOTEMPTY.
  const removed = sys.unlinkat(entry.sourceFd, t.cName(entry.name), AT.REMOVEDIR);
  if (removed < 0 && removed !== -errno.ENOTEMPTY && removed !== -errno.EEXIST) {
    t.failed(removed, "unlinkat", entry.path, "remove the moved folder");
  }
}

/** Whether the target holds what the source holds; statuses are in t.source and t.target. */
function hasArrived(t: Thread, entry: Entry, type: number): boolean {
  // The one file itself, by way of a mount in the target: nothing has been copied.
  if (isOneFile(t)) return false;
  if (type === S.IFREG) return t.source.sizeBytes === t.target.sizeBytes && isSameTime(t);
  if (type !== S.IFLNK) {
    return t.source.rdevMajor === t.target.rdevMajor && t.source.rdevMinor === t.target.rdevMinor;
  }
  const { link, otherLink } = t.pointers;
  const a = sys.readlinkat(entry.sourceFd, t.cName(entry.name), link, 8192);
  const b = sys.readlinkat(entry.targetFd, t.cTargetName(entry.targetName), otherLink, 8192);
  return a >= 0 && a === b && sys.memcmp(link, otherLink, a) === 0;
}
