import { AT, FS_MAGIC, O, S } from "../../../ffi/abi/constants.ts";
import { errno, errnoText } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { folderFlags } from "./listing.ts";
import { displayPath, joinPath, meansContents, splitPath } from "./path.ts";
import type { Thread } from "./thread.ts";

/**
 * What the command line names, resolved and opened. This is the only place where paths are used:
 * everything below the roots goes through the descriptors that are opened here.
 */

/** A source with its counterpart. Paths are latin1; descriptors stay open for the whole run. */
export type Root = {
  readonly index: number;
  readonly kind: "folder" | "entry";
  /** As typed, for messages. */
  readonly sourcePath: string;
  /** Where it goes. */
  readonly targetPath: string;
  /** The folder itself, or for an entry the folder that holds it. */
  readonly sourceFd: number;
  /** Name of an entry in `sourceFd`; "" for a folder. */
  readonly sourceName: string;
  /** The source's parent folder and name in it, for a move by rename; -1 for "/" and the like. */
  readonly sourceParentFd: number;
  readonly sourceParentName: string;
  /** Folder that holds the target, -1 in a dry run where it is missing. */
  targetParentFd: number;
  /** Names of folders that are still to be made below `targetParentFd`, the outermost first. */
  missing: readonly string[];
  readonly targetName: string;
  /** The target folder where it is there already, else -1. */
  targetFd: number;
  /** The contents were asked for (slash at the end), not the folder. */
  readonly isContents: boolean;
  /** A folder that goes into the named target under its own name. */
  readonly isBelow: boolean;
};

const followFlags = O.RDONLY | O.DIRECTORY | O.CLOEXEC | O.NONBLOCK;

/** How many symbolic links or folders upwards a path may lead. */
const parentsMax = 100_000;

function cannot(doing: string, path: string, result: number, hint?: string): Fault {
  return new Fault({
    code: result === -errno.ENOENT ? "E_NOT_FOUND" : "E_IO",
    message: `Cannot ${doing} "${displayPath(path)}": ${errnoText(-result)}`,
    hint,
  });
}

function openFolderByPath(t: Thread, path: string): number {
  return t.openToRead(AT.FDCWD, t.cLink(path), followFlags);
}

/** As `openFolderByPath`, for a folder that need not be listed: to search in it is enough. */
function openToPassThrough(t: Thread, path: string): number {
  const fd = openFolderByPath(t, path);
  if (fd !== -errno.EACCES) return fd;
  return sys.openat(AT.FDCWD, t.cLink(path), O.PATH | O.DIRECTORY | O.CLOEXEC, 0);
}

/** Status of what a path leads to, in t.other. */
function statPath(t: Thread, path: string, follow: boolean): number {
  const flags = follow ? 0 : AT.SYMLINK_NOFOLLOW;
  return sys.statx(AT.FDCWD, t.cLink(path), flags, 0x17ff, t.other.pointer);
}

/** What there is at a path: "nothing" also where a part of it is missing. */
function kindAt(t: Thread, path: string): "nothing" | "folder" | "other" {
  const result = statPath(t, path, true);
  if (result === -errno.ENOENT) {
    return statPath(t, path, false) === 0 ? "other" : "nothing";
  }
  if (result === -errno.ENOTDIR) return "nothing";
  if (result < 0) throw cannot("look at", path, result);
  return (t.other.mode & S.IFMT) === S.IFDIR ? "folder" : "other";
}

/** PATH_MAX of linux/limits.h, with the NUL: what the kernel takes at a time. */
const pathBytesMax = 4096;

/** @throws Fault E_IO for a path that no system call takes */
export function refuseLongPath(path: string): void {
  if (path.length >= pathBytesMax) throw cannot("use", path, -errno.ENAMETOOLONG);
}

export type RootRequest = {
  readonly command: "copy" | "mirror" | "move";
  readonly sources: readonly string[];
  readonly target: string;
};

/**
 * Resolves sources and target by rsync's convention: a slash at the end of a source means its
 * contents; without it, the entry goes into the target if that is a folder (or several sources, or
 * a slash at the target's end, make it one), else becomes the target. Makes nothing.
 * @throws Fault E_NOT_FOUND, E_IO, E_USAGE
 */
