import { O, S } from "../../../ffi/abi/constants.ts";
import { errno, errnoText } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { forEachName } from "../engine/listing.ts";
import { displayPath, meansContents, splitPath } from "../engine/path.ts";
import type { Thread } from "../engine/thread.ts";
import { openBeneath } from "../session/open-beneath.ts";
import type { Base } from "../session/types.ts";
import type { OpenRoot } from "./messages.ts";

export type HeldRoot = OpenRoot & {
  /** A folder with nothing in it. */
  readonly isEmpty: boolean;
};

/**
 * Resolves and opens what is named as sources: the only place where paths are used; everything
 * below goes through the descriptors that are opened here.
 * @param base paths of a module never lead out of its folder; "" is the folder itself
 * @throws Fault E_NOT_FOUND, E_IO, E_REFUSED, E_USAGE
 */
export function openSourceRoots(t: Thread, base: Base, sources: readonly string[]): HeldRoot[] {
  const roots: HeldRoot[] = [];
  try {
    for (const [index, typed] of sources.entries()) roots.push(openRoot(t, base, typed, index));
    return roots;
  } catch (error) {
    closeSourceRoots(roots);
    throw error;
  }
}

export function closeSourceRoots(roots: readonly HeldRoot[]): void {
  for (const { fd, parentFd } of roots) {
    for (const each of new Set([fd, parentFd])) if (each >= 0) sys.close(each);
  }
}

function openRoot(t: Thread, base: Base, typed: string, index: number): HeldRoot {
  const isModule = base.resolve !== 0;
  if (typed === "" && !isModule) {
    throw new Fault({ code: "E_USAGE", message: "Cannot use an empty path" });
  }
  // An absolute path is one from the module's folder.
  const path = isModule ? typed.replace(/^\/+/, "") : typed;
  const isContents = path === "" || meansContents(path);
  using looked = new Fd(openBeneath(base, path, O.PATH | (isContents ? 0 : O.NOFOLLOW)));
  const status = looked.isOpen ? t.statFd(looked.number, t.source) : looked.number;
  if (status < 0) throw cannotRead(typed, status);
  const isFolder = (t.source.mode & S.IFMT) === S.IFDIR;
  if (isContents && !isFolder) throw cannotRead(typed, -errno.ENOTDIR);
  const { folder, name } = splitPath(path === "" ? "." : path);
  const hasParent = name !== "." && name !== "..";
  const passing = O.PATH | O.DIRECTORY;
  using parent = new Fd(hasParent ? openBeneath(base, folder, passing) : -errno.ENOENT);
  const reading = O.RDONLY | O.DIRECTORY | O.NONBLOCK;
  using opened = new Fd(isFolder ? openBeneath(base, path, reading) : -errno.ENOTDIR);
  const needed = isFolder ? opened : parent;
  if (!needed.isOpen) throw cannotRead(typed, needed.number);
  const isEmpty = isFolder && hasNothing(t, opened.number);
  const parentFd = parent.isOpen ? parent.transfer() : -1;
  return {
    index,
    kind: isFolder ? "folder" : "entry",
    name: hasParent ? name : "",
    isContents,
    typed,
    fd: isFolder ? opened.transfer() : parentFd,
    entryName: isFolder ? "" : name,
    parentFd,
    parentName: name,
    isEmpty,
  };
}

function hasNothing(t: Thread, fd: number): boolean {
  let entries = 0;
  const listed = forEachName(t, fd, () => {
    entries++;
  });
  return listed === 0 && entries === 0;
}

function cannotRead(path: string, result: number): Fault {
  const message = `Cannot read "${displayPath(path)}": ${errnoText(-result)}`;
  if (result === -errno.ENOENT) {
    const hint = "check the path; nothing was changed";
    return new Fault({ code: "E_NOT_FOUND", message, hint });
  }
  if (result === -errno.EXDEV) {
    return new Fault({
      code: "E_REFUSED",
      message: `Cannot read "${displayPath(path)}": it leads out of the module`,
    });
  }
  return new Fault({ code: "E_IO", message });
}
