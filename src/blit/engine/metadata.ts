import { AT, S } from "../../../ffi/abi/constants.ts";
import type { StatView } from "../../../ffi/abi/stat.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import type { FolderNode, FolderStatus } from "./folder-node.ts";
import { counter, type Unheld, unheld } from "./shared-state.ts";
import { type Thread, xattrBytes } from "./thread.ts";

/** Errors that mean "this file system has no such thing", rather than "this once it failed". */
function isUnsupported(result: number): boolean {
  return result === -errno.EOPNOTSUPP || result === -errno.ENOSYS || result === -errno.ENOTTY;
}

/** Keeps what a folder's status says, in plain numbers: the view it came from is reused. */
export function keepStatus(view: StatView): FolderStatus {
  return {
    mode: view.mode,
    uid: view.uid,
    gid: view.gid,
    atimeSec: view.atimeSec,
    atimeNsec: view.atimeNsec,
    mtimeSec: view.mtimeSec,
    mtimeNsec: view.mtimeNsec,
  };
}

/** Which owner and group to set, -1 for as it is; as root both, else a group that we are in. */
export function ownerToSet(
  t: Thread,
  wanted: { readonly uid: number; readonly gid: number },
  present: { readonly uid: number; readonly gid: number },
): { uid: number; gid: number } | undefined {
  if (wanted.uid === present.uid && wanted.gid === present.gid) return undefined;
  if (!t.options.owner) return undefined;
  const { uid, groups } = t.options.user;
  const owner = uid === 0 && wanted.uid !== present.uid ? wanted.uid : -1;
  const mayGroup = uid === 0 || groups.includes(wanted.gid);
  const group = mayGroup && wanted.gid !== present.gid ? wanted.gid : -1;
  return owner === -1 && group === -1 ? undefined : { uid: owner, gid: group };
}

const unsignedMinusOne = 0xffffffff;

function asUnsigned(id: number): number {
  return id === -1 ? unsignedMinusOne : id;
}

/** fchown, with what the target cannot hold told once. Returns true when it was set. */
export function setOwner(
  t: Thread,
  fd: number,
  owner: { readonly uid: number; readonly gid: number },
  path: () => string,
): boolean {
  const result = sys.fchown(fd, asUnsigned(owner.uid), asUnsigned(owner.gid));
  if (result === 0) return true;
  if (result === -errno.EPERM || result === -errno.EINVAL || isUnsupported(result)) {
    t.tellCannotHold("owner and group", result, "fchown", path());
  } else t.attributeFailed(result, "fchown", path(), "owner");
  return false;
}

/** As `setOwner`, for what cannot be opened: symbolic links and devices. */
export function setOwnerAt(
  t: Thread,
  fd: number,
  namePointer: number,
  owner: { readonly uid: number; readonly gid: number },
  path: string,
): void {
  const uid = asUnsigned(owner.uid);
  const gid = asUnsigned(owner.gid);
  const result = sys.fchownat(fd, namePointer, uid, gid, AT.SYMLINK_NOFOLLOW);
  if (result === 0) return;
  if (result === -errno.EPERM || isUnsupported(result)) {
    t.tellCannotHold("owner and group", result, "fchownat", path);
  } else t.attributeFailed(result, "fchownat", path, "owner");
}

function setMode(t: Thread, fd: number, mode: number, path: () => string): void {
  const result = sys.fchmod(fd, mode & 0o7777);
  if (result === 0) return;
  if (result === -errno.EPERM || isUnsupported(result)) {
    t.tellCannotHold("permissions", result, "fchmod", path());
  } else t.attributeFailed(result, "fchmod", path(), "permissions");
}

/**
 * The mode that an entry may have under this owner. A file keeps its set-id bits only with the
 * owner and group that they stand for: a program that ran with its owner's rights must not run with
 * those of whoever copies it. On a folder they say what its entries inherit, and stay.
 */
export function modeUnder(
  wanted: { readonly mode: number; readonly uid: number; readonly gid: number },
  owner: { readonly uid: number; readonly gid: number },
): number {
  const mode = wanted.mode & 0o7777;
  if ((wanted.mode & S.IFMT) !== S.IFREG || (mode & 0o6000) === 0) return mode;
  const withoutUser = owner.uid === wanted.uid ? mode : mode & ~S.ISUID;
  return owner.gid === wanted.gid ? withoutUser : withoutUser & ~S.ISGID;
}