export function resolveRoots(t: Thread, request: RootRequest): Root[] {
  const { sources, target } = request;
  if (target === "" || sources.includes("")) {
    throw new Fault({ code: "E_USAGE", message: "Cannot use an empty path" });
  }
  for (const path of [...sources, target]) refuseLongPath(path);
  const targetKind = kindAt(t, target);
  const wantsFolder = target.endsWith("/") || sources.length > 1;
  if (wantsFolder && targetKind === "other") {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot write into "${displayPath(target)}": it is a file, not a folder`,
      hint: "name a folder, or a single source without slash at the target's end",
    });
  }
  const roots: Root[] = [];
  try {
    for (const [index, source] of sources.entries()) {
      const isBelow = !meansContents(source) && (targetKind === "folder" || wantsFolder);
      const place = isBelow ? joinPath(target, splitPath(source).name) : target;
      roots.push(openRoot(t, { index, source, place, isBelow }));
    }
    refuseSharedNames(roots, request.command);
    return roots;
  } catch (error) {
    closeRoots(roots);
    throw error;
  }
}

/** Folders of one name are merged; of files all but one would be lost. */
function refuseSharedNames(roots: readonly Root[], command: RootRequest["command"]): void {
  const byName = new Map<string, Root>();
  for (const root of roots) {
    if (root.isContents) continue;
    const other = byName.get(root.targetName);
    if (other !== undefined && (root.kind === "entry" || other.kind === "entry")) {
      const both = `"${displayPath(other.sourcePath)}" and "${displayPath(root.sourcePath)}"`;
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot ${command} ${both} to one name, "${displayPath(root.targetPath)}"`,
        hint: "name them one at a time, with a target for each",
      });
    }
    byName.set(root.targetName, root);
  }
}

/**
 * Groups of sources that are dealt with one after the other, so that the later of two for one name
 * decides. Those of different names cannot meet and share a group.
 */
export function independentRoots(roots: readonly Root[]): Root[][] {
  const groups: Root[][] = [];
  let names = new Set<string>();
  for (const root of roots) {
    const last = groups.at(-1);
    const isAlone = root.isContents || last === undefined || last[0]?.isContents === true;
    if (isAlone || names.has(root.targetName)) {
      groups.push([root]);
      names = new Set([root.targetName]);
    } else {
      last.push(root);
      names.add(root.targetName);
    }
  }
  return groups;
}

type Named = {
  readonly index: number;
  readonly source: string;
  readonly place: string;
  /** The last name of `place` was not typed: it is in the target folder, so no link is followed. */
  readonly isBelow: boolean;
};

function openRoot(t: Thread, named: Named): Root {
  const { index, source, place } = named;
  const isContents = meansContents(source);
  const found = statPath(t, source, isContents);
  if (found < 0) throw cannot("read", source, found, missingHint(found));
  const isFolder = (t.other.mode & S.IFMT) === S.IFDIR;
  if (isContents && !isFolder) throw cannot("take the contents of", source, -errno.ENOTDIR);
  const parent = splitPath(source);
  const hasParent = parent.name !== "." && parent.name !== "..";
  using sourceParent = new Fd(hasParent ? openToPassThrough(t, parent.folder) : -errno.ENOENT);
  using folder = new Fd(isFolder ? openFolderByPath(t, source) : -errno.ENOTDIR);
  const needed = isFolder ? folder : sourceParent;
  if (!needed.isOpen) throw cannot("read", source, needed.number);
  const target = splitPath(place);
  using targetFolder = new Fd(isFolder ? openTargetFolder(t, named) : -errno.ENOTDIR);
  const { fd: targetParentFd, missing } = openTargetParent(t, target.folder);
  const sourceParentFd = orNone(sourceParent);
  return {
    index,
    kind: isFolder ? "folder" : "entry",
    sourcePath: source,
    targetPath: place,
    sourceFd: isFolder ? orNone(folder) : sourceParentFd,
    sourceName: isFolder ? "" : parent.name,
    sourceParentFd,
    sourceParentName: parent.name,
    targetParentFd,
    missing,
    targetName: target.name,
    targetFd: orNone(targetFolder),
    isContents,
    isBelow: isFolder && named.isBelow,
  };
}

