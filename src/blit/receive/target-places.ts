import { O, S } from "../../../ffi/abi/constants.ts";
import { errno, errnoText } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { folderFlags } from "../engine/listing.ts";
import { displayPath, joinPath, splitPath } from "../engine/path.ts";
import type { Thread } from "../engine/thread.ts";
import { openBeneath } from "../session/open-beneath.ts";
import type { Base, SourceRoot } from "../session/types.ts";
import { isName } from "./check.ts";
import { openQuietly } from "./target-folders.ts";

/**
 * Where the sources of a transfer go, by rsync's convention: the contents of a folder whose path
 * ends in a slash go into the target; anything else goes into it if it is a folder (or several
 * sources, or a slash at its end, make it one), else becomes the target.
 */
export type TargetPlace = {
  readonly index: number;
  readonly kind: "folder" | "entry";
  /** For messages, latin1. */
  readonly targetPath: string;
  /** Open: the folder that holds the target, or the nearest one above that is there. */
  parentFd: number;
  /** Names of folders to be made below it, the outermost first. */
  missing: readonly string[];
  readonly targetName: string;
  /** The target folder where it is there, else -1. */
  targetFd: number;
  /** It goes into the named target under its own name. */
  readonly isBelow: boolean;
};

const lookFlags = O.PATH | O.CLOEXEC;
const readFolderFlags = O.RDONLY | O.DIRECTORY | O.NONBLOCK;

/** How many folders may be missing above a target. */
const missingMax = 4096;

function cannot(doing: string, path: string, result: number): Fault {
  const what = `Cannot ${doing} "${displayPath(path)}"`;
  if (result === -errno.EXDEV) {
    return new Fault({ code: "E_REFUSED", message: `${what}: it leads out of the module` });
  }
  return new Fault({
    code: result === -errno.ENOENT ? "E_NOT_FOUND" : "E_IO",
    message: `${what}: ${errnoText(-result)}`,
  });
}

export type PlaceRequest = {
  readonly base: Base;
  readonly command: "copy" | "mirror" | "move";
  readonly target: string;
  readonly roots: readonly SourceRoot[];
};

/**
 * Finds the places and opens what there is of them. Makes nothing.
 * @throws Fault E_NOT_FOUND, E_IO, E_REFUSED, E_USAGE; E_INTEGRITY for names that are none
 */
export function findTargetPlaces(t: Thread, request: PlaceRequest): TargetPlace[] {
  const { base, roots } = request;
  const target = wholeTarget(request);
  const targetKind = kindAt(t, base, target);
  const wantsFolder = target.endsWith("/") || roots.length > 1;
  if (wantsFolder && targetKind === "other") {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot write into "${displayPath(target)}": it is a file, not a folder`,
      hint: "name a folder, or a single source without slash at the target's end",
    });
  }
  const places: TargetPlace[] = [];
  try {
    for (const [index, root] of roots.entries()) {
      const isBelow = !root.isContents && (targetKind === "folder" || wantsFolder);
      if (isBelow) checkName(root);
      const path = isBelow ? joinPath(target, root.name) : target;
      places.push(openPlace(t, base, { index, kind: root.kind, path, isBelow }));
    }
    refuseSharedNames(places, request);
    return places;
  } catch (error) {
    closePlaces(places);
    throw error;
  }
}

/** The target's path as the rest of it is worded: "" of a module means all of it. */
function wholeTarget({ target, base }: PlaceRequest): string {
  if (target.includes("\0")) throw new Fault({ code: "E_USAGE", message: "Cannot use a NUL" });
  if (target !== "") return target;
  if (base.resolve === 0) {
    throw new Fault({ code: "E_USAGE", message: "Cannot use an empty path" });
  }
  return "./";
}

/** The other side names what is put into the target: it is a single name, or nothing is done. */
function checkName(root: SourceRoot): void {
  if (isName(root.name)) return;
  throw new Fault({
    code: "E_INTEGRITY",
    message: `Cannot use "${displayPath(root.name)}" as a name: the source sent it`,
    hint: "nothing was changed",
  });
}

/** What there is at a path: "nothing" also where a part of it is missing. */
function kindAt(t: Thread, base: Base, path: string): "nothing" | "folder" | "other" {
  const fd = openBeneath(base, path, lookFlags);
  if (fd === -errno.ENOENT) {
    const link = openBeneath(base, path.replace(/\/+$/, ""), lookFlags | O.NOFOLLOW);
    if (link < 0) return "nothing";
    sys.close(link);
    return "other";
  }
  if (fd === -errno.ENOTDIR) return "nothing";
  if (fd < 0) throw cannot("look at", path, fd);
  const looked = t.statFd(fd, t.other);
  sys.close(fd);
  if (looked < 0) throw cannot("look at", path, looked);
  return (t.other.mode & S.IFMT) === S.IFDIR ? "folder" : "other";
}

type Named = Pick<TargetPlace, "index" | "kind" | "isBelow"> & { readonly path: string };

function openPlace(t: Thread, base: Base, named: Named): TargetPlace {
  const { index, kind, path, isBelow } = named;
  const { folder, name } = splitPath(path);
  const targetFd = kind === "folder" ? openTarget(t, base, named) : -1;
  try {
    const { fd: parentFd, missing } = openParent(base, folder);
    const common = { index, kind, targetPath: path, targetName: name };
    return { ...common, parentFd, missing, targetFd, isBelow: kind === "folder" && isBelow };
  } catch (error) {
    if (targetFd >= 0) sys.close(targetFd);
    throw error;
  }
}

/** The target's folder, -1 where there is none. @throws Fault where something else is there */
function openTarget(t: Thread, base: Base, { path, isBelow }: Named): number {
  const fd = openQuietly(base, path, isBelow ? folderFlags : readFolderFlags);
  if (fd >= 0) return fd;
  if (fd === -errno.ENOENT && kindAt(t, base, path) === "nothing") return -1;
  const isOther = fd === -errno.ENOTDIR || fd === -errno.ELOOP || fd === -errno.ENOENT;
  if (!isOther || kindAt(t, base, path) === "nothing") {
    if (fd === -errno.ENOTDIR) return -1;
    throw cannot("open", path, fd);
  }
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot replace "${displayPath(path)}" with a folder: it is not a folder`,
    hint: "remove it first, or name another target",
  });
}

