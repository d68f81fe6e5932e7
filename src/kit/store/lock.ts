import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { LOCK } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { SystemError, sys } from "../../../ffi/sys.ts";

/** Who holds a lock, as far as its file says. */
export interface LockHolder {
  readonly pid: number | undefined;
  readonly command: string | undefined;
}

/** A lock that is held until it is disposed of, or until the process ends, however it ends. */
export interface FileLock extends Disposable {
  readonly path: string;
}

/**
 * Takes an exclusive lock on a file, if nobody has it (flock(2)): the kernel gives it back when its
 * process ends, so none is ever left over. The file stays; it names the holder.
 *
 * @param command for those who have to wait
 * @throws {SystemError} where the file cannot be made or locked
 */
export function tryLock(path: string, command: string): FileLock | LockHolder {
  const fd = openLockFile(path);
  const locked = sys.flock(fd, LOCK.EX | LOCK.NB);
  if (locked < 0) {
    closeSync(fd);
    if (locked === -errno.EAGAIN) return holderOf(path);
    throw new SystemError({ errno: -locked, call: "flock", path });
  }
  // Only for people: a failure here does not make the lock less of one.
  try {
    ftruncateSync(fd, 0);
    writeSync(fd, `${process.pid}\n${command}\n`);
  } catch {}
  let isHeld = true;
  const release = (): void => {
    // Only once: the number may be another file's by then.
    if (isHeld) closeSync(fd);
    isHeld = false;
  };
  return { path, [Symbol.dispose]: release };
}

/** By node:fs, as everything but the lock itself: it is loaded already, and closes at an exec. */
function openLockFile(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666);
  } catch (error) {
    const { errno: number } = error as NodeJS.ErrnoException;
    if (number === undefined) throw error;
    throw new SystemError({ errno: -number, call: "openat", path });
  }
}

/** Whether {@link tryLock} got the lock. */
export function isLock(result: FileLock | LockHolder): result is FileLock {
  return Symbol.dispose in result;
}

function holderOf(path: string): LockHolder {
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    // Not readable for us: then nobody can say who it is.
  }
  const [pid = "", command = ""] = text.split("\n");
  return {
    pid: /^\d+$/.test(pid) ? Number(pid) : undefined,
    command: command === "" ? undefined : command,
  };
}
