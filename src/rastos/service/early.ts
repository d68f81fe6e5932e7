/** What a machine needs before its first service, and what only the first process can do. */
import { ptr } from "bun:ffi";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { SOCKET } from "../../../ffi/abi/socket.ts";
import { errnoText } from "../../../ffi/errno.ts";
import { processCalls } from "../../../ffi/process.ts";
import { sys } from "../../../ffi/sys.ts";
import { MOUNT, makeMountPoint, mount, readMounts } from "./mounts.ts";

/**
 * How much of the machine is ours: all of it (process 1 of the machine), a namespace of processes
 * (process 1 of a container), or nothing but our services.
 */
export type InitMode = "machine" | "container" | "supervisor";

/** Inode of the first namespace of processes: linux/proc_ns.h. */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";

/** Which of them this process is. */
export function detectMode(): InitMode {
  if (process.pid !== 1) return "supervisor";
  try {
    return readlinkSync("/proc/self/ns/pid") === FIRST_PID_NAMESPACE ? "machine" : "container";
  } catch {
    // Without /proc nobody has prepared anything for us: the kernel has started us.
    return "machine";
  }
}

interface SystemMount {
  readonly path: string;
  readonly type: string;
  readonly flags: number;
  readonly data?: string;
  /** Only of a machine: a container has been given these, or is meant to be without. */
  readonly isMachines?: boolean;
  /** Nobody misses it where it cannot be mounted. */
  readonly isOptional?: boolean;
}

const { NOSUID, NODEV, NOEXEC } = MOUNT;
const PLAIN = NOSUID | NODEV;

/** In this order. */
const SYSTEM_MOUNTS: readonly SystemMount[] = [
  { path: "/proc", type: "proc", flags: PLAIN | NOEXEC },
  { path: "/sys", type: "sysfs", flags: PLAIN | NOEXEC },
  { path: "/dev", type: "devtmpfs", flags: NOSUID, data: "mode=755" },
  { path: "/dev/pts", type: "devpts", flags: NOSUID | NOEXEC, data: "gid=5,mode=620,ptmxmode=666" },
  { path: "/dev/shm", type: "tmpfs", flags: PLAIN, data: "mode=1777" },
  { path: "/run", type: "tmpfs", flags: PLAIN, data: "mode=755", isMachines: true },
  { path: "/tmp", type: "tmpfs", flags: PLAIN, data: "mode=1777", isMachines: true },
  {
    path: "/sys/fs/cgroup",
    type: "cgroup2",
    flags: PLAIN | NOEXEC,
    isMachines: true,
    isOptional: true,
  },
  {
    path: "/sys/firmware/efi/efivars",
    type: "efivarfs",
    flags: PLAIN | NOEXEC,
    isMachines: true,
    isOptional: true,
  },
];

/** Prepares the machine, or the container. Never throws: every problem is told and lived with. */
export function prepareMachine(mode: InitMode, say: (text: string) => void): void {
  if (mode === "supervisor") return;
  const attempt = (what: string, action: () => number): void => {
    try {
      const result = action();
      if (result < 0) say(`cannot ${what}: ${errnoText(-result)}`);
    } catch (error) {
      say(`cannot ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  for (const one of SYSTEM_MOUNTS) {
    if (mode === "container" && one.isMachines === true) continue;
    attempt(`mount ${one.path}`, () => mountUnlessThere(one, mode));
  }
  attempt("bring up the loopback interface", bringUpLoopback);
  if (mode !== "machine") return;
  attempt("set the host's name", setHostName);
  attempt("make / writable", makeRootWritable);
  // From now on Ctrl-Alt-Del is a signal to us, and no reset: reboot(2).
  attempt("take over Ctrl-Alt-Del", () => processCalls().reboot(0));
}

function mountUnlessThere(wish: SystemMount, mode: InitMode): number {
  const { path, type, flags, data, isOptional } = wish;
  if (readMounts().some((entry) => entry.path === path)) return 0;
  // A container may have devices without a mount of their own.
  if (mode === "container" && path === "/dev" && existsSync("/dev/null")) return 0;
  if (isOptional === true && !existsSync(path)) return 0;
  makeMountPoint(path);
  const result = mount({
    source: type,
    path,
    type,
    flags,
    ...(data === undefined ? {} : { data }),
  });
  return isOptional === true ? 0 : result;
}

/** netdevice(7): struct ifreq is a name of 16 bytes and, here, 16 bits of flags. */
function bringUpLoopback(): number {
  const SIOCGIFFLAGS = 0x8913;
  const SIOCSIFFLAGS = 0x8914;
  const IFF_UP = 1;
  const fd = sys.socket(SOCKET.AF_INET, 2 | SOCKET.SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  const request = new Uint8Array(40);
  request.set(Buffer.from("lo"));
  let result = sys.ioctl(fd, SIOCGIFFLAGS, ptr(request));
  if (result >= 0 && ((request[16] ?? 0) & IFF_UP) === 0) {
    request[16] = (request[16] ?? 0) | IFF_UP;
    result = sys.ioctl(fd, SIOCSIFFLAGS, ptr(request));
  }
  sys.close(fd);
  return result;
}

function setHostName(): number {
  const name = hostNameOf(readIfThere("/etc/hostname"));
  if (name === undefined) return 0;
  const bytes = Buffer.from(name);
  return processCalls().sethostname(ptr(bytes), bytes.length);
}

/** The first line of hostname(5) that is no comment, if it is a name. */
export function hostNameOf(text: string): string | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  const name = lines.find((line) => line !== "" && !line.startsWith("#"));
  return name !== undefined && /^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/.test(name) ? name : undefined;
}

/** Boot loaders say "ro"; unless the machine's fstab says so too, it is not meant to last. */
function makeRootWritable(): number {
  if (readMounts().findLast(({ path }) => path === "/")?.isReadOnly !== true) return 0;
  if (wantsReadOnlyRoot(readIfThere("/etc/fstab"))) return 0;
  return mount({ source: "none", path: "/", type: "none", flags: MOUNT.REMOUNT });
}

/** Whether fstab(5) has "ro" among the options of /. */
export function wantsReadOnlyRoot(fstab: string): boolean {
  return fstab.split("\n").some((line) => {
    const [source = "#", path, , options = ""] = line.trim().split(/\s+/);
    return !source.startsWith("#") && path === "/" && options.split(",").includes("ro");
  });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
