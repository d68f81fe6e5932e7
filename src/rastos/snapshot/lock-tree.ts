import { join } from "node:path";
import { errno } from "../../../ffi/errno.ts";
import { SystemError } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { type FileLock, isLock, type LockHolder, tryLock } from "../../kit/store/lock.ts";
import { callFault } from "./fault.ts";
import { noTree } from "./find-tree.ts";
import { stateFolder } from "./layout.ts";

/** How long a paused tree waits for others to be done, in milliseconds. */
export const RESUME_WAIT_MS = 60_000;
const WAIT_STEP_MS = 50;

/**
 * Takes the lock of a tree, waiting for it if told to.
 * @throws {Fault} E_LOCKED naming the holder, E_NOT_FOUND where there is no tree
 */
export function lockTree(root: string, command: string, waitMs = 0): FileLock {
  const path = join(stateFolder(root), "lock");
  for (let waited = 0; ; waited += WAIT_STEP_MS) {
    const result = attemptLock(path, command, root);
    if (isLock(result)) return result;
    if (waited < waitMs) {
      Bun.sleepSync(WAIT_STEP_MS);
      continue;
    }
    const holder = result.pid === undefined ? "another process" : `process ${result.pid}`;
    const what = result.command === undefined ? "" : ` (${result.command})`;
    throw new Fault({
      code: "E_LOCKED",
      message: `Cannot change the snapshots of "${root}": ${holder}${what} is at work on them`,
      hint: "wait until it is done",
      details: { pid: result.pid, command: result.command },
    });
  }
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