/** The descriptor, for the root to own; -1 where it is not open, since -100 would be AT_FDCWD. */
function orNone(fd: Fd): number {
  return fd.isOpen ? fd.transfer() : -1;
}

/** Opens the target's folder where there is one. @throws Fault where something else is there */
function openTargetFolder(t: Thread, named: Named): number {
  const { place, isBelow } = named;
  const fd = t.openToRead(AT.FDCWD, t.cLink(place), isBelow ? folderFlags : followFlags);
  if (fd >= 0) return fd;
  const present = statPath(t, place, !isBelow);
  if (present === -errno.ENOENT && statPath(t, place, false) < 0) return fd;
  if (present === 0 && (t.other.mode & S.IFMT) === S.IFDIR) throw cannot("open", place, fd);
  if (present === -errno.ENOTDIR) return fd;
  if (present < 0 && present !== -errno.ENOENT) throw cannot("look at", place, present);
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot replace "${displayPath(place)}" with a folder: it is not a folder`,
    hint: "remove it first, or name another target",
  });
}

function missingHint(result: number): string | undefined {
  return result === -errno.ENOENT ? "check the path; nothing was changed" : undefined;
}

/** Opens the folder that is to hold the target, or the nearest one above it that is there. */
function openTargetParent(t: Thread, folder: string): { fd: number; missing: string[] } {
  const missing: string[] = [];
  let existing = folder;
  for (;;) {
    const fd = openFolderByPath(t, existing);
    if (fd >= 0) return { fd, missing: missing.reverse() };
    const above = splitPath(existing);
    const isTop = above.folder === existing || missing.length >= parentsMax;
    if (fd !== -errno.ENOENT || isTop) throw cannot("open", existing, fd);
    missing.push(above.name);
    existing = above.folder;
  }
}

/** Makes the folders that are to hold the targets. @throws Fault E_IO, E_NOT_FOUND */
export function makeTargetParents(t: Thread, roots: readonly Root[]): void {
  for (const root of roots) {
    for (const name of root.missing) {
      const made = sys.mkdirat(root.targetParentFd, t.cName(name), t.newFolderMode);
      if (made < 0 && made !== -errno.EEXIST) throw cannot("make", root.targetPath, made);
      const next = sys.openat(root.targetParentFd, t.cName(name), followFlags, 0);
      if (next < 0) throw cannot("make", root.targetPath, next);
      sys.close(root.targetParentFd);
      root.targetParentFd = next;
    }
    root.missing = [];
  }
}

/** In a dry run: there is no such folder, and it is not made. */
export function forgetMissingParents(roots: readonly Root[]): void {
  for (const root of roots) {
    if (root.missing.length === 0) continue;
    sys.close(root.targetParentFd);
    root.targetParentFd = -1;
  }
}

/** Looks again for a target that an earlier source of the command line may have made. */
export function refreshTarget(t: Thread, root: Root): void {
  if (root.kind !== "folder" || root.targetFd >= 0 || root.targetParentFd < 0) return;
  const fd = sys.openat(root.targetParentFd, t.cName(root.targetName), folderFlags, 0);
  if (fd >= 0) root.targetFd = fd;
}

/** Name of the file system that a descriptor is on, "unknown" where it is not in the table. */
export function fileSystemOf(t: Thread, fd: number): string {
  if (fd < 0 || sys.fstatfs(fd, t.pointers.statfs) < 0) return "unknown";
  const type = new Uint32Array(t.scratch.buffer, t.pointers.statfs - t.scratch.pointer, 1)[0] ?? 0;
  return FS_MAGIC[type] ?? `0x${type.toString(16)}`;
}

export function closeRoots(roots: readonly Root[]): void {
  for (const root of roots) {
    for (const fd of new Set([
      root.sourceFd,
      root.sourceParentFd,
      root.targetParentFd,
      root.targetFd,
    ])) {
      if (fd >= 0) sys.close(fd);
    }
  }
}
