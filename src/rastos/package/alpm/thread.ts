import { lstatSync } from "node:fs";
import { join } from "node:path";
import { MS, mountWith } from "../../../../ffi/mount.ts";
import { sys } from "../../../../ffi/sys.ts";

/** Flags of unshare(2): working folder and umask; mounts. */
const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;

/** What the kernel shows to programs, as chroots of installers have it. */
const KERNEL_FOLDERS = [
  { name: "proc", device: "proc", kind: "proc", flags: MS.NOSUID | MS.NODEV | MS.NOEXEC },
  { name: "sys", device: "sysfs", kind: "sysfs", flags: MS.RDONLY | MS.NOSUID | MS.NODEV },
  { name: "dev", device: "/dev", kind: "", flags: MS.BIND | MS.REC },
] as const;

/**
 * Gives this thread a working folder and a umask of its own: libalpm changes both while it unpacks,
 * and the files that other threads write meanwhile must not suffer. Of no effect elsewhere than on
 * Linux.
 */
export function keepToThread(): void {
  if (process.platform === "linux") sys.unshare(CLONE_FS);
}

/**
 * Shows /proc, /sys and /dev in a root, where it has folders for them, to this thread and the
 * scripts and hooks that it starts, and to nobody else: they go with the thread. Where that is not
 * allowed, scripts do without, as under pacman.
 */
export function showKernelIn(root: string): void {
  if (process.platform !== "linux" || process.geteuid?.() !== 0 || root === "/") return;
  if (sys.unshare(CLONE_NEWNS) < 0) return;
  const flags = MS.REC | MS.SLAVE;
  if (mountWith({ device: "none", place: "/", kind: "", data: "", flags }) < 0) return;
  for (const { name, ...rest } of KERNEL_FOLDERS) {
    const place = join(root, name);
    if (isFolder(place)) mountWith({ ...rest, place, data: "" });
  }
}

/** A link is none: it may lead anywhere. */
function isFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}
