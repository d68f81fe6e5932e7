import { RENAME, S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import type { FolderNode } from "../engine/folder-node.ts";
import { stagedBytesMax } from "../engine/limits.ts";
import { folderFlags, forEachName } from "../engine/listing.ts";
import { publishFolder, rename } from "../engine/publish.ts";
import { removeTree } from "../engine/remove.ts";
import { counter } from "../engine/shared-state.ts";
import type { Thread } from "../engine/thread.ts";
import { type EntryReader, entryBit, type Payload } from "./manifest.ts";

/**
 * A new folder without folders in it stays under a temporary name until its files are there: they
 * need no names of their own then. Nobody else has anything to do in it.
 */

/**
 * Whether a folder, all of whose entries are in the payload, can be filled under a temporary name:
 * no other stream brings anything for it, and not so much is in it that a killed run would lose.
 */
export function mayStage(t: Thread, reader: EntryReader, payload: Payload, from: number): boolean {
  if (t.options.targetFoldsNames) return false;
  let bytes = 0;
  for (let at = from; at < payload.length; ) {
    at = reader.read(payload, at);
    if (reader.type === S.IFDIR || (reader.bits & entryBit.linked) !== 0) return false;
    if (reader.type !== S.IFREG) continue;
    bytes += reader.sizeBytes(payload);
    if (bytes > stagedBytesMax) return false;
  }
  return true;
}

/**
 * Gives the folder its name: also one whose content did not all come, since what came is whole.
 * @param present what happens where somebody has made a folder of that name, with files of the same
 *   names, meanwhile: that of a run that has come to its end replaces them
 */
export function publishStaged(t: Thread, node: FolderNode, present: "replace" | "keep"): void {
  const { parent, targetName, stagedName } = node;
  if (stagedName === undefined || parent === undefined) return;
  const name = t.cTargetName(targetName);
  const result = rename(parent.targetFd, t.cTemporary(stagedName), parent.targetFd, name, true);
  if (result === 0) {
    node.stagedName = undefined;
    t.add(counter.folders, 1);
  } else if (result === -errno.EEXIST && mergeInto(t, node, parent, present))
    node.stagedName = undefined;
  else {
    publishFolder(t, node);
    discardStaged(t, node, parent);
  }
}

/** Somebody else has made a folder of that name meanwhile: what is in either goes together. */
function mergeInto(
  t: Thread,
  node: FolderNode,
  parent: FolderNode,
  present: "replace" | "keep",
): boolean {
  const fd = sys.openat(parent.targetFd, t.cTargetName(node.targetName), folderFlags, 0);
  if (fd < 0) return false;
  const flags = present === "keep" ? RENAME.NOREPLACE : 0;
  const names: string[] = [];
  let result = forEachName(t, node.targetFd, (offset, length) => {
    names.push(t.dirents.text.latin1Slice(offset, offset + length));
  });
  for (const name of names) {
    if (result < 0) break;
    const pointer = t.cName(name);
    result = sys.renameat2(node.targetFd, pointer, fd, pointer, flags);
    // Also where the file system cannot promise that nothing is replaced.
    const stays = flags !== 0 && (result === -errno.EEXIST || result === -errno.EINVAL);
    if (stays) result = sys.unlinkat(node.targetFd, pointer, 0);
  }
  sys.close(fd);
  const { stagedName } = node;
  if (result < 0 || stagedName === undefined) return false;
  sys.unlinkat(parent.targetFd, t.cTemporary(stagedName), removeFolder);
  return true;
}

/** AT_REMOVEDIR of unlinkat(2). */
const removeFolder = 0x200;

function discardStaged(t: Thread, node: FolderNode, parent: FolderNode): void {
  const name = node.unpublished;
  if (name === undefined) return;
  const { path } = node;
  removeTree(t, { fd: parent.targetFd, name, isFolder: true, path, counts: false });
}
