import { AT, RENAME, S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { keepBackup } from "./backup.ts";
import { describeType, isOneFile, keepsTarget } from "./entries.ts";
import { FolderNode } from "./folder-node.ts";
import { sliceMs } from "./limits.ts";
import { folderFlags, forEachName } from "./listing.ts";
import type { Root } from "./roots.ts";
import { counter } from "./shared-state.ts";
import type { Thread } from "./thread.ts";

/**
 * A move within one file system: by rename, the whole source at once where the target is missing,
 * else entry by entry into what is there.
 */

/** "moved": nothing is left to do. "copy": another file system, so copy and remove. */
export type MoveOutcome = "moved" | "copy";

export async function moveByRename(t: Thread, root: Root): Promise<MoveOutcome> {
  t.root = root.index;
  if (root.sourceParentFd < 0 && root.targetFd < 0) return "copy";
  if (t.statFd(root.sourceFd, t.source) < 0) return "copy";
  const sourceDev = t.source.dev;
  const targetFd = root.targetFd >= 0 ? root.targetFd : root.targetParentFd;
  if (targetFd < 0 || t.statFd(targetFd, t.target) < 0) return "copy";
  if (t.target.dev !== sourceDev) return "copy";
  if (root.kind === "folder" && root.targetFd >= 0) return mergeRoot(t, root);
  if (root.kind === "folder" && (t.filter !== undefined || !isFolderItself(t, root))) return "copy";
  const holder = { sourceFd: root.sourceParentFd, targetFd: root.targetParentFd };
  const entry = { ...holder, name: root.sourceParentName, targetName: root.targetName, path: "" };
  const result = await moveEntry(t, entry);
  return result === "other-device" ? "copy" : "moved";
}

/** False where the source is named by way of a symbolic link, which is not what is to be moved. */
function isFolderItself(t: Thread, root: Root): boolean {
  const looked = t.statAt(root.sourceParentFd, t.cName(root.sourceParentName), t.other);
  return looked === 0 && (t.other.mode & S.IFMT) === S.IFDIR;
}

async function mergeRoot(t: Thread, root: Root): Promise<MoveOutcome> {
  const merged = await mergeFolder(t, root.sourceFd, root.targetFd, "");
  if (merged === "other-device") return "copy";
  if (!t.isDry && root.sourceParentFd >= 0) {
    sys.unlinkat(root.sourceParentFd, t.cName(root.sourceParentName), AT.REMOVEDIR);
  }
  return "moved";
}

type Entry = {
  readonly sourceFd: number;
  readonly targetFd: number;
  readonly name: string;
  readonly targetName: string;
  readonly path: string;
};

type EntryOutcome = "done" | "other-device";

async function mergeFolder(
  t: Thread,
  sourceFd: number,
  targetFd: number,
  path: string,
): Promise<EntryOutcome> {
  const names: string[] = [];
  const listed = forEachName(t, sourceFd, (offset, length) => {
    names.push(t.dirents.text.latin1Slice(offset, offset + length));
  });
  if (listed < 0) t.failed(listed, "getdents64", path, "list the folder");
  let outcome: EntryOutcome = "done";
  let sliceEnd = performance.now() + sliceMs;
  for (const name of names) {
    if (t.cancelled) return outcome;
    const below = path === "" ? name : `${path}/${name}`;
    const moved = await moveEntry(t, { sourceFd, targetFd, name, targetName: name, path: below });
    if (moved === "other-device") outcome = moved;
    if (performance.now() > sliceEnd) {
      await Bun.sleep(0);
      sliceEnd = performance.now() + sliceMs;
    }
  }
  return outcome;
}

async function moveEntry(t: Thread, entry: Entry): Promise<EntryOutcome> {
  const { sourceFd, targetFd, path } = entry;
  const found = t.statAt(sourceFd, t.cName(entry.name), t.source);
  if (found < 0) {
    if (found === -errno.ENOENT) t.vanished(path);
    else t.failed(found, "statx", path, "look at the source");
    return "done";
  }
  t.add(counter.seen, 1);
  const type = t.source.mode & S.IFMT;
  const isFolder = type === S.IFDIR;
  if (path !== "" && t.filter?.isExcluded(path, isFolder) === true) return "done";
  const present = t.statAt(targetFd, t.cTargetName(entry.targetName), t.target);
  if (present === -errno.ENOENT) {
    if (isFolder && t.filter !== undefined) return "other-device";
    return renameEntry(t, entry, isFolder, false);
  }
  if (present < 0) {
    t.failed(present, "statx", path, "look at the target");
    return "done";
  }
  const isTargetFolder = (t.target.mode & S.IFMT) === S.IFDIR;
  if (isFolder && isTargetFolder) return mergeSubfolder(t, entry);
  if (isFolder || isTargetFolder) {
    const what = describeType(t.target.mode & S.IFMT);
    const message = `cannot replace ${what} of the target with ${describeType(type)}`;
    t.report({ kind: "failed", path, code: "E_CONFLICT", call: undefined, message });
    return "done";
  }
  if (keepsTarget(t)) {
    t.add(counter.upToDate, 1);
    return "done";
  }
  return renameEntry(t, entry, false, true);
}

async function mergeSubfolder(t: Thread, entry: Entry): Promise<EntryOutcome> {
  const source = t.openToRead(entry.sourceFd, t.cName(entry.name), folderFlags);
  const target = t.openToRead(entry.targetFd, t.cTargetName(entry.targetName), folderFlags);
  let outcome: EntryOutcome = "done";
  if (source >= 0 && target >= 0) outcome = await mergeFolder(t, source, target, entry.path);
  else t.failed(Math.min(source, target), "openat", entry.path, "open the folder");
  if (source >= 0) sys.close(source);
  if (target >= 0) sys.close(target);
  if (!t.isDry) removeMovedFolder(t, entry);
  return outcome;
}

/** What still holds something stays: excluded, failed, changed, or on another device. */
export function removeMovedFolder(
  t: Thread,
  entry: { readonly sourceFd: number; readonly name: string; readonly path: string },
): void {
  const removed = sys.unlinkat(entry.sourceFd, t.cName(entry.name), AT.REMOVEDIR);
  const isLeft = removed === -errno.ENOTEMPTY || removed === -errno.EEXIST;
  if (removed === 0 || isLeft || removed === -errno.ENOENT) return;
  t.failed(removed, "unlinkat", entry.path, "remove the moved folder");
}

function renameEntry(t: Thread, entry: Entry, isFolder: boolean, replaces: boolean): EntryOutcome {
  const { sourceFd, targetFd, path } = entry;
  if (t.isDry) {
    t.act("move", path, isFolder ? 0 : t.source.sizeBytes);
    t.add(counter.moved, 1);
    return "done";
  }
  if (replaces && t.options.backupFd >= 0) {
    const node = new FolderNode({
      root: t.root,
      path: path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "",
      sourceFd,
      targetFd,
      isNew: false,
      targetName: "",
      borrowed: true,
    });
    if (!keepBackup(t, node, entry.targetName, "link")) return "done";
  }
  const isSecondName = replaces && isOneFile(t) && hasTwoNames(t, entry);
  const flags = replaces ? 0 : RENAME.NOREPLACE;
  const from = t.cName(entry.name);
  const to = t.cTargetName(entry.targetName);
  let result = sys.renameat2(sourceFd, from, targetFd, to, flags);
  if (result === -errno.EINVAL) result = sys.renameat2(sourceFd, from, targetFd, to, 0);
  if (result === -errno.EXDEV) return "other-device";
  if (result < 0) {
    t.failed(result, "renameat2", path, "move");
    return "done";
  }
  // Two names of one file: rename(2) does nothing then, so the source name goes by itself.
  if (isSecondName) sys.unlinkat(sourceFd, t.cName(entry.name), 0);
  t.add(counter.moved, 1);
  if (!isFolder) t.add(counter.files, 1);
  return "done";
}

/**
 * Whether source and target, which are one file, are two names of it. They may be the same name: by
 * way of a bind mount, or where the file system folds case; to remove one would lose the file.
 */
function hasTwoNames(t: Thread, entry: Entry): boolean {
  if (t.source.nlink < 2) return false;
  if (entry.name.toLowerCase() !== entry.targetName.toLowerCase()) return true;
  t.statFd(entry.sourceFd, t.source);
  t.statFd(entry.targetFd, t.target);
  return !isOneFile(t);
}
