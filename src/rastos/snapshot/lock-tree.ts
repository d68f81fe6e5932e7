import { join } from "node:path";
import { errno } from "../../../ffi/errno.ts";
import { SystemError } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { type FileLock, isLock, type LockHolder, tryLock } from "../../kit/store/lock.ts";
import { callFault } from "./fault.ts";
import { noTree } from "./find-tree.ts";
import { stateFolder } from "./layout.ts";

const WAIT_STEP_MS = 50;

/**
 * Takes the lock of a tree.
 * @throws {Fault} E_LOCKED naming the holder, E_NOT_FOUND where there is no tree
 */
export function lockTree(root: string, command: string): FileLock {
  const result = attemptLock(lockPath(root), command, root);
  if (isLock(result)) return result;
  throw new Fault({
    code: "E_LOCKED",
    message: `Cannot change the snapshots of "${root}": ${holderText(result)} is at work on them`,
    hint: "wait until it is done",
    details: { pid: result.pid, command: result.command },
  });
}

/** Whom to tell while a lock is waited for, and who ends that. */
interface LockWait {
  /** Called once, with who has it. */
  readonly onWait: (holder: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes the lock of a tree as soon as nobody has it. The kernel gives it back when its holder ends,
 * so that is always a matter of time.
 *
 * @throws {Fault} E_INTERRUPTED, E_NOT_FOUND where there is no tree
 */
export async function awaitTreeLock(
  root: string,
  command: string,
  { onWait, signal }: LockWait,
): Promise<FileLock> {
  for (let isTold = false; ; isTold = true) {
    const result = attemptLock(lockPath(root), command, root);
    if (isLock(result)) return result;
    if (signal?.aborted === true) {
      throw new Fault({ code: "E_INTERRUPTED", message: "Interrupted: nothing was changed" });
    }
    if (!isTold) onWait(holderText(result));
    await Bun.sleep(WAIT_STEP_MS);
  }
}

function lockPath(root: string): string {
  return join(stateFolder(root), "lock");
}

function holderText({ pid, command }: LockHolder): string {
  const holder = pid === undefined ? "another process" : `process ${pid}`;
  return command === undefined ? holder : `${holder} (${command})`;
}

function attemptLock(path: string, command: string, root: string): FileLock | LockHolder {
  try {
    return tryLock(path, command);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.errno !== errno.ENOENT) throw callFault(`lock "${path}"`, -error.errno);
    throw noTree(root);
  }
}
