import { O, S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { compareContent } from "./content.ts";
import { isOneFile, isSameTime } from "./entries.ts";
import { folderFlags, forEachName } from "./listing.ts";
import type { SettleTask } from "./messages.ts";
import { removeMovedFolder } from "./move-rename.ts";
import { counter } from "./shared-state.ts";
import { isDeviceSynced } from "./synced-device.ts";
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
  const common = { ...task, stays: new Set(task.stays), synced: new Set<number>() };
  if (t.statFd(task.targetFd, t.target) === 0) common.synced.add(t.target.dev);
  if (task.name === "") settleFolder(t, { ...common, path: "" });
  else settleEntry(t, { ...common, path: task.name, isNamed: true });
}

type Folder = {
  readonly sourceFd: number;
  readonly targetFd: number;
  /** Below the source root, latin1. */
  readonly path: string;
  /** Paths that have been reported, so that what is in the source must not go. */
  readonly stays: ReadonlySet<string>;
  /** st_dev of each file system of the target that is synced. */
  readonly synced: Set<number>;
};

type Entry = Folder & {
  readonly name: string;
  readonly targetName: string;
  /** The command line names it: the filter is about what is below its sources. */
  readonly isNamed: boolean;
};

function settleFolder(t: Thread, folder: Folder): void {
  const names: string[] = [];
  const listed = forEachName(t, folder.sourceFd, (offset, length) => {
    names.push(t.dirents.text.latin1Slice(offset, offset + length));
  });
  if (listed < 0) t.failed(listed, "getdents64", folder.path, "list the moved folder");
  for (const name of names) {
    if (t.cancelled) return;
    const path = folder.path === "" ? name : `${folder.path}/${name}`;
    settleEntry(t, { ...folder, name, targetName: name, path, isNamed: false });
  }
}

function settleEntry(t: Thread, entry: Entry): void {
  const found = t.statAt(entry.sourceFd, t.cName(entry.name), t.source);
  if (found === -errno.ENOENT) return;
  if (found < 0) {
    t.failed(found, "statx", entry.path, "look at the moved source");
    return;
  }
  const type = t.source.mode & S.IFMT;
  const isFolder = type === S.IFDIR;
  if (!entry.isNamed && t.filter?.isExcluded(entry.path, isFolder) === true) return;
  if (isFolder) {
    settleSubfolder(t, entry);
    return;
  }
  // A copy without one of its attributes is no reason to remove the file that has them all.
  if (entry.stays.has(entry.path)) return;
  if (!hasArrived(t, entry, type)) {
    if (!t.cancelled) reportNotMoved(t, entry.path);
    return;
  }
  const removed = sys.unlinkat(entry.sourceFd, t.cName(entry.name), 0);
  if (removed < 0 && removed !== -errno.ENOENT) {
    t.failed(removed, "unlinkat", entry.path, "remove the moved source");
  } else t.add(counter.moved, 1);
}

function settleSubfolder(t: Thread, entry: Entry): void {
  const { path, stays } = entry;
  {
    using source = new Fd(sys.openat(entry.sourceFd, t.cName(entry.name), folderFlags, 0));
    using target = new Fd(
      sys.openat(entry.targetFd, t.cTargetName(entry.targetName), folderFlags, 0),
    );
    if (!source.isOpen) {
      if (source.number !== -errno.ENOENT) t.failed(source.number, "openat", path, "open");
      return;
    }
    if (!target.isOpen) {
      if (!stays.has(path)) reportNotMoved(t, path);
      return;
    }
    const folder = { ...entry, sourceFd: source.number, targetFd: target.number };
    if (!isDeviceSynced(t, folder, folder.synced)) return;
    settleFolder(t, folder);
  }
  if (!stays.has(path)) removeMovedFolder(t, entry);
}

/** With --ignore-existing and --update that is what was asked for. */
function reportNotMoved(t: Thread, path: string): void {
  const { ignoreExisting, update } = t.options;
  const kind = ignoreExisting || update ? "skipped" : "failed";
  const message = "it is not the same in the target: left in the source";
  t.report({ kind, path, code: "E_NOT_MOVED", call: undefined, message });
}

/** Whether nothing was left as it is in the target for another reason than its content. */
function hasComparedContent(t: Thread): boolean {
  return t.options.comparison === "checksum" && !t.options.ignoreExisting;
}

const readFlags = O.RDONLY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;

function hasSameContent(t: Thread, entry: Entry): boolean {
  const { name, targetName } = entry;
  using source = new Fd(t.openToRead(entry.sourceFd, t.cName(name), readFlags));
  using target = new Fd(t.openToRead(entry.targetFd, t.cTargetName(targetName), readFlags));
  if (!source.isOpen || !target.isOpen) return false;
  const fds = { source: source.number, target: target.number };
  return compareContent(t, fds, t.source.sizeBytes).isEqual;
}

/** Whether the target holds what the source, of status t.source, holds. */
function hasArrived(t: Thread, entry: Entry, type: number): boolean {
  if (t.statAt(entry.targetFd, t.cTargetName(entry.targetName), t.target) < 0) return false;
  if ((t.target.mode & S.IFMT) !== type) return false;
  // The one file itself, by way of a mount in the target: nothing has been copied.
  if (isOneFile(t)) return false;
  if (type === S.IFREG) {
    if (t.source.sizeBytes !== t.target.sizeBytes || !isSameTime(t)) return false;
    return hasComparedContent(t) || hasSameContent(t, entry);
  }
  if (type !== S.IFLNK) {
    return t.source.rdevMajor === t.target.rdevMajor && t.source.rdevMinor === t.target.rdevMinor;
  }
  const { link, otherLink } = t.pointers;
  const a = sys.readlinkat(entry.sourceFd, t.cName(entry.name), link, 8192);
  const b = sys.readlinkat(entry.targetFd, t.cTargetName(entry.targetName), otherLink, 8192);
  return a >= 0 && a === b && sys.memcmp(link, otherLink, a) === 0;
}
