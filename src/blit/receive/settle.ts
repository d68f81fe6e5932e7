import { S } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { isSameTime } from "../engine/entries.ts";
import type { FolderNode } from "../engine/folder-node.ts";
import type { Thread } from "../engine/thread.ts";

const linkBytes = 8192;

/**
 * The end of a move: whether the target holds what the source says that it has of the entry at
 * hand, so that the source may remove it. Nothing that was reported counts as arrived.
 */
export function hasArrived(
  t: Thread,
  node: FolderNode,
  entry: {
    readonly type: number;
    readonly targetName: string | undefined;
    readonly linkLength: number;
    readonly stays: ReadonlySet<string> | undefined;
  },
): boolean {
  const { type, targetName, linkLength } = entry;
  if (type === S.IFDIR || entry.stays?.has(node.pathOf(t.entryName())) === true) return false;
  if (node.targetFd < 0) return false;
  const pointer = targetName === undefined ? t.entryPointer : t.cTargetName(targetName);
  if (t.statAt(node.targetFd, pointer, t.target) < 0) return false;
  if ((t.target.mode & S.IFMT) !== type) return false;
  if (isItself(t)) {
    const path = node.pathOf(t.entryName());
    const message = "the target is the source itself: left where it is";
    t.report({ kind: "failed", path, code: "E_SAME", call: undefined, message });
    return false;
  }
  if (type === S.IFREG) return t.source.sizeBytes === t.target.sizeBytes && isSameTime(t);
  if (type !== S.IFLNK) {
    return t.source.rdevMajor === t.target.rdevMajor && t.source.rdevMinor === t.target.rdevMinor;
  }
  const { link, otherLink } = t.pointers;
  const length = sys.readlinkat(node.targetFd, pointer, otherLink, linkBytes);
  return length === linkLength && sys.memcmp(link, otherLink, length) === 0;
}

/**
 * Whether the source's entry, in t.source, is the very one that was found here: both sides may be
 * one machine. Of two files of one inode number no two have the same change time, but the time of
 * one with several names is that of the last name that was removed.
 */
function isItself({ source, target }: Thread): boolean {
  if (source.inoLow !== target.inoLow || source.inoHigh !== target.inoHigh) return false;
  const isUnchanged = source.ctimeSec === target.ctimeSec && source.ctimeNsec === target.ctimeNsec;
  return isUnchanged || (source.dev === target.dev && source.nlink > 1);
}
