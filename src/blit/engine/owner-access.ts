import { sys } from "../../../ffi/sys.ts";
import type { FolderNode } from "./folder-node.ts";
import type { Thread } from "./thread.ts";

/**
 * Target folders that their owner may not write in, such as those of a module cache. Who copies
 * into one and owns it opens it for that time, as rsync does. Root can write everywhere.
 */
const ownerAccess = 0o300;

/** Lets its owner change an open target folder. Returns its former mode where that was needed. */
export function openToOwner(
  t: Thread,
  fd: number,
  status: { readonly mode: number; readonly uid: number },
): number | undefined {
  const { uid } = t.options.user;
  const isOpen = (status.mode & ownerAccess) === ownerAccess;
  if (isOpen || uid === 0 || status.uid !== uid || t.isDry) return undefined;
  const mode = status.mode & 0o7777;
  // Where this fails, so does what is to be done in the folder, and that is reported.
  return sys.fchmod(fd, mode | ownerAccess) === 0 ? mode : undefined;
}

/** The same for a folder of which nothing is known but its descriptor; its status is in t.other. */
export function openUnknownToOwner(t: Thread, fd: number): number | undefined {
  if (t.options.user.uid === 0 || t.statFd(fd, t.other) < 0) return undefined;
  return openToOwner(t, fd, t.other);
}

/** Gives a folder its former mode again, if it was changed. */
export function closeToOwner(
  t: Thread,
  folder: Pick<FolderNode, "targetFd" | "path" | "formerMode">,
): void {
  const { targetFd, path, formerMode } = folder;
  if (formerMode === undefined) return;
  const result = sys.fchmod(targetFd, formerMode);
  if (result < 0) t.attributeFailed(result, "fchmod", path, "permissions of the folder");
}