/** Owner and group once `change` is made, -1 in it standing for no change. */
export function ownerAfter(
  present: { readonly uid: number; readonly gid: number },
  change: { readonly uid: number; readonly gid: number } | undefined,
): { uid: number; gid: number } {
  const uid = change === undefined || change.uid === -1 ? present.uid : change.uid;
  const gid = change === undefined || change.gid === -1 ? present.gid : change.gid;
  return { uid, gid };
}

/** The mode to create a file with: the wanted one, or a closed one until its owner is set. */
export function creationMode(t: Thread, node: FolderNode, mode: number, owned: boolean): number {
  return owned && !hasDefaultAcl(t, node) ? mode & 0o777 : 0o600;
}

/** The owner to set on a file that this run makes in `node`, undefined for none. */
export function newFileOwner(
  t: Thread,
  node: FolderNode,
  view: StatView,
): { uid: number; gid: number } | undefined {
  if (!t.options.owner) return undefined;
  const { uid } = t.options.user;
  if (view.uid === uid && view.gid === node.newFileGid) return undefined;
  return ownerToSet(t, view, { uid, gid: node.newFileGid });
}

/**
 * Gives a new file the attributes of its source, whose status is in `view`: owner, mode, extended
 * attributes with ACLs, times; in this order, since a change of owner clears set-id bits and
 * capabilities, and everything changes the times.
 */
export function applyToNewFile(
  t: Thread,
  node: FolderNode,
  fds: { readonly source: number; readonly target: number },
  view: StatView,
): void {
  const path = (): string => node.pathOf(t.entryName());
  const failedBefore = attributesFailed(t);
  const owner = newFileOwner(t, node, view);
  const isOwned = owner !== undefined && setOwner(t, fds.target, owner, path);
  const made = { uid: t.options.user.uid, gid: node.newFileGid };
  const mode = modeUnder(view, ownerAfter(made, isOwned ? owner : undefined));
  if (owner !== undefined || (mode & 0o7000) !== 0 || hasDefaultAcl(t, node)) {
    setMode(t, fds.target, mode, path);
  }
  if (t.options.xattrs) {
    copyXattrs(t, fds.source, fds.target, path, { mayHaveOwn: hasDefaultAcl(t, node) });
  }
  // Without the source's time the file counts as different: the next run tries again.
  if (attributesFailed(t) === failedBefore) setTimesOf(t, fds.target, view, path);
}

/** How many attributes could not be set by this thread so far. */
export function attributesFailed(t: Thread): number {
  return t.count[counter.attributesFailed] as number;
}

/** Sets access and modification time of an open file. */
export function setTimesOf(
  t: Thread,
  fd: number,
  status: Pick<StatView, "atimeSec" | "atimeNsec" | "mtimeSec" | "mtimeNsec">,
  path: () => string,
): void {
  const times = t.setTimes(status.atimeSec, status.atimeNsec, status.mtimeSec, status.mtimeNsec);
  const result = sys.futimens(fd, times);
  if (result !== 0) t.attributeFailed(result, "futimens", path(), "times");
}

/**
 * Sets owner and times of a link, FIFO, socket or device by its name. Its mode was set when it was
 * made; a change of owner takes set-id bits away (chown(2)).
 */
export function applyAt(
  t: Thread,
  node: FolderNode,
  namePointer: number,
  view: StatView,
  path: string,
): void {
  const owner = newFileOwner(t, node, view);
  if (owner !== undefined) setOwnerAt(t, node.targetFd, namePointer, owner, path);
  if (owner !== undefined && (view.mode & 0o6000) !== 0 && (view.mode & S.IFMT) !== S.IFLNK) {
    const mode = view.mode & 0o7777;
    const set = sys.fchmodat(node.targetFd, namePointer, mode, AT.SYMLINK_NOFOLLOW);
    if (set < 0) t.attributeFailed(set, "fchmodat", path, "permissions");
  }
  const times = t.setTimes(view.atimeSec, view.atimeNsec, view.mtimeSec, view.mtimeNsec);
  const result = sys.utimensat(node.targetFd, namePointer, times, AT.SYMLINK_NOFOLLOW);
  if (result === 0) return;
  if (isUnsupported(result)) t.tellCannotHold("times of links", result, "utimensat", path);
  else t.attributeFailed(result, "utimensat", path, "times");
}

/**
 * Makes attributes of an existing file or folder like the source's where they differ.
 * Returns whether anything but times was changed. `present` is the target's status.
 */
