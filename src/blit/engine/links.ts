import { O, S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { openFolderBelow } from "./backup.ts";
import { isSameTime, keepsTarget, processEntry, reportConflict, reportFolded } from "./entries.ts";
import { noteReplacement } from "./extraneous.ts";
import { exactNamesIn, isFolded } from "./folded-names.ts";
import { FolderNode } from "./folder-node.ts";
import type { LinkMember } from "./messages.ts";
import { keepStatus, noteTargetDefaults } from "./metadata.ts";
import { closeToOwner, openToOwner } from "./owner-access.ts";
import { publishFile } from "./publish.ts";
import { counter } from "./shared-state.ts";
import type { Thread } from "./thread.ts";

/**
 * Files with several names. They are set aside while the trees are walked; then the first name of
 * each is copied like any other file, and the others become links to it.
 */

/** Open root folders, by index of the source. */
export type LinkRoots = readonly { readonly sourceFd: number; readonly targetFd: number }[];

/** Groups of at most this many files are open at a time. */
export const linkGroupsAtOnce = 256;

/** What names of one file have in common. */
export function linkKey(member: LinkMember): string {
  return `${member.dev}:${member.ino}`;
}

/** Members by file, in the order found. */
export function groupLinks(members: readonly LinkMember[]): LinkMember[][] {
  const groups = new Map<string, LinkMember[]>();
  for (const member of members) {
    const key = linkKey(member);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [member]);
    else group.push(member);
  }
  return [...groups.values()];
}

/** Opens pairs of folders for members, once per folder. */
export class LinkFolders {
  readonly #thread: Thread;
  readonly #roots: LinkRoots;
  readonly #nodes = new Map<string, FolderNode | undefined>();

  constructor(t: Thread, roots: LinkRoots) {
    this.#thread = t;
    this.#roots = roots;
  }

  /** The member's folders; undefined, after a report, where one cannot be opened. */
  open(member: LinkMember): FolderNode | undefined {
    const key = `${member.root}:${member.folder}`;
    if (this.#nodes.has(key)) return this.#nodes.get(key);
    const node = this.#open(member);
    this.#nodes.set(key, node);
    return node;
  }

  #open(member: LinkMember): FolderNode | undefined {
    const t = this.#thread;
    const root = this.#roots[member.root];
    if (root === undefined) return undefined;
    t.root = member.root;
    const sourceFd = openSourceFolder(t, root.sourceFd, member.folder);
    const targetFd = openFolderBelow(t, root.targetFd, member.folder, { make: false });
    if (sourceFd < 0 || targetFd < 0) {
      const result = Math.min(sourceFd, targetFd);
      t.failed(result, "openat", member.folder, "open the folder of linked files");
      for (const fd of [sourceFd, targetFd]) if (fd >= 0) sys.close(fd);
      return undefined;
    }
    const { root: index, folder: path } = member;
    const common = { root: index, path, sourceFd, targetFd, targetName: "", borrowed: true };
    const node = new FolderNode({ ...common, isNew: false, takesLinked: true });
    node.pending = 0;
    if (t.statFd(targetFd, t.target) === 0) {
      noteTargetDefaults(t, node, t.target);
      node.formerMode = openToOwner(t, targetFd, t.target);
    }
    node.exactNames = exactNamesIn(t, targetFd);
    if (t.statFd(sourceFd, t.source) === 0) node.targetStatus = keepStatus(t.source);
    return node;
  }

