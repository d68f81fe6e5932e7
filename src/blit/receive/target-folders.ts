import { O } from "../../../ffi/abi/constants.ts";
import { RESOLVE } from "../../../ffi/abi/open-how.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { settleReplacements } from "../engine/extraneous.ts";
import { exactNamesIn } from "../engine/folded-names.ts";
import { FolderNode } from "../engine/folder-node.ts";
import { folderFlags, forEachName } from "../engine/listing.ts";
import { noteTargetDefaults } from "../engine/metadata.ts";
import { counter } from "../engine/shared-state.ts";
import type { Thread } from "../engine/thread.ts";
import { folderInTheWay, planNewFolder, reportFolderFolded } from "../engine/walk.ts";
import { openBeneath } from "../session/open-beneath.ts";
import type { Base } from "../session/types.ts";
import { broken } from "./check.ts";
import type { TargetRoot } from "./messages.ts";
import { TargetDevices } from "./target-devices.ts";

/**
 * Folders of the target, opened below the descriptors of their roots and never through a symbolic
 * link, whoever plants one meanwhile.
 */

/** PATH_MAX of linux/limits.h, with the NUL. */
const pathBytesMax = 4096;

/** Of a folder that is made here until it gets its own at the end. */
const unfinishedMode = 0o700;

const resolve = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS;

/** Folder and last name of a path below a root. */
function splitBelow(path: string): { readonly folder: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  return { folder: path.slice(0, Math.max(0, slash)), name: path.slice(slash + 1) };
}

/** Leaves no trace in the access time, where that is permitted: to the owner and to root. */
export function openQuietly(base: Base, path: string, flags: number): number {
  const opened = openBeneath(base, path, flags | O.NOATIME);
  return opened === -errno.EPERM ? openBeneath(base, path, flags) : opened;
}

/** Opens folder `path` below `fd`, "" being itself. Returns a new descriptor or -errno. */
export function openBelow(fd: number, path: string): number {
  if (path.length < pathBytesMax) return openQuietly({ fd, resolve }, path, folderFlags);
  let at = openBeneath({ fd, resolve }, "", O.PATH | O.DIRECTORY);
  let rest = path;
  while (at >= 0 && rest !== "") {
    const isLast = rest.length < pathBytesMax;
    const cut = isLast ? rest.length : rest.lastIndexOf("/", pathBytesMax - 1);
    const flags = isLast ? folderFlags : O.PATH | O.DIRECTORY | O.NOFOLLOW;
    const open = isLast ? openQuietly : openBeneath;
    const next = open({ fd: at, resolve }, rest.slice(0, cut), flags);
    sys.close(at);
    at = next;
    rest = rest.slice(cut + 1);
  }
  return at;
}

/** The same, and makes what is missing of it. */
function openOrMake(t: Thread, fd: number, path: string): number {
  const opened = openBelow(fd, path);
  if (opened !== -errno.ENOENT || path === "") return opened;
  const { folder, name } = splitBelow(path);
  const parent = openOrMake(t, fd, folder);
  if (parent < 0) return parent;
  const made = makeIn(t, parent, name);
  sys.close(parent);
  return made;
}

/** Makes a folder, unless another stream was faster, and opens it. */
function makeIn(t: Thread, parentFd: number, name: string): number {
  const pointer = t.cTemporary(name);
  const made = sys.mkdirat(parentFd, pointer, unfinishedMode);
  if (made === 0) t.add(counter.folders, 1);
  if (made < 0 && made !== -errno.EEXIST) return made;
  return sys.openat(parentFd, pointer, folderFlags, 0);
}

/** A folder of the target, for what is to be done in it. */
export class TargetFolders {
  readonly #thread: Thread;
  readonly #roots: readonly TargetRoot[];
  readonly devices: TargetDevices;

  constructor(t: Thread, roots: readonly TargetRoot[]) {
    this.#thread = t;
    this.#roots = roots;
    this.devices = new TargetDevices(t, roots);
  }

  root(index: number): TargetRoot {
    return this.#roots[index] ?? broken("something below a root that there is not");
  }

  /** The folder that holds a root that is no folder: left as it is. */
  holder(index: number): FolderNode {
    const { kind, parentFd } = this.root(index);
    if (kind !== "entry") broken("an entry instead of a folder");
    return borrowed({ root: index, path: "", targetFd: parentFd, takesLinked: true });
  }

  /**
   * The folder `path` of a root, made where there is none. undefined where it is not to be filled:
   * that has been reported, here or by the stream that got the folder that is in question. A new
   * one that `mayStage` allows it for gets a temporary name.
   */
  open(index: number, path: string, mayStage: () => boolean): FolderNode | undefined {
    const t = this.#thread;
    const root = this.root(index);
    if (root.kind !== "folder") broken("a folder instead of an entry");
    t.root = index;
    if (path === "") return this.#openRoot(index, root);
    const { targetFd: rootFd } = root;
    const fd = rootFd < 0 ? -errno.ENOENT : openBelow(rootFd, path);
    if (fd >= 0) return this.#existing(index, path, fd);
    if (fd === -errno.ENOENT && t.isDry) return planned(t, index, path);
    if (fd === -errno.ENOENT) return this.#make(index, path, mayStage);
    return this.#inTheWay(index, path, fd);
  }