export function mendAttributes(
  t: Thread,
  fds: { readonly source: number; readonly target: number },
  wanted: FolderStatus,
  present: FolderStatus,
  options: {
    readonly xattrs: boolean;
    /** The target may have extended attributes already. */
    readonly mayHaveOwn: boolean;
    readonly path: () => string;
  },
): boolean {
  const owner = ownerToSet(t, wanted, present);
  const isOwned = owner !== undefined && setOwner(t, fds.target, owner, options.path);
  const mode = modeUnder(wanted, ownerAfter(present, isOwned ? owner : undefined));
  let isChanged = owner !== undefined || mode !== (present.mode & 0o7777);
  if (isChanged) setMode(t, fds.target, mode, options.path);
  if (options.xattrs && t.options.xattrs) {
    const changed = copyXattrs(t, fds.source, fds.target, options.path, options);
    isChanged ||= changed;
  }
  return isChanged;
}

/** Names in an extended-attribute list that is in memory: NUL-terminated, one after the other. */
function attributeNames(text: string): string[] {
  return text === "" ? [] : text.slice(0, -1).split("\0");
}

/** Attributes that are not the owner's to copy: the target's own policy sets them. */
function isLeftToTarget(name: string): boolean {
  return name === "security.selinux" || name === "security.ima" || name === "security.evm";
}

/**
 * Makes extended attributes (ACLs are among them) of `target` those of `source`.
 * With `mayHaveOwn` the ones that the source has not are removed and equal ones left alone.
 * Returns whether anything was changed.
 */
export function copyXattrs(
  t: Thread,
  source: number,
  target: number,
  path: () => string,
  options: { readonly mayHaveOwn: boolean },
): boolean {
  const listed = t.received === undefined ? listSource(t, source, path) : t.received.names;
  if (listed === undefined) return false;
  const names = listed === "unsupported" ? [] : listed;
  if (names.length === 0 && !options.mayHaveOwn) return false;
  let isChanged = false;
  if (options.mayHaveOwn) isChanged = removeForeignXattrs(t, target, listed, path);
  for (const name of names) {
    if (!isLeftToTarget(name)) {
      const changed = copyOneXattr(t, { source, target }, name, path, options.mayHaveOwn);
      isChanged ||= changed;
    }
  }
  return isChanged;
}

/** Names of the source's attributes; undefined, after a report, where they cannot be listed. */
function listSource(
  t: Thread,
  source: number,
  path: () => string,
): string[] | "unsupported" | undefined {
  const memory = t.xattr;
  const listed = sys.flistxattr(source, memory.pointer, xattrBytes);
  if (listed < 0) {
    if (isUnsupported(listed)) return "unsupported";
    t.attributeFailed(listed, "flistxattr", path(), "extended attributes");
    return undefined;
  }
  return attributeNames(memory.text.latin1Slice(0, listed));
}

/** Puts a value of the source into the second part of t.xattr; its length or -errno. */
function loadSource(t: Thread, source: number, name: string): number {
  const { received, xattr } = t;
  if (received !== undefined) return received.load(name, xattr.bytes, xattrBytes);
  return sys.fgetxattr(source, t.cLink(name), xattr.pointer + xattrBytes, xattrBytes);
}

/**
 * Whether attributes of an existing file or folder differ from the source's: what a dry run says of
 * `mendAttributes`.
 */
export function attributesDiffer(
  t: Thread,
  fds: { readonly source: number; readonly target: number },
  wanted: FolderStatus,
  present: FolderStatus,
): boolean {
  const owner = ownerToSet(t, wanted, present);
  if (owner !== undefined) return true;
  if (modeUnder(wanted, present) !== (present.mode & 0o7777)) return true;
  return t.options.xattrs && xattrsDiffer(t, fds.source, fds.target);
}

function xattrsDiffer(t: Thread, source: number, target: number): boolean {
  const memory = t.xattr;
  const namesOf = (fd: number): string[] => {
    const listed = sys.flistxattr(fd, memory.pointer, xattrBytes);
    const names = attributeNames(memory.text.latin1Slice(0, Math.max(0, listed)));
    return names.filter((name) => !isLeftToTarget(name)).sort();
  };
  const { received } = t;
  if (received === undefined && isUnsupported(sys.flistxattr(source, memory.pointer, xattrBytes))) {
    return namesOf(target).some((name) => !mayStay(name, "unsupported"));
  }
  const names =
    received === undefined
      ? namesOf(source)
      : received.names.filter((name) => !isLeftToTarget(name)).sort();
  if (names.join("\0") !== namesOf(target).join("\0")) return true;
  const [left, right] = [memory.pointer + xattrBytes, memory.pointer + 2 * xattrBytes];
  return names.some((name) => {
    const length = loadSource(t, source, name);
    if (sys.fgetxattr(target, t.cLink(name), right, xattrBytes) !== length) return true;
    return length > 0 && sys.memcmp(left, right, length) !== 0;
  });
}