  /** Every folder that was opened. */
  get nodes(): FolderNode[] {
    return [...this.#nodes.values()].filter((node) => node !== undefined);
  }

  close(): void {
    for (const node of this.nodes) {
      closeToOwner(this.#thread, node);
      sys.close(node.sourceFd);
      sys.close(node.targetFd);
    }
    this.#nodes.clear();
  }
}

/** As openFolderBelow; one that holds what the command line names need not be listed. */
function openSourceFolder(t: Thread, rootFd: number, path: string): number {
  const fd = openFolderBelow(t, rootFd, path, { make: false });
  if (path !== "" || fd !== -errno.EACCES) return fd;
  return sys.openat(rootFd, t.cTemporary("."), O.PATH | O.DIRECTORY | O.CLOEXEC, 0);
}

/**
 * Parts the names of a file: `waiting` where a mirror has to make room for one of them first, which
 * is asked for here; they are dealt with together afterwards. One that gets no room is left out.
 */
export function partLinks(
  t: Thread,
  folders: LinkFolders,
  group: readonly LinkMember[],
): { readonly ready: LinkMember[]; readonly waiting: LinkMember[] } {
  let waits = false;
  const rest = group.filter((member) => {
    const node = folders.open(member);
    if (node === undefined || t.options.command !== "mirror") return true;
    if (t.statAt(node.targetFd, t.cName(member.name), t.other) < 0) return true;
    if ((t.other.mode & S.IFMT) !== S.IFDIR || isFolded(node, member.name)) return true;
    t.root = member.root;
    const makesRoom = noteReplacement(t, node, member.name, "none");
    waits ||= makesRoom;
    return makesRoom;
  });
  return waits ? { ready: [], waiting: rest } : { ready: rest, waiting: [] };
}

/**
 * Makes the other names of a file links to its first one, which has been copied unless
 * `copiesFirst`. Where it is not in place (it failed, or an option keeps what the target has), the
 * next one is copied and takes its part.
 */
export function linkOthers(
  t: Thread,
  folders: LinkFolders,
  group: readonly LinkMember[],
  copiesFirst: boolean,
): void {
  let first: InPlace | undefined;
  for (const [index, member] of group.entries()) {
    if (t.cancelled) return;
    t.root = member.root;
    const node = folders.open(member);
    if (node === undefined) continue;
    t.setEntry(member.name);
    if (first !== undefined) linkOne(t, first, node, member.name);
    else {
      if (index > 0 || copiesFirst) copyByItself(t, node);
      if (!isFolded(node, member.name) && isInPlace(t, node, member.name))
        first = { node, name: member.name };
    }
  }
}

/** A name in the target that holds what the source has. */
type InPlace = { readonly node: FolderNode; readonly name: string };

function isInPlace(t: Thread, node: FolderNode, name: string): boolean {
  const looked =
    t.statAt(node.sourceFd, t.cName(name), t.source) ||
    t.statAt(node.targetFd, t.cName(name), t.target);
  // The copies that are made instead of links are complete, but no links.
  if (looked < 0 && looked !== -errno.ENOENT) {
    t.failed(looked, "statx", node.pathOf(name), "look at what others are to be linked to");
  }
  if (looked < 0) return false;
  const isOfType = ((t.source.mode ^ t.target.mode) & S.IFMT) === 0 && t.source.nlink > 1;
  return isOfType && t.source.sizeBytes === t.target.sizeBytes && isSameTime(t);
}

function linkOne(t: Thread, first: InPlace, to: FolderNode, name: string): void {
  const from = first.node;
  const looked = t.statAt(from.targetFd, t.cName(first.name), t.other);
  if (looked < 0) {
    t.failed(looked, "statx", to.pathOf(name), "link");
    return;
  }
  const present = t.statAt(to.targetFd, t.entryPointer, t.target);
  if (present < 0 && present !== -errno.ENOENT) {
    t.failed(present, "statx", to.pathOf(name), "look at the target");
    return;
  }
  if (present === 0 && isFolded(to, name)) {
    reportFolded(t, to);
    return;
  }
  const isKept =
    present === 0 && t.statAt(to.sourceFd, t.entryPointer, t.source) === 0 && keepsTarget(t);
  if (isKept || (present === 0 && isOneFile(t))) {
    t.add(counter.upToDate, 1);
    t.add(counter.itemsDone, 1);
    return;
  }
  if (present === 0 && (t.target.mode & S.IFMT) === S.IFDIR) {
    reportConflict(t, to, "a file");
    return;
  }
  const temporaryName = t.temporaryName();
  const source = t.cName(first.name);
  const temporary = t.cTemporary(temporaryName);
  const result = sys.linkat(from.targetFd, source, to.targetFd, temporary, 0);
  if (result < 0) {
    const isRefused = result === -errno.EMLINK || result === -errno.EPERM;
    if (!isRefused && result !== -errno.EOPNOTSUPP && result !== -errno.EXDEV) {
      t.failed(result, "linkat", to.pathOf(name), "link");
      return;
    }
    t.tellCannotHold("these hard links", result, "linkat", to.pathOf(name));
    copyByItself(t, to);
    return;
  }
  if (publishFile(t, to, temporaryName, { targetName: undefined, replaces: present === 0 })) {
    t.add(counter.hardlinks, 1);
    t.add(counter.itemsDone, 1);
  } else sys.unlinkat(to.targetFd, t.cTemporary(temporaryName), 0);
}

function isOneFile(t: Thread): boolean {
  const { target, other } = t;
  return (
    target.dev === other.dev && target.inoLow === other.inoLow && target.inoHigh === other.inoHigh
  );
}

function copyByItself(t: Thread, node: FolderNode): void {
  processEntry(t, node, 0, {
    targetName: undefined,
    startHuge: undefined,
    takesLarge: true,
    takesLinked: true,
  });
}