/** Opens the folder that is to hold the target, or the nearest one above it that is there. */
function openParent(base: Base, folder: string): { fd: number; missing: string[] } {
  const missing: string[] = [];
  let existing = folder;
  for (;;) {
    const fd = openQuietly(base, existing, readFolderFlags);
    if (fd >= 0) return { fd, missing: missing.reverse() };
    const above = splitPath(existing);
    const isTop = above.folder === existing || missing.length >= missingMax;
    if (fd !== -errno.ENOENT || isTop || above.name === "..") throw cannot("open", existing, fd);
    missing.push(above.name);
    existing = above.folder;
  }
}

/** Folders of one name are merged; of files all but one would be lost. */
function refuseSharedNames(places: readonly TargetPlace[], request: PlaceRequest): void {
  const { roots, command } = request;
  const byName = new Map<string, TargetPlace>();
  for (const place of places) {
    if (roots[place.index]?.isContents === true) continue;
    const other = byName.get(place.targetName);
    if (other !== undefined && (place.kind === "entry" || other.kind === "entry")) {
      const typed = (index: number): string => displayPath(roots[index]?.typed ?? "");
      const both = `"${typed(other.index)}" and "${typed(place.index)}"`;
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot ${command} ${both} to one name, "${displayPath(place.targetPath)}"`,
        hint: "name them one at a time, with a target for each",
      });
    }
    byName.set(place.targetName, place);
  }
}

/** Whom what the session itself makes belongs to; undefined = whoever it runs as. */
export type MadeFor = { readonly uid: number; readonly gid: number } | undefined;

/**
 * Makes the folders above the target, and the target where it is a folder. Returns by place whether
 * the target was made. @throws Fault E_IO, E_NOT_FOUND
 */
export function makeTargetPlaces(
  t: Thread,
  places: readonly TargetPlace[],
  madeFor: MadeFor,
): boolean[] {
  return places.map((place) => {
    for (const name of place.missing) {
      const next = makeFolder(t, place, { name, mode: t.newFolderMode, madeFor });
      sys.close(place.parentFd);
      place.parentFd = next.fd;
    }
    place.missing = [];
    if (place.kind !== "folder" || place.targetFd >= 0) return false;
    const { targetName: name } = place;
    const target = makeFolder(t, place, { name, mode: 0o700, madeFor });
    place.targetFd = target.fd;
    return target.isNew;
  });
}

function makeFolder(
  t: Thread,
  place: TargetPlace,
  folder: { readonly name: string; readonly mode: number; readonly madeFor: MadeFor },
): { readonly fd: number; readonly isNew: boolean } {
  const pointer = t.cName(folder.name);
  const made = sys.mkdirat(place.parentFd, pointer, folder.mode);
  if (made < 0 && made !== -errno.EEXIST) throw cannot("make", place.targetPath, made);
  const fd = sys.openat(place.parentFd, pointer, folderFlags, 0);
  if (fd < 0) throw cannot("make", place.targetPath, fd);
  const { madeFor } = folder;
  if (made === 0 && madeFor !== undefined) sys.fchown(fd, madeFor.uid, madeFor.gid);
  return { fd, isNew: made === 0 };
}

export function closePlaces(places: readonly TargetPlace[]): void {
  for (const place of places) {
    if (place.parentFd >= 0) sys.close(place.parentFd);
    if (place.targetFd >= 0) sys.close(place.targetFd);
    place.parentFd = -1;
    place.targetFd = -1;
  }
}
