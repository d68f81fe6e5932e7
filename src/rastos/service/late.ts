/** The end of a machine, once its services have stopped. */
import { readFileSync } from "node:fs";
import { errno } from "../../../ffi/errno.ts";
import { processCalls } from "../../../ffi/process.ts";
import { MOUNT, mount, readMounts, unmount } from "./mounts.ts";
import { reapAll } from "./reap.ts";

/** What comes after the last service. */
export const SHUTDOWN_KINDS = ["poweroff", "reboot", "halt", "kexec"] as const;
/** One of {@link SHUTDOWN_KINDS}. */
export type ShutdownKind = (typeof SHUTDOWN_KINDS)[number];

/** Commands of reboot(2); LINUX_REBOOT_CMD_… as a signed number of 32 bits. */
const REBOOT_COMMANDS: Readonly<Record<ShutdownKind, number>> = {
  poweroff: 0x4321fedc,
  reboot: 0x01234567,
  halt: 0xcdef0123 | 0,
  kexec: 0x45584543,
};

/** How long processes that belong to no service may take. */
const TERM_MS = 3000;
const KILL_MS = 2000;
const LOOK_MS = 50;
const MNT_DETACH = 2;

/** File systems that live in memory or are the kernel's: nothing of them can be lost. */
const VIRTUAL = new Set([
  "autofs",
  "bpf",
  "cgroup",
  "cgroup2",
  "configfs",
  "debugfs",
  "devpts",
  "devtmpfs",
  "efivarfs",
  "mqueue",
  "proc",
  "ramfs",
  "rootfs",
  "securityfs",
  "sysfs",
  "tmpfs",
  "tracefs",
]);

/** Ends every process but us: SIGTERM, then SIGKILL. For process 1 of a machine or container. */
export async function endAllProcesses(): Promise<void> {
  const { kill } = processCalls();
  for (const [signal, waitMs] of [
    [15, TERM_MS],
    [9, KILL_MS],
  ] as const) {
    if (kill(-1, signal) === -errno.ESRCH) return;
    kill(-1, 18);
    for (let waitedMs = 0; waitedMs < waitMs; waitedMs += LOOK_MS) {
      if (reapAll(() => undefined) === "no-children") return;
      await Bun.sleep(LOOK_MS);
    }
  }
}

/** Unmounts what can be, makes the rest read-only, and writes all that is to be written. */
export function closeFileSystems(): void {
  const { sync } = processCalls();
  sync();
  const mounts = readMounts().filter(({ path, type }) => path !== "/" && !VIRTUAL.has(type));
  for (const { path } of mounts.toReversed()) {
    if (unmount(path) >= 0) continue;
    mount({ source: "none", path, type: "none", flags: MOUNT.REMOUNT | MOUNT.RDONLY });
    unmount(path, MNT_DETACH);
  }
  mount({ source: "none", path: "/", type: "none", flags: MOUNT.REMOUNT | MOUNT.RDONLY });
  sync();
}

/** reboot(2). Returns -errno; in a machine it does not return at all. */
export function endMachine(kind: ShutdownKind): number {
  return processCalls().reboot(REBOOT_COMMANDS[kind === "kexec" && !hasKernel() ? "reboot" : kind]);
}

/** Whether somebody has loaded a kernel to go on with: kexec_load(2). */
function hasKernel(): boolean {
  try {
    return readFileSync("/sys/kernel/kexec_loaded", "utf8").trim() === "1";
  } catch {
    return false;
  }
}
