import { O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { writeFully } from "../engine/content.ts";
import { completeFile } from "../engine/copy-file.ts";
import type { FolderNode } from "../engine/folder-node.ts";
import { creationMode, hasDefaultAcl, newFileOwner } from "../engine/metadata.ts";
import { publishFile, reportCollision } from "../engine/publish.ts";
import { counter } from "../engine/shared-state.ts";
import type { Thread } from "../engine/thread.ts";

const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW | O.CLOEXEC;

export type SmallFile = {
  readonly targetName: string | undefined;
  readonly replaces: boolean;
};

/**
 * Writes the entry at hand, whose content is in memory: create, write, times, close, rename, and
 * nothing else where its owner and permissions come by themselves and it has no attributes.
 * Returns whether it is in place; why not has been reported.
 */
export function writeSmall(
  t: Thread,
  node: FolderNode,
  file: SmallFile,
  content: { readonly pointer: number; readonly length: number },
): boolean {
  const { source } = t;
  const isDirect = node.stagedName !== undefined;
  const temporaryName = isDirect ? undefined : t.temporaryName();
  const isOwned = newFileOwner(t, node, source) === undefined;
  const mode = creationMode(t, node, source.mode, isOwned);
  let pointer = t.entryPointer;
  if (temporaryName !== undefined) pointer = t.cTemporary(temporaryName);
  const target = sys.openat(node.targetFd, pointer, flags, mode);
  if (target < 0) {
    const path = node.pathOf(t.entryName());
    if (target === -errno.EEXIST && isDirect) reportCollision(t, path);
    else t.failed(target, "openat", path, "create in the target");
    return false;
  }
  const result = writeFully(target, content.pointer, content.length);
  if (result === 0 && isOwned && !hasDefaultAcl(t, node) && isPlain(t, mode)) {
    const times = t.setTimes(source.atimeSec, source.atimeNsec, source.mtimeSec, source.mtimeNsec);
    if (sys.futimens(target, times) === 0) {
      return finishPlain(t, node, file, { target, temporaryName, length: content.length });
    }
  }
  const written = { result, call: "write" };
  const { targetName, replaces } = file;
  const opened = { node, source: -1, target, temporaryName, options: { targetName, replaces } };
  if (completeFile(t, opened, written, () => false) !== "copied") return false;
  t.add(counter.bytesDone, content.length);
  return true;
}

/** Mode and owner are right as the file was made, and there is nothing to be set but its times. */
function isPlain(t: Thread, mode: number): boolean {
  if (mode !== (t.source.mode & 0o7777)) return false;
  return !t.options.xattrs || t.received?.names.length === 0;
}

function finishPlain(
  t: Thread,
  node: FolderNode,
  file: SmallFile,
  made: {
    readonly target: number;
    readonly temporaryName: string | undefined;
    readonly length: number;
  },
): boolean {
  const { temporaryName, length } = made;
  const closed = sys.close(made.target);
  if (closed < 0) t.failed(closed, "close", node.pathOf(t.entryName()), "copy");
  const isNamed =
    closed === 0 && (temporaryName === undefined || publishFile(t, node, temporaryName, file));
  if (!isNamed) {
    const pointer = temporaryName === undefined ? t.entryPointer : t.cTemporary(temporaryName);
    sys.unlinkat(node.targetFd, pointer, 0);
    return false;
  }
  node.stagedBytes += length;
  const { count } = t;
  count[counter.files] = (count[counter.files] as number) + 1;
  count[counter.bytes] = (count[counter.bytes] as number) + length;
  count[counter.bytesDone] = (count[counter.bytesDone] as number) + length;
  count[counter.bySmall] = (count[counter.bySmall] as number) + 1;
  t.add(counter.itemsDone, 1);
  return true;
}
