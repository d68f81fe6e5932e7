import { join } from "node:path";
import { errno } from "../../../ffi/errno.ts";
import { SystemError } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { HERE, makeFolderAt } from "../../kit/fs/at.ts";
import { type FileLock, isLock, type LockHolder, tryLock } from "../../kit/store/lock.ts";
import type { Environment } from "./environment.ts";
import { must, systemFault } from "./faults.ts";
import { STATE_FOLDER } from "./state-folder.ts";

/** How to wait for another writer. */
export interface LockOptions {
  /** As the user typed it: what another process is told that has to wait. */
  readonly command: string;
  /** False: fail at once where another process is writing. Default true. */
  readonly waits?: boolean;
  /** Called once, before the waiting begins. */
  readonly onWait?: (holder: string) => void;
}

const POLL_MS = 50;

/**
 * Becomes the one writer of an environment; readers need no lock. Disposing of it ends that.
 *
 * @throws {Fault} E_LOCKED where another process is writing and waiting is not wished for
 */
export async function lockEnvironment(
  environment: Environment,
  options: LockOptions,
): Promise<FileLock> {
  const folder = join(environment.root, STATE_FOLDER);
  const made = makeFolderAt(HERE, folder);
  if (made !== -errno.EEXIST) must(made, "make", folder);
  let isTold = false;
  for (;;) {
    const result = attempt(join(folder, "lock"), options.command);
    if (isLock(result)) return result;
    const holder = describe(result);
    if (options.waits === false) throw lockedFault(environment, holder);
    if (!isTold) options.onWait?.(holder);
    isTold = true;
    await Bun.sleep(POLL_MS);
  }
}

/** As {@link lockEnvironment}, but undefined at once where that is not possible now. */
export function tryLockEnvironment(
  environment: Environment,
  command: string,
): FileLock | undefined {
  try {
    const result = tryLock(join(environment.root, STATE_FOLDER, "lock"), command);
    return isLock(result) ? result : undefined;
  } catch {
    // A reader may look at an environment that it may not change.
    return undefined;
  }
}

function attempt(path: string, command: string): FileLock | LockHolder {
  try {
    return tryLock(path, command);
  } catch (error) {
    if (error instanceof SystemError) throw systemFault("lock", path, error.errno);
    throw error;
  }
}

function describe({ pid, command }: LockHolder): string {
  if (pid === undefined) return "another process";
  return command === undefined ? `process ${pid}` : `process ${pid} (${command})`;
}

function lockedFault(environment: Environment, holder: string): Fault {
  return new Fault({
    code: "E_LOCKED",
    message: `Cannot change "${environment.root}": ${holder} is changing it`,
    hint: "try again when it has finished",
  });
}
