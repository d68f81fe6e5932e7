import { AT } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { openFolderBelow } from "../engine/backup.ts";
import { splitPath } from "../engine/path.ts";
import type { Thread } from "../engine/thread.ts";
import type { OpenRoot, WalkedFolder } from "./messages.ts";

/**
 * The end of a settling pass: folders of the source that are empty now are removed, what is below
 * before what is above, the roots last. What holds something stays, without a word.
 */
export function removeEmptied(
  t: Thread,
  roots: readonly OpenRoot[],
  folders: readonly WalkedFolder[],
): void {
  const deepestFirst = folders.toSorted((a, b) => b.path.length - a.path.length);
  for (const { root, path } of deepestFirst) {
    if (t.cancelled) return;
    const held = roots[root];
    if (held === undefined) continue;
    t.root = root;
    if (path === "") removeRoot(t, held);
    else removeFolder(t, held, path);
  }
}

function removeFolder(t: Thread, root: OpenRoot, path: string): void {
  const { folder, name } = splitPath(path);
  const fd = openFolderBelow(t, root.fd, folder === "." ? "" : folder, { make: false });
  if (fd < 0) {
    if (fd !== -errno.ENOENT) t.failed(fd, "openat", path, "open the moved folder");
    return;
  }
  removeFrom(t, fd, name, path);
  sys.close(fd);
}

function removeRoot(t: Thread, root: OpenRoot): void {
  if (root.parentFd >= 0) removeFrom(t, root.parentFd, root.parentName, "");
}

function removeFrom(t: Thread, fd: number, name: string, path: string): void {
  const removed = sys.unlinkat(fd, t.cName(name), AT.REMOVEDIR);
  const isLeft = removed === -errno.ENOTEMPTY || removed === -errno.EEXIST;
  if (removed === 0 || isLeft || removed === -errno.ENOENT) return;
  t.failed(removed, "unlinkat", path, "remove the moved folder");
}
