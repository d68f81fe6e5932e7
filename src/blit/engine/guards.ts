import { AT, O } from "../../../ffi/abi/constants.ts";
import { errnoText } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { forEachName } from "./listing.ts";
import { pathInFileSystem } from "./mount-path.ts";
import { displayPath } from "./path.ts";
import type { Root } from "./roots.ts";
import type { Thread } from "./thread.ts";

/**
 * What is refused before anything is touched. Folders are compared by device and inode, so that
 * links, bind mounts and other spellings of a path make no difference.
 */

type Identity = { readonly dev: number; readonly ino: string; readonly mntId: number };

/** @throws Fault E_IO: what cannot be looked at cannot be told apart either */
function identityOf(t: Thread, fd: number): Identity | undefined {
  if (fd < 0) return undefined;
  const result = t.statFd(fd, t.other);
  if (result < 0) throw cannotTell(result);
  const { dev, inoHigh, inoLow, mntId } = t.other;
  return { dev, ino: `${inoHigh}:${inoLow}`, mntId };
}

function cannotTell(result: number): Fault {
  const message = `Cannot make sure that source and target lie apart: ${errnoText(-result)}`;
  return new Fault({ code: "E_IO", message, hint: "nothing was changed" });
}

function isSame(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

/** To look at a folder it is enough to search the one above: no right to list it is needed. */
const lookFlags = O.PATH | O.DIRECTORY | O.CLOEXEC;
const depthMax = 100_000;

/** Whether a folder, or one of those above it, is `wanted`. */
function isWithin(t: Thread, fd: number, wanted: Identity): boolean {
  let result = sys.openat(fd, t.cName("."), lookFlags, 0);
  let last: Identity | undefined;
  for (let depth = 0; depth < depthMax; depth++) {
    if (result < 0) throw cannotTell(result);
    using current = new Fd(result);
    const here = identityOf(t, current.number);
    if (isSame(here, wanted)) return true;
    if (isSame(here, last)) break;
    last = here;
    result = sys.openat(current.number, t.cName(".."), lookFlags, 0);
  }
  return false;
}

/**
 * Whether a folder lies in another one, or is it: by the folders above it, and, where a mount of
 * part of a file system hides those, by their paths in that file system.
 */
function liesIn(t: Thread, innerFd: number, outerFd: number): boolean {
  const outer = identityOf(t, outerFd);
  const inner = identityOf(t, innerFd);
  if (outer === undefined || inner === undefined) return false;
  if (isWithin(t, innerFd, outer)) return true;
  if (outer.dev !== inner.dev || outer.mntId === inner.mntId) return false;
  const [below, above] = [
    pathInFileSystem(innerFd, inner.mntId),
    pathInFileSystem(outerFd, outer.mntId),
  ];
  if (below === undefined || above === undefined) return false;
  return `${below}/`.startsWith(above === "/" ? above : `${above}/`);
}

function refuse(message: string, hint: string): never {
  throw new Fault({ code: "E_REFUSED", message, hint });
}

/** Refuses a folder into itself and a file onto itself, in every command. @throws {Fault} */
export function refuseOverlap(t: Thread, root: Root): void {
  const { command } = t.options;
  const source = `"${displayPath(root.sourcePath)}"`;
  const target = `"${displayPath(root.targetPath)}"`;
  if (root.kind === "entry") {
    if (isSameEntry(t, root)) refuse(`Cannot ${command} ${source} onto itself`, anotherTarget);
    return;
  }
  const identity = identityOf(t, root.sourceFd);
  if (identity === undefined) return;
  if (isSame(identityOf(t, root.targetFd), identity)) {
    refuse(`Cannot ${command} ${source} onto itself`, anotherTarget);
  }
  const below = root.targetFd >= 0 ? root.targetFd : root.targetParentFd;
  if (below >= 0 && liesIn(t, below, root.sourceFd)) {
    refuse(
      `Cannot ${command} ${source} into itself: ${target} lies in it`,
      "name a target outside the source, or --exclude that part and copy the entries by name",
    );
  }
}

const anotherTarget = "name another target";

/** Whether source and target are one name in one folder, not merely names of one file. */
function isSameEntry(t: Thread, root: Root): boolean {
  const isThere = root.targetParentFd >= 0 && root.missing.length === 0;
  if (!isThere || root.sourceName !== root.targetName) return false;
  if (t.statAt(root.sourceFd, t.cName(root.sourceName), t.source) < 0) return false;
  return isSame(identityOf(t, root.sourceFd), identityOf(t, root.targetParentFd));
}

/**
 * Refuses a mirror that would wipe what nobody means: /, the home folder, a folder that holds the
 * source; and, unless it is allowed, an empty source over a target with something in it.
 * @throws Fault E_REFUSED
 */
export function refuseDangerousMirror(
  t: Thread,
  root: Root,
  options: { readonly allowEmptySource: boolean; readonly backupFd: number | undefined },
): void {
  if (root.kind === "entry" || root.targetFd < 0) return;
  const target = `"${displayPath(root.targetPath)}"`;
  refuseWideMirror(t, root, options.backupFd);
  if (liesIn(t, root.sourceFd, root.targetFd)) {
    refuse(
      `Refusing to mirror onto ${target}: the source lies in it and would be deleted`,
      "name a target that does not hold the source",
    );
  }
  if (!options.allowEmptySource && isEmpty(t, root.sourceFd) && !isEmpty(t, root.targetFd)) {
    const source = `the empty folder "${displayPath(root.sourcePath)}"`;
    refuse(
      `Refusing to mirror ${source} onto ${target}, which has content`,
      "check that the source is mounted; --allow-empty-source does it all the same",
    );
  }
}

/**
 * The part that is about the target alone: /, the home folder, a folder that holds the backups.
 * @throws Fault E_REFUSED
 */
export function refuseWideMirror(
  t: Thread,
  root: Pick<Root, "kind" | "targetFd" | "targetPath">,
  backupFd: number | undefined,
): void {
  if (root.kind === "entry" || root.targetFd < 0) return;
  const target = `"${displayPath(root.targetPath)}"`;
  const identity = identityOf(t, root.targetFd);
  if (identity === undefined) return;
  const { homedir, userInfo } = process.getBuiltinModule("node:os");
  const named: [string, string][] = [
    ["/", "the root folder"],
    [homedir(), "your home folder"],
    [userInfo().homedir, "your home folder"],
  ];
  for (const [path, what] of named) {
    const bytes = Buffer.from(path).toString("latin1");
    using folder = new Fd(sys.openat(AT.FDCWD, t.cLink(bytes), lookFlags, 0));
    if (folder.isOpen && isSame(identityOf(t, folder.number), identity)) {
      refuse(`Refusing to mirror onto ${target}: it is ${what}`, "mirror into a folder below it");
    }
  }
  if (backupFd !== undefined && liesIn(t, backupFd, root.targetFd)) {
    refuse(
      `Refusing to mirror onto ${target}: the backup folder lies in it and would be deleted`,
      "name a backup folder outside the target, on the same file system",
    );
  }
}

function isEmpty(t: Thread, fd: number): boolean {
  let entries = 0;
  forEachName(t, fd, () => {
    entries++;
  });
  return entries === 0;
}
