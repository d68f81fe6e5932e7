import { O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import type { FolderNode } from "./folder-node.ts";
import type { Thread } from "./thread.ts";

/**
 * Keeps what is about to be replaced or deleted under --backup-dir, in the same folders as below
 * the target. The backup folder is on the target's file system (checked at the start), so that
 * nothing is copied: a replaced file is linked there, a deleted entry moved.
 */

/** NAME_MAX of linux/limits.h. */
const nameBytesMax = 255;

const folderFlags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC;

/** Opens (and makes) folder `path`, latin1, below `fd`, one name at a time. -errno on failure. */
export function openFolderBelow(
  t: Thread,
  fd: number,
  path: string,
  options: { readonly make: boolean },
): number {
  let current = t.openToRead(fd, t.cTemporary("."), folderFlags);
  if (path === "") return current;
  for (const part of path.split("/")) {
    if (current < 0) return current;
    const name = t.cTemporary(part);
    if (options.make) {
      const made = sys.mkdirat(current, name, 0o700);
      if (made < 0 && made !== -errno.EEXIST) {
        sys.close(current);
        return made;
      }
    }
    const next = t.openToRead(current, name, folderFlags);
    sys.close(current);
    current = next;
  }
  return current;
}

/** Keeps `name` of the target folder; false after having reported why it could not be. */
export function keepBackup(
  t: Thread,
  node: Pick<FolderNode, "path" | "targetFd" | "pathOf">,
  name: string,
  how: "link" | "move",
): boolean {
  const { backupFd, backupFolders } = t.options;
  const parts = [backupFolders[t.root] ?? "", node.path].filter((part) => part !== "");
  const fd = openFolderBelow(t, backupFd, parts.join("/"), { make: true });
  if (fd < 0) {
    t.failed(fd, "mkdirat", node.pathOf(name), "make the backup folder");
    return false;
  }
  const pointer = t.cName(name);
  let result = keep(node.targetFd, fd, pointer, how);
  if (result === -errno.EEXIST || result === -errno.ENOTEMPTY) {
    const mark = `~${Date.now().toString(36)}`;
    const older = t.cTemporary(name.slice(0, nameBytesMax - mark.length) + mark);
    result = sys.renameat2(fd, pointer, fd, older, 0);
    if (result === 0) result = keep(node.targetFd, fd, pointer, how);
  }
  sys.close(fd);
  if (result === 0) return true;
  t.failed(result, how === "link" ? "linkat" : "renameat2", node.pathOf(name), "keep a backup");
  return false;
}

function keep(fromFd: number, toFd: number, name: number, how: "link" | "move"): number {
  if (how === "move") return sys.renameat2(fromFd, name, toFd, name, 1);
  const linked = sys.linkat(fromFd, name, toFd, name, 0);
  const noLinks = linked === -errno.EPERM || linked === -errno.EOPNOTSUPP;
  return noLinks ? sys.renameat2(fromFd, name, toFd, name, 1) : linked;
}
