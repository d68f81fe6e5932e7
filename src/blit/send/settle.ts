import { AT, S, STATX } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { counter } from "../engine/shared-state.ts";
import { isAsSent, isSameContent, type OpenFolder } from "./open-folder.ts";
import type { Sender } from "./sender.ts";

/**
 * The target says that it holds what was sent of an entry: it is removed here, if it is still what
 * was sent. What was reported on the way stays.
 */
export function settleEntry(s: Sender, folder: OpenFolder, index: number): void {
  const { t } = s;
  if (s.purpose !== "settle" || s.options.command !== "move") s.refuse("nothing is to be removed");
  const name = folder.nameOf(index);
  const path = folder.pathOf(name);
  if ((folder.modeOf(index) & S.IFMT) === S.IFDIR) return;
  if (s.stays[folder.root]?.has(path) === true) return;
  const pointer = t.cName(name);
  const flags = AT.SYMLINK_NOFOLLOW;
  const found = sys.statx(folder.fd, pointer, flags, STATX.BASIC_STATS, t.source.pointer);
  if (found === -errno.ENOENT) return;
  if (found < 0) {
    t.failed(found, "statx", path, "look at the moved source");
    return;
  }
  const isLinked = folder.nlinkOf(index) > 1;
  const isUnchanged = isLinked
    ? isSameContent(folder, index, t.sourceWords)
    : isAsSent(folder, index, t.sourceWords);
  if (!isUnchanged) {
    const message = "it changed meanwhile: left in the source";
    t.report({ kind: "failed", path, code: "E_NOT_MOVED", call: undefined, message });
    return;
  }
  const removed = sys.unlinkat(folder.fd, pointer, 0);
  if (removed < 0 && removed !== -errno.ENOENT) {
    t.failed(removed, "unlinkat", path, "remove the moved source");
  } else t.add(counter.moved, 1);
}
