import { fstatSync, readdirSync, readFileSync } from "node:fs";
import { O, S } from "../../../ffi/abi/constants.ts";
import { RESOLVE } from "../../../ffi/abi/open-how.ts";
import { errno, errnoName, errnoText } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../fault/fault.ts";
import {
  HERE,
  makeFolderAt,
  makeLinkAt,
  openAt,
  openWithin,
  readLinkAt,
  removeFileAt,
  removeFolderAt,
  replaceAt,
  writeAllTo,
} from "./at.ts";
import { type Attributes, attributesOf, giveAttributes } from "./attributes.ts";
import { fillFrom } from "./fill-from.ts";

/** What something in a root folder is. */
export interface EntryStatus {
  readonly kind: "file" | "folder" | "link" | "other";
  /** Permission bits, with set-uid, set-gid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
}

/**
 * Rights of what is made; what is left out is root's, or the old file's where there is one. Who is
 * not root makes everything his own: then the owners are for somebody else to set.
 */
export interface EntryRights {
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** How links on the way are taken. */
export type LinkRule =
  /** As in a chroot: an absolute target begins at the root, and ".." ends there. */
  | "within"
  /** Not at all: for folders that somebody else may write to. */
  | "none";

/**
 * A folder that holds a foreign system: paths in it are resolved as that system would, and never
 * lead out of it, whatever links it holds and whoever moves them meanwhile (openat2(2)). Paths are
 * relative, without a slash in front. Changes replace the last name itself, never what it links to.
 */
export class RootFolder implements Disposable {
  /** For messages. */
  readonly path: string;
  readonly #fd: number;
  readonly #resolve: number;

  private constructor(path: string, fd: number, links: LinkRule) {
    this.path = path;
    this.#fd = fd;
    const rule = links === "within" ? RESOLVE.IN_ROOT : RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS;
    this.#resolve = rule | RESOLVE.NO_MAGICLINKS;
  }

  /** @throws {Fault} E_NOT_FOUND, E_PRIVILEGE, E_IO */
  static open(path: string, links: LinkRule = "within"): RootFolder {
    const fd = openAt(HERE, path, O.PATH | O.DIRECTORY);
    if (fd < 0) throw pathFault("open", path, -fd);
    return new RootFolder(path, fd, links);
  }