  #openRoot(index: number, root: TargetRoot): FolderNode {
    const t = this.#thread;
    if (root.targetFd < 0) return planned(t, index, "");
    const node = { root: index, path: "", targetFd: root.targetFd, isNew: root.isNew };
    return borrowed({ ...node, takesLinked: false });
  }

  #existing(index: number, path: string, fd: number): FolderNode | undefined {
    const t = this.#thread;
    if (t.options.targetFoldsNames && !this.#isExact(index, path)) {
      sys.close(fd);
      reportFolderFolded(t, path);
      return undefined;
    }
    return owned(index, path, fd, false);
  }

  /** Whether the target has the folder under exactly this name. */
  #isExact(index: number, path: string): boolean {
    const t = this.#thread;
    const { folder, name } = splitBelow(path);
    const parent = openBelow(this.root(index).targetFd, folder);
    if (parent < 0) return false;
    let isThere = false;
    forEachName(t, parent, (offset, length) => {
      isThere ||= t.dirents.text.latin1Slice(offset, offset + length) === name;
    });
    sys.close(parent);
    return isThere;
  }

  #make(index: number, path: string, mayStage: () => boolean): FolderNode | undefined {
    const t = this.#thread;
    const { folder, name } = splitBelow(path);
    const parent = openOrMake(t, this.root(index).targetFd, folder);
    if (parent < 0) return this.#notOpened(path, parent);
    if (mayStage()) return this.#stage(owned(index, folder, parent, false), path, name);
    const fd = makeIn(t, parent, name);
    sys.close(parent);
    if (fd < 0) return this.#notOpened(path, fd);
    return owned(index, path, fd, true);
  }

  /** Makes a folder under a temporary name; `parent` is closed with it. */
  #stage(parent: FolderNode, path: string, targetName: string): FolderNode | undefined {
    const t = this.#thread;
    const stagedName = t.temporaryName();
    const pointer = t.cTemporary(stagedName);
    const made = sys.mkdirat(parent.targetFd, pointer, unfinishedMode);
    const targetFd = made < 0 ? made : sys.openat(parent.targetFd, pointer, folderFlags, 0);
    if (targetFd < 0) {
      parent.close();
      t.failed(targetFd, made < 0 ? "mkdirat" : "openat", path, "make the folder");
      return undefined;
    }
    const { root } = parent;
    const staged = { root, path, parent, sourceFd: -1, targetFd, isNew: true, targetName };
    return new FolderNode({ ...staged, stagedName });
  }

  /** Something that is no folder on the way there: who gets the folder of its name reports it. */
  #notOpened(path: string, result: number): undefined {
    if (result === -errno.ENOTDIR || result === -errno.ELOOP) return;
    this.#thread.failed(result, "mkdirat", path, "make the folder");
  }

  #inTheWay(index: number, path: string, result: number): FolderNode | undefined {
    const t = this.#thread;
    const { folder, name } = splitBelow(path);
    const parentFd = openBelow(this.root(index).targetFd, folder);
    if (parentFd < 0) {
      // What is in the way above has to go first: in a dry run that is as good as done.
      if (t.isDry && t.options.command === "mirror") return planned(t, index, path);
      return this.#notOpened(path, parentFd);
    }
    const parent = owned(index, folder, parentFd, false);
    const makesRoom = folderInTheWay(t, parent, name, path, result);
    settleReplacements(t);
    parent.close();
    return makesRoom && t.isDry ? planned(t, index, path) : undefined;
  }

  /**
   * A folder that is there already, for single names in it; undefined, after a report, where it
   * cannot be opened.
   */
  openForNames(index: number, path: string): FolderNode | undefined {
    const t = this.#thread;
    const { kind, targetFd, parentFd } = this.root(index);
    t.root = index;
    const rootFd = kind === "folder" ? targetFd : parentFd;
    const fd = openBelow(rootFd, path);
    if (fd < 0) {
      t.failed(fd, "openat", path, "open the folder of linked files");
      return undefined;
    }
    const node = owned(index, path, fd, false);
    if (t.statFd(fd, t.target) === 0) noteTargetDefaults(t, node, t.target);
    node.exactNames = exactNamesIn(t, fd);
    return node;
  }
}

function planned(t: Thread, root: number, path: string): FolderNode {
  planNewFolder(t, path);
  return owned(root, path, -1, true);
}

function owned(root: number, path: string, targetFd: number, isNew: boolean): FolderNode {
  return new FolderNode({ root, path, sourceFd: -1, targetFd, isNew, targetName: "" });
}

function borrowed(options: {
  readonly root: number;
  readonly path: string;
  readonly targetFd: number;
  readonly isNew?: boolean;
  readonly takesLinked: boolean;
}): FolderNode {
  const isNew = options.isNew ?? false;
  return new FolderNode({ ...options, isNew, sourceFd: -1, targetName: "", borrowed: true });
}
