import { RENAME } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { keepBackup } from "./backup.ts";
import type { FolderNode } from "./folder-node.ts";
import { counter } from "./shared-state.ts";
import type { Thread } from "./thread.ts";

/** Gives complete things their final names: one rename, so that nobody ever sees a part of them. */

export type PublishOptions = {
  /** Name in the target, latin1; undefined = the entry's own. */
  readonly targetName: string | undefined;
  /** Something other than a folder has the name in the target now. */
  readonly replaces: boolean;
};

/**
 * Something has the name that nothing had before. Where names may fold it is another one of the
 * source's, else somebody has been at work here meanwhile, such as a second run.
 */
export function reportCollision(t: Thread, path: string): void {
  const message = t.options.targetFoldsNames
    ? "the target takes this name for that of another entry (it folds case or normalises names)"
    : "something else got this name in the target meanwhile: left as it is";
  t.report({ kind: "failed", path, code: "E_COLLISION", call: undefined, message });
}

/**
 * Renames a complete file (or link, or device) from its temporary name over whatever non-folder has
 * its name. Reports failure and returns false.
 */
export function publishFile(
  t: Thread,
  node: FolderNode,
  temporaryName: string,
  options: PublishOptions,
): boolean {
  if (options.replaces && t.options.backupFd >= 0) {
    if (!keepBackup(t, node, options.targetName ?? t.entryName(), "link")) return false;
  }
  const temporary = t.cTemporary(temporaryName);
  const name = options.targetName;
  const final = name === undefined ? t.entryPointer : t.cTargetName(name);
  const mustBeNew = t.options.targetFoldsNames && !options.replaces;
  const result = rename(node.targetFd, temporary, node.targetFd, final, mustBeNew);
  if (result === 0) {
    node.exactNames?.add(name ?? t.entryName());
    return true;
  }
  const path = node.pathOf(t.entryName());
  if (result === -errno.EEXIST) reportCollision(t, path);
  else t.failed(result, "renameat2", path, "give the copy its name");
  return false;
}

/** renameat2(2); a file system that knows no RENAME_NOREPLACE gets a plain rename. */
export function rename(
  fromFd: number,
  from: number,
  toFd: number,
  to: number,
  mustBeNew: boolean,
): number {
  if (!mustBeNew) return sys.renameat2(fromFd, from, toFd, to, 0);
  const result = sys.renameat2(fromFd, from, toFd, to, RENAME.NOREPLACE);
  if (result !== -errno.EINVAL) return result;
  const renamed = sys.renameat2(fromFd, from, toFd, to, 0);
  // Another thread's folder has come between, under a name that is the same to the target.
  return renamed === -errno.ENOTEMPTY ? -errno.EEXIST : renamed;
}

/** Gives a new folder its final name, once the files directly in it are complete. */
export function publishFolder(t: Thread, node: FolderNode): void {
  const staged = node.stagedName;
  const parent = node.parent;
  if (staged === undefined || parent === undefined) return;
  const from = t.cTemporary(staged);
  const to = t.cTargetName(node.targetName);
  const result = rename(parent.targetFd, from, parent.targetFd, to, true);
  node.stagedName = undefined;
  if (result === 0) {
    t.add(counter.folders, 1);
    parent.exactNames?.add(node.targetName);
    return;
  }
  node.unpublished = staged;
  if (result === -errno.EEXIST) reportCollision(t, node.path);
  else t.failed(result, "renameat2", node.path, "give the new folder its name");
}
