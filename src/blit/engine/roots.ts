import { AT, FS_MAGIC, O, S } from "../../../ffi/abi/constants.ts";
import { errno, errnoText } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
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
  readonly targetParentFd: number;
  readonly targetName: string;
  /** The target folder where it is there already, else -1. */
  targetFd: number;
  /** The contents were asked for (slash at the end), not the folder. */
  readonly isContents: boolean;
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
  return sys.openat(AT.FDCWD, t.cLink(path), followFlags, 0);
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

export type RootRequest = {
  readonly command: "copy" | "mirror" | "move";
  readonly sources: readonly string[];
  readonly target: string;
  readonly dryRun: boolean;
};

/**
 * Resolves sources and target by rsync's convention: a slash at the end of a source means its
 * contents; without it, the entry goes into the target if that is a folder (or several sources, or
 * a slash at the target's end, make it one), else becomes the target.
 * @throws Fault E_NOT_FOUND, E_IO, E_USAGE
 */
export function resolveRoots(t: Thread, request: RootRequest): Root[] {
  const { sources, target } = request;
  if (target === "" || sources.includes("")) {
    throw new Fault({ code: "E_USAGE", message: "Cannot use an empty path" });
  }
  const targetKind = kindAt(t, target);
  const wantsFolder = target.endsWith("/") || sources.length > 1;
  if (wantsFolder && targetKind === "other") {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot write into "${displayPath(target)}": it is a file, not a folder`,
      hint: "name a folder, or a single source without slash at the target's end",
    });
  }
  return sources.map((source, index) => {
    const intoFolder = targetKind === "folder" || wantsFolder;
    const place =
      meansContents(source) || !intoFolder ? target : joinPath(target, baseName(source));
    return openRoot(t, { index, source, place, request });
  });
}

function baseName(path: string): string {
  return splitPath(path).name;
}

function openRoot(
  t: Thread,
  from: { index: number; source: string; place: string; request: RootRequest },
): Root {
  const { index, source, place, request } = from;
  const isContents = meansContents(source);
  const found = statPath(t, source, isContents);
  if (found < 0) throw cannot("read", source, found, missingHint(found));
  const isFolder = (t.other.mode & S.IFMT) === S.IFDIR;
  if (isContents && !isFolder) throw cannot("take the contents of", source, -errno.ENOTDIR);
  const parent = splitPath(source);
  const hasParent = parent.name !== "." && parent.name !== "..";
  const sourceParentFd = hasParent ? openFolderByPath(t, parent.folder) : -1;
  let sourceFd = sourceParentFd;
  if (isFolder) {
    sourceFd = openFolderByPath(t, source);
    if (sourceFd < 0) throw cannot("read", source, sourceFd);
  }
  const target = splitPath(place);
  const placeKind = kindAt(t, place);
  if (isFolder && placeKind === "other") {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot replace "${displayPath(place)}" with a folder: it is not a folder`,
      hint: "remove it first, or name another target",
    });
  }
  const targetFd = isFolder && placeKind === "folder" ? openFolderByPath(t, place) : -1;
  if (isFolder && placeKind === "folder" && targetFd < 0) throw cannot("open", place, targetFd);
  return {
    index,
    kind: isFolder ? "folder" : "entry",
    sourcePath: source,
    targetPath: place,
    sourceFd,
    sourceName: isFolder ? "" : parent.name,
    sourceParentFd,
    sourceParentName: parent.name,
    targetParentFd: openTargetParent(t, target.folder, request.dryRun || targetFd >= 0),
    targetName: target.name,
    targetFd,
    isContents,
  };
}

function missingHint(result: number): string | undefined {
  return result === -errno.ENOENT ? "check the path; nothing was changed" : undefined;
}

/** Opens the folder that is to hold the target, making it, with its parents, where it is missing. */
function openTargetParent(t: Thread, folder: string, onlyLook: boolean): number {
  const fd = openFolderByPath(t, folder);
  if (fd >= 0) return fd;
  if (fd !== -errno.ENOENT) throw cannot("open", folder, fd);
  if (onlyLook) return -1;
  const missing: string[] = [];
  let existing = folder;
  while (kindAt(t, existing) === "nothing" && missing.length < parentsMax) {
    missing.push(existing);
    existing = splitPath(existing).folder;
  }
  for (const path of missing.reverse()) {
    const made = sys.mkdirat(AT.FDCWD, t.cLink(path), t.newFolderMode);
    if (made < 0 && made !== -errno.EEXIST) throw cannot("make the folder", path, made);
  }
  const opened = openFolderByPath(t, folder);
  if (opened < 0) throw cannot("open", folder, opened);
  return opened;
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
