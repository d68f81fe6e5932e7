import {
  CLONE,
  LANDLOCK,
  LANDLOCK_ACCESS_FS,
  LANDLOCK_ACCESS_FS_TRUNCATE,
  PATH_BENEATH_LAYOUT,
  PRCTL,
  SYS,
} from "../../../ffi/abi/landlock.ts";
import { errno, errnoText } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { bindAll, sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";

/**
 * A thread of the daemon that cannot leave its module, whatever a mistake of ours would have it
 * open: Landlock (or, as root, chroot) of this thread alone, and a user of its own. It is the
 * second wall: the first is that every path is opened beneath the module's descriptor.
 */

export type Confinement = {
  /** The module's folder; what lies below it stays usable. */
  readonly rootFd: number;
  /** Without Landlock: chroot, where the process may. */
  readonly chroot: boolean;
  /** Whom the thread works as from then on; only root can change it. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
};

/** From this version on a file may be renamed into another folder (LANDLOCK_ACCESS_FS_REFER). */
const landlockVersionMin = 2;

/**
 * Confines the calling thread, for good; the other threads stay as they are. Everything that the
 * thread loads later (modules, libraries) has to be loaded before. Returns what was done, for the
 * log: "landlock", "chroot", "user 65534", "group 65534".
 * @throws Fault E_PRIVILEGE where a change of user was asked for and failed: the thread must end
 */
export function confineThread(confinement: Confinement): string[] {
  const { rootFd, chroot, uid, gid } = confinement;
  const done: string[] = [];
  bindAll();
  // Both need rights that the new user may not have: landlock_restrict_self wants no_new_privs,
  // which this sets, and chroot wants root.
  const isLandlocked = landlock(rootFd);
  if (isLandlocked) done.push("landlock");
  else if (chroot && chrootThread(rootFd)) done.push("chroot");
  if (uid !== undefined || gid !== undefined) {
    // Root's further groups must not stay behind.
    must(sys.syscall(SYS.setgroups, 0, 0, 0, 0, 0, 0), "give up its groups");
  }
  if (gid !== undefined) {
    must(sys.syscall(SYS.setresgid, gid, gid, gid, 0, 0, 0), `become group ${gid}`);
    done.push(`group ${gid}`);
  }
  if (uid !== undefined) {
    must(sys.syscall(SYS.setresuid, uid, uid, uid, 0, 0, 0), `become user ${uid}`);
    done.push(`user ${uid}`);
  }
  return done;
}

function must(result: number, what: string): void {
  if (result === 0) return;
  throw new Fault({
    code: "E_PRIVILEGE",
    message: `Cannot have a thread ${what}: ${errnoText(-result)}`,
    hint: "start blitd as root, or leave uid and gid out of the module",
  });
}

/** Returns whether the thread may from now on use nothing but what lies below the folder. */
function landlock(rootFd: number): boolean {
  const version = call(SYS.landlock_create_ruleset, 0, 0, LANDLOCK.CREATE_RULESET_VERSION);
  if (version < landlockVersionMin) return false;
  const memory = new Memory(4096);
  const view = new DataView(memory.buffer);
  let access = Object.values(LANDLOCK_ACCESS_FS).reduce((all, right) => all | right, 0);
  if (version >= 3) access |= LANDLOCK_ACCESS_FS_TRUNCATE;
  view.setBigUint64(0, BigInt(access), true);
  const ruleset = call(SYS.landlock_create_ruleset, memory.pointer, 8, 0);
  if (ruleset < 0) return false;
  view.setBigUint64(PATH_BENEATH_LAYOUT.access, BigInt(access), true);
  view.setInt32(PATH_BENEATH_LAYOUT.parent, rootFd, true);
  const rule = LANDLOCK.RULE_PATH_BENEATH;
  const isConfined =
    call(SYS.landlock_add_rule, ruleset, rule, memory.pointer) === 0 &&
    sys.prctl(PRCTL.SET_NO_NEW_PRIVS, 1, 0, 0, 0) === 0 &&
    call(SYS.landlock_restrict_self, ruleset, 0, 0) === 0;
  sys.close(ruleset);
  memory.release();
  return isConfined;
}

/** landlock_add_rule(2) has a fourth argument, flags, which is 0. */
function call(number: number, a: number, b: number, c: number): number {
  return sys.syscall(number, a, b, c, 0, 0, 0);
}

/** Root and working folder belong to all threads until one of them takes its own: unshare(2). */
function chrootThread(rootFd: number): boolean {
  if (sys.unshare(CLONE.FS) < 0) return false;
  const memory = new Memory(4096);
  memory.text.latin1Write(".\0", 0);
  const changed = sys.fchdir(rootFd) === 0 ? sys.chroot(memory.pointer) : -errno.EACCES;
  memory.release();
  return changed === 0;
}
