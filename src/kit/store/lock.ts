import { readFileSync } from "node:fs";
import { LOCK, O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { SystemError, sys } from "../../../ffi/sys.ts";
import { HERE, openAt, writeAllTo } from "../fs/at.ts";

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
  const fd = openAt(HERE, path, O.RDWR | O.CREAT, 0o666);
  if (fd < 0) throw new SystemError({ errno: -fd, call: "openat", path });
  const locked = sys.flock(fd, LOCK.EX | LOCK.NB);
  if (locked < 0) {
    sys.close(fd);
    if (locked === -errno.EAGAIN) return holderOf(path);
    throw new SystemError({ errno: -locked, call: "flock", path });
  }
  // Only for people: a failure here does not make the lock less of one.
  sys.ftruncate(fd, 0);
  writeAllTo(fd, Buffer.from(`${process.pid}\n${command}\n`));
  let isHeld = true;
  const release = (): void => {
    // Only once: the number may be another file's by then.
    if (isHeld) sys.close(fd);
    isHeld = false;
  };
  return { path, [Symbol.dispose]: release };
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
