import { O, S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { copyFile } from "../engine/copy-file.ts";
import {
  isSameTime,
  keepsTarget,
  replaceLater,
  reportConflict,
  reportFolded,
} from "../engine/entries.ts";
import { settleReplacements } from "../engine/extraneous.ts";
import { isFolded } from "../engine/folded-names.ts";
import { FolderNode } from "../engine/folder-node.ts";
import { publishFile } from "../engine/publish.ts";
import { counter } from "../engine/shared-state.ts";
import type { Thread } from "../engine/thread.ts";
import type { LinkedName } from "./manifest.ts";
import type { TargetFolders } from "./target-folders.ts";

/**
 * Files of several names: one of them is made like any other file, the others become links to it.
 * Which is the first is the target's choice: one that it has already, if it can.
 */

type First = {
  /** The folder of the first name; undefined where nothing is to be done. */
  readonly node: FolderNode | undefined;
  /** The first name, then the others. */
  readonly links: LinkedName[];
  readonly isSettled: boolean;
};

/** How many names are looked at for one that is in place already. */
const looksMax = 64;

/** The file's status is in t.source. Names that an option keeps as they are drop out. */
export function chooseFirst(
  t: Thread,
  folders: TargetFolders,
  members: readonly LinkedName[],
): First {
  const links: LinkedName[] = [];
  let node: FolderNode | undefined;
  let isFound = false;
  for (const [index, member] of members.entries()) {
    if (isFound || index >= looksMax) {
      links.push(member);
      continue;
    }
    const here = folders.openForNames(member.root, member.folder);
    if (here === undefined) continue;
    const look = lookAt(t, here, member.name);
    if (look === "folded") {
      t.setEntry(member.name);
      reportFolded(t, here);
    } else if (look === "kept") {
      t.add(counter.upToDate, 1);
      t.add(counter.itemsDone, 1);
    } else if (node === undefined || look === "same") {
      node?.close();
      node = here;
      links.unshift(member);
      isFound = look === "same";
      continue;
    } else links.push(member);
    here.close();
  }
  return { node, links: node === undefined ? [] : links, isSettled: false };
}

/** What the target has under a name. */
function lookAt(t: Thread, node: FolderNode, name: string): "other" | "kept" | "same" | "folded" {
  if (t.statAt(node.targetFd, t.cTargetName(name), t.target) < 0) return "other";
  if (isFolded(node, name)) return "folded";
  if (keepsTarget(t)) return "kept";
  const isOfType = ((t.source.mode ^ t.target.mode) & S.IFMT) === 0;
  const isSame = isOfType && t.source.sizeBytes === t.target.sizeBytes && isSameTime(t);
  return isSame ? "same" : "other";
}

/** The first name has been dealt with: the others become links to it. Status is in t.source. */
export function linkOthers(
  t: Thread,
  folders: TargetFolders,
  file: {
    readonly node: FolderNode;
    readonly links: readonly LinkedName[];
    readonly hasFailed: boolean;
  },
): void {
  const { node, links, hasFailed } = file;
  const [first, ...others] = links;
  if (first === undefined) return;
  const isThere = !hasFailed && t.statAt(node.targetFd, t.cName(first.name), t.other) === 0;
  let last: FolderNode | undefined;
  for (const { root, folder, name } of others) {
    if (t.cancelled) break;
    if (last === undefined || last.root !== root || last.path !== folder) {
      last?.close();
      last = folders.openForNames(root, folder);
    }
    if (last === undefined) continue;
    t.root = root;
    t.setEntry(name);
    if (isThere) linkOne(t, { node, name: first.name }, last);
    else {
      const message = "the file that it is another name of is not in place";
      const path = last.pathOf(name);
      t.report({ kind: "failed", path, code: "E_LINK", call: undefined, message });
    }
  }
  last?.close();
}

/** The name to be made is the entry at hand; the first one's status is in t.other. */
function linkOne(
  t: Thread,
  first: { readonly node: FolderNode; readonly name: string },
  to: FolderNode,
): void {
  const path = to.pathOf(t.entryName());
  const present = t.statAt(to.targetFd, t.entryPointer, t.target);
  if (present < 0 && present !== -errno.ENOENT) {
    t.failed(present, "statx", path, "look at the target");
    return;
  }
  if (present === 0 && isFolded(to, t.entryName())) {
    reportFolded(t, to);
    return;
  }
  if (present === 0 && (isOneFile(t) || keepsTarget(t))) {
    t.add(counter.upToDate, 1);
    t.add(counter.itemsDone, 1);
    return;
  }
  if (present === 0 && (t.target.mode & S.IFMT) === S.IFDIR) {
    if (t.options.command === "mirror") {
      replaceLater(t, to, t.entryName());
      settleReplacements(t);
      // Counting what the folder holds has used it.
      t.statAt(first.node.targetFd, t.cName(first.name), t.other);
    } else reportConflict(t, to, "a file");
    return;
  }
  const temporaryName = t.temporaryName();
  const source = t.cName(first.name);
  const temporary = t.cTemporary(temporaryName);
  const result = sys.linkat(first.node.targetFd, source, to.targetFd, temporary, 0);
  if (result < 0) {
    cannotLink(t, first, to, { result, replaces: present === 0 });
    return;
  }
  if (publishFile(t, to, temporaryName, { targetName: undefined, replaces: present === 0 })) {
    t.add(counter.hardlinks, 1);
    t.add(counter.itemsDone, 1);
  } else sys.unlinkat(to.targetFd, t.cTemporary(temporaryName), 0);
}

/** Whether the name at hand is one of the first's file already. */
function isOneFile(t: Thread): boolean {
  const { target, other } = t;
  return (
    target.dev === other.dev && target.inoLow === other.inoLow && target.inoHigh === other.inoHigh
  );
}

/** Where the target holds no more links, the name gets a copy of its own. */
function cannotLink(
  t: Thread,
  first: { readonly node: FolderNode; readonly name: string },
  to: FolderNode,
  met: { readonly result: number; readonly replaces: boolean },
): void {
  const { result, replaces } = met;
  const name = t.entryName();
  const path = to.pathOf(name);
  const isRefused = result === -errno.EMLINK || result === -errno.EPERM;
  if (!isRefused && result !== -errno.EOPNOTSUPP && result !== -errno.EXDEV) {
    t.failed(result, "linkat", path, "link");
    return;
  }
  t.tellCannotHold("these hard links", result, "linkat", path);
  const { received } = t;
  t.received = undefined;
  const sourceFd = sys.openat(first.node.targetFd, t.cName("."), O.RDONLY | O.DIRECTORY, 0);
  const { root, path: folder, targetFd } = to;
  const names = { root, path: folder, sourceFd, targetFd, isNew: false, targetName: "" };
  const node = new FolderNode({ ...names, borrowed: true, takesLinked: true });
  node.newFileGid = to.newFileGid;
  t.setEntry(first.name);
  node.exactNames = to.exactNames;
  const options = { replaces, takesLarge: true, takesLinked: true };
  copyFile(t, node, { ...options, targetName: name === first.name ? undefined : name });
  sys.close(sourceFd);
  t.received = received;
  t.statAt(first.node.targetFd, t.cName(first.name), t.other);
}