  /** A folder in it as a root of its own. @throws {Fault} as {@link open} */
  sub(path: string, links: LinkRule): RootFolder {
    const fd = this.#open(path, O.PATH | O.DIRECTORY);
    if (fd < 0) throw pathFault("open", this.#shown(path), -fd);
    return new RootFolder(this.#shown(path), fd, links);
  }

  [Symbol.dispose](): void {
    sys.close(this.#fd);
  }

  /** What is there, a link itself unless `follow`; undefined where nothing is. */
  status(path: string, options: { readonly follow?: boolean } = {}): EntryStatus | undefined {
    const fd = this.#open(path, O.PATH | (options.follow === true ? 0 : O.NOFOLLOW));
    if (isAbsent(fd)) return undefined;
    if (fd < 0) throw pathFault("read", this.#shown(path), -fd);
    try {
      const { mode, uid, gid, size } = fstatSync(fd);
      return { kind: kindOf(mode), mode: mode & 0o7777, uid, gid, sizeBytes: size };
    } finally {
      sys.close(fd);
    }
  }

  /** The bytes of a file, links followed within the root; undefined where there is none. */
  read(path: string): Buffer | undefined {
    // Without O_NONBLOCK a named pipe in the place of a file would hold us up.
    const fd = this.#open(path, O.RDONLY | O.NONBLOCK);
    if (isAbsent(fd)) return undefined;
    if (fd < 0) throw pathFault("read", this.#shown(path), -fd);
    try {
      if (!fstatSync(fd).isFile()) throw pathFault("read", this.#shown(path), errno.EINVAL);
      return readFileSync(fd);
    } finally {
      sys.close(fd);
    }
  }

  /** As {@link read}, as UTF-8 text. */
  readText(path: string): string | undefined {
    return this.read(path)?.toString("utf8");
  }

  /** The target of a link; undefined where there is none, or no link. */
  readLink(path: string): string | undefined {
    const parent = this.#openParent(path);
    if (isAbsent(parent)) return undefined;
    if (parent < 0) throw pathFault("read", this.#shown(path), -parent);
    try {
      const target = readLinkAt(parent, nameOf(path));
      if (typeof target === "string") return target;
      if (isAbsent(target) || target === -errno.EINVAL) return undefined;
      throw pathFault("read", this.#shown(path), -target);
    } finally {
      sys.close(parent);
    }
  }

  /** Names in a folder, sorted; none where there is no folder. */
  names(path: string): string[] {
    const fd = this.#open(path, O.RDONLY | O.DIRECTORY);
    if (isAbsent(fd)) return [];
    if (fd < 0) throw pathFault("list", this.#shown(path), -fd);
    try {
      return readdirSync(`/proc/self/fd/${fd}`).sort();
    } finally {
      sys.close(fd);
    }
  }

  /**
   * Makes or replaces a file as a whole: after a crash it is the old one or the new one. The folder
   * must be there.
   */
  writeFile(path: string, content: string | Uint8Array, rights: EntryRights = {}): void {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const old = this.status(path);
    const kept = old?.kind === "file" ? old : undefined;
    this.#replace(path, (parent, temporary) => {
      const fd = openAt(parent, temporary, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW, 0o600);
      if (fd < 0) return fd;
      let result = writeAllTo(fd, bytes);
      if (result >= 0) result = own(fd, { ...kept, ...given(rights) });
      if (result >= 0) result = sys.fchmod(fd, rights.mode ?? kept?.mode ?? 0o644);
      if (result >= 0) result = sys.fsync(fd);
      sys.close(fd);
      return result;
    });
  }

  /**
   * Makes or replaces a file by a copy of the one at the same path of another root, with its rights
   * and attributes; on one file system the copy shares its blocks. The folder must be there.
   *
   * @param isSynced false where somebody else sees to it that the copy gets to the disk
   */
  copyFile(from: RootFolder, path: string, rights: EntryRights = {}, isSynced = true): void {
    const source = from.#open(path, O.RDONLY | O.NOFOLLOW | O.NONBLOCK);
    if (source < 0) throw pathFault("read", from.#shown(path), -source);
    try {
      const { mode, uid, gid, size } = fstatSync(source);
      if ((mode & S.IFMT) !== S.IFREG) throw pathFault("read", from.#shown(path), errno.EINVAL);
      const make = (parent: number, temporary: string): number => {
        const fd = openAt(parent, temporary, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW, 0o600);
        if (fd < 0) return fd;
        let result = size === 0 ? 0 : fillFrom(source, fd);
        if (result >= 0) result = own(fd, { uid, gid, ...given(rights) });
        if (result >= 0) result = sys.fchmod(fd, rights.mode ?? mode & 0o7777);
        if (result >= 0) result = giveAttributes(fd, attributesOf(source));
        if (result >= 0 && isSynced) result = sys.fsync(fd);
        sys.close(fd);
        return result;
      };
      this.#replace(path, make, isSynced);
    } finally {
      sys.close(source);
    }
  }

  /** Extended attributes of a file or folder, not through a link. */
  attributes(path: string): Attributes {
    const fd = this.#openSelf(path, "read");
    const found = attributesOf(fd);
    sys.close(fd);
    return found;
  }

  /** Has a file or folder have exactly these extended attributes. */
  setAttributes(path: string, attributes: Attributes): void {
    const fd = this.#openSelf(path, "change");
    const result = giveAttributes(fd, attributes);
    sys.close(fd);
    if (result < 0) throw pathFault("change", this.#shown(path), -result);
  }

  /** Gives something another name, in the place of what has it, unless that is a full folder. */
  rename(path: string, to: string): void {
    const [from, target] = [this.#openParent(path), this.#openParent(to)];
    const missing = Math.min(from, target);
    const result = missing < 0 ? missing : replaceAt(from, nameOf(path), target, nameOf(to));
    if (from >= 0) sys.close(from);
    if (target >= 0) sys.close(target);
    if (result < 0) throw pathFault("rename", this.#shown(path), -result);
  }

  /** Makes a file, unless the name is taken: then false. For locks. */
  createFile(path: string, content: string, rights: { readonly mode: number }): boolean {
    const parent = this.#openParent(path);
    if (parent < 0) throw pathFault("write", this.#shown(path), -parent);
    const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW;
    const fd = openAt(parent, nameOf(path), flags, rights.mode);
    const result = fd < 0 ? fd : writeAllTo(fd, Buffer.from(content));
    if (fd >= 0) sys.close(fd);
    sys.close(parent);
    if (result === -errno.EEXIST) return false;
    if (result < 0) throw pathFault("write", this.#shown(path), -result);
    return true;
  }

  /** Makes or replaces a symbolic link, whatever has the name, folders apart. */
  writeLink(path: string, target: string): void {
    this.#replace(path, (parent, temporary) => makeLinkAt(target, parent, temporary));
  }

  /** Makes a folder and those above it; those that are there stay as they are. */
  makeFolder(path: string, rights: EntryRights = {}): void {
    const parts = path.split("/");
    for (let depth = 1; depth <= parts.length; depth++) {
      const part = parts.slice(0, depth).join("/");
      this.#makeOne(part, depth === parts.length ? rights : {});
    }
  }

  /** Sets owner and permissions of what is there, never of what a link leads to. */
  setRights(
    path: string,
    rights: { readonly mode: number; readonly uid: number; readonly gid: number },
  ): void {
    const fd = this.#openSelf(path, "change");
    try {
      const owned = own(fd, rights);
      const result = owned < 0 ? owned : sys.fchmod(fd, rights.mode);
      if (result < 0) throw pathFault("change", this.#shown(path), -result);
    } finally {
      sys.close(fd);
    }
  }

  /** Removes a file, a link or an empty folder; what is not there is fine. */
  remove(path: string): void {
    const parent = this.#openParent(path);
    if (isAbsent(parent)) return;
    if (parent < 0) throw pathFault("remove", this.#shown(path), -parent);
    const name = nameOf(path);
    let result = removeFileAt(parent, name);
    if (result === -errno.EISDIR) result = removeFolderAt(parent, name);
    if (result >= 0) this.#sync(parent);
    sys.close(parent);
    if (result < 0 && !isAbsent(result)) throw pathFault("remove", this.#shown(path), -result);
  }

  #makeOne(path: string, rights: EntryRights): void {
    const parent = this.#openParent(path);
    if (parent < 0) throw pathFault("make", this.#shown(path), -parent);
    const name = nameOf(path);
    try {
      const made = makeFolderAt(parent, name, 0o700);
      if (made === -errno.EEXIST) {
        const kind = this.status(path, { follow: true })?.kind;
        if (kind !== "folder") throw pathFault("make", this.#shown(path), errno.EEXIST);
        return;
      }
      if (made < 0) throw pathFault("make", this.#shown(path), -made);
      const fd = openAt(parent, name, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
      if (fd < 0) throw pathFault("make", this.#shown(path), -fd);
      const owned = own(fd, rights);
      const result = owned < 0 ? owned : sys.fchmod(fd, rights.mode ?? 0o755);
      sys.close(fd);
      if (result < 0) throw pathFault("make", this.#shown(path), -result);
      this.#sync(parent);
    } finally {
      sys.close(parent);
    }
  }

  #replace(
    path: string,
    make: (parent: number, temporary: string) => number,
    isSynced = true,
  ): void {
    const parent = this.#openParent(path);
    if (parent < 0) throw pathFault("write", this.#shown(path), -parent);
    const random = Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString("hex");
    // Short, so that a name of any length fits; the dot keeps globs such as *.conf away.
    const temporary = `.${random}.tmp`;
    try {
      let result = make(parent, temporary);
      if (result >= 0) result = replaceAt(parent, temporary, parent, nameOf(path));
      if (result < 0) {
        removeFileAt(parent, temporary);
        throw pathFault("write", this.#shown(path), -result);
      }
      if (isSynced) this.#sync(parent);
    } finally {
      sys.close(parent);
    }
  }

  #openSelf(path: string, action: string): number {
    const fd = this.#open(path, O.RDONLY | O.NOFOLLOW | O.NONBLOCK);
    if (fd < 0) throw pathFault(action, this.#shown(path), -fd);
    return fd;
  }

  /** Makes the names in a folder last; the descriptor may be an O_PATH one. */
  #sync(parent: number): void {
    const fd = openAt(parent, ".", O.RDONLY | O.DIRECTORY);
    if (fd < 0) return;
    sys.fsync(fd);
    sys.close(fd);
  }

  #openParent(path: string): number {
    const slash = path.lastIndexOf("/");
    return this.#open(slash < 0 ? "." : path.slice(0, slash), O.PATH | O.DIRECTORY);
  }

  #open(path: string, flags: number): number {
    return openWithin(this.#fd, path, { flags, resolve: this.#resolve });
  }

  #shown(path: string): string {
    return this.path === "/" ? `/${path}` : `${this.path}/${path}`;
  }
}

function nameOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === "" || name === "." || name === "..") throw new Error(`No name in "${path}"`);
  return name;
}

/** fchown(2), where that is for us to do. */
function own(fd: number, rights: EntryRights): number {
  return process.geteuid?.() === 0 ? sys.fchown(fd, rights.uid ?? 0, rights.gid ?? 0) : 0;
}

/** Without what was not said. */
function given(rights: EntryRights): EntryRights {
  return Object.fromEntries(Object.entries(rights).filter(([, value]) => value !== undefined));
}

function isAbsent(result: number): boolean {
  return result === -errno.ENOENT || result === -errno.ENOTDIR;
}

function kindOf(mode: number): EntryStatus["kind"] {
  switch (mode & S.IFMT) {
    case S.IFREG:
      return "file";
    case S.IFDIR:
      return "folder";
    case S.IFLNK:
      return "link";
    default:
      return "other";
  }
}

function pathFault(action: string, path: string, number: number): Fault {
  const name = errnoName(number);
  const message = `Cannot ${action} "${path}": ${errnoText(number)}`;
  const details = { path, errno: name };
  if (number === errno.ENOENT || number === errno.ENOTDIR) {
    return new Fault({ code: "E_NOT_FOUND", message, details });
  }
  if (number === errno.EPERM || number === errno.EACCES) {
    return new Fault({ code: "E_PRIVILEGE", message, hint: "run it as root", details });
  }
  if (number === errno.ENOSPC || number === errno.EDQUOT) {
    return new Fault({ code: "E_NO_SPACE", message, details });
  }
  if (number === errno.ELOOP || number === errno.EXDEV) {
    return new Fault({
      code: "E_REFUSED",
      message: `Cannot ${action} "${path}": a symbolic link on the way leads elsewhere`,
      details,
    });
  }
  return new Fault({ code: "E_IO", message, details });
}
