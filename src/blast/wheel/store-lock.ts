import { join } from "node:path";
import { LOCK, O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { HERE, makeFoldersAt, openAt } from "../../kit/fs/at.ts";
import { systemFault } from "./faults.ts";

/** Held until it is disposed of, or until the process ends. */
export type StoreLock = Disposable;

/** Users share the store; who removes something has it alone. */
export type StoreLockKind = "shared" | "alone";

/** Removing ends soon: users wait for it. Users may take long: a remover is told at once. */
const WAIT_MS_MAX = 30_000;
const POLL_MS = 50;

/**
 * Locks a store (flock(2)). A store that cannot be written needs no lock: nothing is removed there.
 * @throws {Fault} E_LOCKED, E_IO
 */
export async function takeStoreLock(store: string, kind: StoreLockKind): Promise<StoreLock> {
  const path = join(store, "lock");
  const made = makeFoldersAt(HERE, store);
  const fd = new Fd(made < 0 ? made : openAt(HERE, path, O.RDWR | O.CREAT, 0o644));
  if (!fd.isOpen) {
    if (kind === "shared") return fd;
    throw systemFault("write", path, fd.number);
  }
  const operation = (kind === "shared" ? LOCK.SH : LOCK.EX) | LOCK.NB;
  const waitMs = kind === "shared" ? WAIT_MS_MAX : 0;
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const result = sys.flock(fd.number, operation);
    // A file system without locks: then it has to go without.
    if (result !== -errno.EAGAIN) return fd;
    if (waitedMs >= waitMs) break;
    await Bun.sleep(POLL_MS);
  }
  fd.close();
  throw new Fault({
    code: "E_LOCKED",
    message: `Cannot ${kind === "shared" ? "use" : "clean"} "${store}": another blast is at work`,
    hint: "wait until it has ended, then run the command again",
    details: { path: store },
  });
}
