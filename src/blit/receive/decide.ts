import { S } from "../../../ffi/abi/constants.ts";
import {
  describeType,
  differences,
  isSameTime,
  isTargetNewer,
  lookUpTarget,
  mendFile,
  placeLink,
  processSpecial,
  replaceLater,
  reportConflict,
  reportFolded,
  skipSpecial,
} from "../engine/entries.ts";
import type { FolderNode } from "../engine/folder-node.ts";
import { counter } from "../engine/shared-state.ts";
import { isSamePlainFile } from "../engine/skip-unchanged.ts";
import type { Thread } from "../engine/thread.ts";

/**
 * One entry of a manifest that is not a folder, against what the target has under its name. What
 * needs no content is done at once. The entry is the thread's entry at hand, its status in t.source
 * and its attributes in t.received.
 */

/** What an entry comes to; `replaces` says that the target has something under its name. */
export type Decision =
  | "settled"
  | "failed"
  | "content"
  | "replacingContent"
  /** The target has the content, and the source has to say which attributes belong to it. */
  | "attributes"
  /** The content decides: both sides have a file of the same size. */
  | "comparedContent";

export type ReceivedEntry = {
  /** A type bit of stat(2). */
  readonly type: number;
  readonly targetName: string | undefined;
  /** Of a symbolic link, whose text is in the thread's memory for links. */
  readonly linkLength: number;
};

export function decideEntry(t: Thread, node: FolderNode, entry: ReceivedEntry): Decision {
  const { type, targetName } = entry;
  const isFile = type === S.IFREG;
  if (!isFile && type !== S.IFLNK && !t.options.specials) {
    skipSpecial(t, node, type, targetName);
    return "settled";
  }
  const present = lookUpTarget(t, node, targetName);
  if (present === "nothing" && isFile) return wanted(t, node, false);
  if (present === "error") return "failed";
  if (present === "collision") return reportFolded(t, node);
  if (present === "folder") {
    if (t.options.command !== "mirror") {
      reportConflict(t, node, describeType(type));
      return "failed";
    }
    replaceLater(t, node, targetName ?? t.entryName());
    // A dry run says what will be done once there is room.
    if (!t.isDry) return "failed";
  }
  const isPresent = present === "other";
  if (isFile) return decideFile(t, node, isPresent, targetName);
  const path = node.pathOf(t.entryName());
  const outcome =
    type === S.IFLNK
      ? placeLink(t, node, { isPresent, targetName, length: entry.linkLength, path })
      : processSpecial(t, node, isPresent, targetName);
  return outcome === "failed" ? "failed" : "settled";
}

function decideFile(
  t: Thread,
  node: FolderNode,
  isPresent: boolean,
  targetName: string | undefined,
): Decision {
  if (!isPresent) return wanted(t, node, false);
  const { options, source, target } = t;
  if (options.ignoreExisting) {
    if (options.command === "move") reportLeft(t, node);
    return upToDate(t);
  }
  if ((target.mode & S.IFMT) !== S.IFREG) return wanted(t, node, true);
  if (options.comparison === "time" && t.received?.names.length === 0 && isSamePlainFile(t)) {
    return upToDate(t);
  }
  if (options.update && isTargetNewer(t)) return upToDate(t);
  if (source.sizeBytes !== target.sizeBytes) return wanted(t, node, true);
  if (options.comparison === "checksum" && options.purpose !== "count") return "comparedContent";
  if (options.comparison === "time" && !isSameTime(t)) return wanted(t, node, true);
  const isUnknown = t.received?.isUnknown === true && options.purpose !== "count";
  if (isUnknown && differences(t).looksAtXattrs) return "attributes";
  return settleEqual(t, node, targetName);
}

/**
 * The target's file is not looked into, so the source's stays, also where size and time are the
 * same: what is reported is not removed when the move ends.
 */
function reportLeft(t: Thread, node: FolderNode): void {
  if (t.options.purpose !== "transfer") return;
  const path = node.pathOf(t.entryName());
  const message = "the target has a file of this name: left in the source";
  t.report({ kind: "skipped", path, code: "E_NOT_MOVED", call: undefined, message });
}

/** The target has the content: what else differs is made the same. */
export function settleEqual(
  t: Thread,
  node: FolderNode,
  targetName: string | undefined,
): "settled" {
  mendFile(t, node, targetName);
  return upToDate(t);
}

function upToDate(t: Thread): "settled" {
  const { count } = t;
  count[counter.upToDate] = (count[counter.upToDate] as number) + 1;
  count[counter.bytesDone] = (count[counter.bytesDone] as number) + t.source.sizeBytes;
  t.add(counter.itemsDone, 1);
  return "settled";
}

function wanted(t: Thread, node: FolderNode, replaces: boolean): Decision {
  if (!t.isDry) return replaces ? "replacingContent" : "content";
  planCopy(t, node, replaces);
  return "settled";
}

/** In a dry run: the file would be copied. */
export function planCopy(t: Thread, node: FolderNode, replaces: boolean): void {
  const { sizeBytes } = t.source;
  t.act(replaces ? "replace" : "copy", node.pathOf(t.entryName()), sizeBytes);
  t.add(counter.files, 1);
  t.add(counter.bytes, sizeBytes);
}