/**
 * A source that cannot have any attributes says nothing about those of the target; but it has
 * permissions, which an ACL would change.
 */
function mayStay(name: string, wanted: readonly string[] | "unsupported"): boolean {
  if (wanted === "unsupported") return !name.startsWith("system.posix_acl");
  return wanted.includes(name);
}

function removeForeignXattrs(
  t: Thread,
  target: number,
  wanted: readonly string[] | "unsupported",
  path: () => string,
): boolean {
  const memory = t.xattr;
  const listed = sys.flistxattr(target, memory.pointer, xattrBytes);
  if (listed <= 0) return false;
  let isChanged = false;
  for (const name of attributeNames(memory.text.latin1Slice(0, listed))) {
    if (isLeftToTarget(name) || mayStay(name, wanted)) continue;
    const result = sys.fremovexattr(target, t.cLink(name));
    if (result === 0) isChanged = true;
    else if (!isUnsupported(result) && result !== -errno.ENODATA) {
      t.attributeFailed(result, "fremovexattr", path(), `removal of attribute ${name}`);
    }
  }
  return isChanged;
}

function copyOneXattr(
  t: Thread,
  fds: { readonly source: number; readonly target: number },
  name: string,
  path: () => string,
  mayBeEqual: boolean,
): boolean {
  const memory = t.xattr;
  const valuePointer = memory.pointer + xattrBytes;
  const length = loadSource(t, fds.source, name);
  if (length === -errno.ENODATA) return false;
  if (length < 0) {
    t.attributeFailed(length, "fgetxattr", path(), `attribute ${name}`);
    return false;
  }
  const namePointer = t.cLink(name);
  if (mayBeEqual) {
    const other = valuePointer + xattrBytes;
    const present = sys.fgetxattr(fds.target, namePointer, other, xattrBytes);
    if (present === length && sys.memcmp(valuePointer, other, length) === 0) return false;
  }
  const set = (): number => sys.fsetxattr(fds.target, namePointer, valuePointer, length, 0);
  let result = set();
  if (result === -errno.EACCES) result = whileWritable(t, fds.target, set);
  if (result === 0) return true;
  const isForbidden = result === -errno.EPERM && !name.startsWith("user.");
  if (isUnsupported(result) || isForbidden) {
    t.tellCannotHold(unheldKind(name), result, "fsetxattr", path());
  } else t.attributeFailed(result, "fsetxattr", path(), `attribute ${name}`);
  return false;
}

/** The owner of a read-only file may not set its attributes of kind user. */
function whileWritable(t: Thread, fd: number, set: () => number): number {
  const status = t.statFd(fd, t.other);
  if (status < 0) return status;
  const mode = t.other.mode & 0o7777;
  const opened = sys.fchmod(fd, mode | 0o200);
  if (opened < 0) return -errno.EACCES;
  const result = set();
  const closed = sys.fchmod(fd, mode);
  return result < 0 ? result : closed;
}

function unheldKind(name: string): Unheld {
  if (name.startsWith("system.posix_acl")) return "ACLs";
  const kind = unheld.find((each) => each === `attributes of kind ${name.split(".")[0]}`);
  return kind ?? "other attributes";
}

/** Whether a target folder hands a default ACL on to what is made in it (acl(5)); asked once. */
export function hasDefaultAcl(t: Thread, node: FolderNode): boolean {
  if (node.defaultAcl === undefined) {
    const name = t.cLink("system.posix_acl_default");
    node.defaultAcl = node.targetFd >= 0 && sys.fgetxattr(node.targetFd, name, 0, 0) > 0;
  }
  return node.defaultAcl;
}

/** Notes on the node which group and ACL its new files get from the target folder. */
export function noteTargetDefaults(t: Thread, node: FolderNode, view: StatView): void {
  const isSetgid = (view.mode & S.ISGID) !== 0;
  node.newFileGid = isSetgid || t.inheritsGroup ? view.gid : t.options.user.gid;
}
