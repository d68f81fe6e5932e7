import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LOCK, O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import {
  HERE,
  makeFolderAt,
  makeFoldersAt,
  openAt,
  renameAt,
  writeNewFileAt,
} from "../../kit/fs/at.ts";
import { systemFault } from "./faults.ts";
import { scratch } from "./scratch.ts";

/**
 * Where wheels are unpacked before they get their final name. Each folder is locked (flock(2)) by
 * whoever fills it; the kernel lets go of the lock when that process ends, however it ends, so a
 * folder that can be locked is a leftover.
 */

const STAGING = ".unpacking";
const ATTEMPTS_MAX = 16;
/** Where a file system has no locks: what is older than this is nobody's any more. */
const LEFTOVER_AGE_MS = 24 * 3600 * 1000;
const FOLDER_FLAGS = O.RDONLY | O.DIRECTORY | O.NOFOLLOW;

export class Staging implements Disposable {
  /** The folder's own path. */
  readonly path: string;
  /** Of the folder `tree` in it. */
  readonly tree: Fd;
  readonly #lock: Fd;
  #isPublished = false;

  private constructor(path: string, lock: Fd, tree: Fd) {
    this.path = path;
    this.#lock = lock;
    this.tree = tree;
  }

  /**
   * Makes and locks a folder of a new name, with an empty folder `tree` in it.
   * @throws {Fault} E_IO or E_NO_SPACE
   */
  static open(store: string): Staging {
    const parent = join(store, STAGING);
    makeFolder(parent);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const staging = Staging.#tryOpen(join(parent, freshName()));
      if (staging !== undefined) return staging;
    }
    throw systemFault("unpack in", parent, errno.EAGAIN);
  }

  /** Undefined where a sweep took the folder before it was locked. */
  static #tryOpen(path: string): Staging | undefined {
    makeFolder(path);
    const lock = new Fd(openAt(HERE, path, FOLDER_FLAGS));
    if (!lock.isOpen) {
      if (lock.number === -errno.ENOENT) return undefined;
      throw systemFault("open", path, lock.number);
    }
    const locked = sys.flock(lock.number, LOCK.EX | LOCK.NB);
    // Where a file system has no locks, leftovers are told by their age alone.
    const made = locked === -errno.EAGAIN ? locked : makeFolderAt(lock.number, "tree", 0o755);
    const tree = new Fd(made < 0 ? made : openAt(lock.number, "tree", FOLDER_FLAGS));
    if (tree.isOpen) return new Staging(path, lock, tree);
    lock.close();
    if (tree.number === -errno.EAGAIN || tree.number === -errno.ENOENT) return undefined;
    throw systemFault("unpack in", path, tree.number);
  }

  /**
   * Writes a file beside the tree.
   * @throws {Fault} E_IO or E_NO_SPACE
   */
  write(name: string, bytes: Uint8Array): void {
    const result = writeNewFileAt(this.#lock.number, name, bytes, { mode: 0o644 });
    if (result < 0) throw systemFault("write", join(this.path, name), result);
  }

  /**
   * Gives the folder its final name. False where another one has that name already.
   * @throws {Fault} E_IO or E_NO_SPACE
   */
  publish(target: string): boolean {
    makeFolder(join(target, ".."));
    const result = renameAt(HERE, this.path, HERE, target);
    if (result === -errno.EEXIST || result === -errno.ENOTEMPTY) return false;
    if (result < 0) throw systemFault("write", target, result);
    this.#isPublished = true;
    return true;
  }

  /**
   * As {@link publish}, where what has the name is damaged: that goes.
   * @throws {Fault} E_IO or E_NO_SPACE
   */
  replace(store: string, target: string): void {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      discard(store, target);
      if (this.publish(target)) return;
    }
    throw systemFault("write", target, errno.EEXIST);
  }

  /** Closes, and removes what was not published. */
  [Symbol.dispose](): void {
    this.tree.close();
    if (!this.#isPublished) removeQuietly(this.path);
    this.#lock.close();
  }
}

/**
 * Removes what processes that have ended left behind. Returns how many folders that were.
 * @param nowMs milliseconds since 1970
 */
export function sweepStaging(store: string, nowMs: number): number {
  const parent = join(store, STAGING);
  let swept = 0;
  for (const name of namesIn(parent)) {
    const path = join(parent, name);
    using folder = new Fd(openAt(HERE, path, FOLDER_FLAGS));
    if (!folder.isOpen) continue;
    const locked = sys.flock(folder.number, LOCK.EX | LOCK.NB);
    if (locked === -errno.EAGAIN) continue;
    if (locked < 0 && !isOld(folder.number, nowMs)) continue;
    if (removeQuietly(path)) swept++;
  }
  return swept;
}

function isOld(fd: number, nowMs: number): boolean {
  if (scratch().stat(fd) < 0) return false;
  return nowMs - scratch().status.mtimeSec * 1000 > LEFTOVER_AGE_MS;
}

/** Moves a folder away from its final name, to be removed: nobody meets half of it there. */
export function discard(store: string, path: string): void {
  const parent = join(store, STAGING);
  makeFolder(parent);
  const away = join(parent, freshName());
  const result = renameAt(HERE, path, HERE, away);
  if (result === -errno.ENOENT) return;
  if (result < 0) throw systemFault("remove", path, result);
  removeQuietly(away);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Nothing was ever unpacked here, or it cannot be read: then nothing can be swept either.
    return [];
  }
}

function freshName(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(12))).toString("hex");
}

function makeFolder(path: string): void {
  const result = makeFoldersAt(HERE, path);
  if (result < 0) throw systemFault("write", path, result);
}

function removeQuietly(path: string): boolean {
  try {
    rmSync(path, { recursive: true, force: true });
    return true;
  } catch {
    // The next sweep will try again; what brought us here is what matters.
    return false;
  }
}
