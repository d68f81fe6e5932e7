import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type BuildUser, findProgram } from "./build-user.ts";

/** A place that is seen in a sandbox. */
export interface SandboxMount {
  readonly from: string;
  readonly to: string;
  readonly isWritable?: boolean;
}

/** A command with very little around it. */
export interface SandboxOptions {
  /** A root folder: its /usr and the like are seen, and cannot be changed. */
  readonly root: string;
  readonly user: BuildUser;
  readonly hasNetwork: boolean;
  readonly mounts: readonly SandboxMount[];
  /** Where the command starts, inside. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

/** Top folders of a system that programs need; those that are links are made as links. */
export const SYSTEM_FOLDERS = [
  "usr",
  "opt",
  "bin",
  "sbin",
  "lib",
  "lib32",
  "lib64",
  "libx32",
] as const;

/**
 * Of /etc as far as programs have to know it while they have a network to tell others about it:
 * names, certificates, compilers. No keys, no host's secrets.
 */
const PUBLIC_ETC = [
  "alternatives",
  "ca-certificates",
  "ca-certificates.conf",
  "group",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "makepkg.conf",
  "makepkg.conf.d",
  "nsswitch.conf",
  "pacman.conf",
  "passwd",
  "pki",
  "protocols",
  "services",
  "ssl",
] as const;

/** Of this machine, whatever root is built in: how to reach the network. */
const NETWORK_ETC = ["resolv.conf", "hosts"] as const;

/** Folders of their own, empty at the start, that go with the sandbox. */
const SCRATCH_FOLDERS = ["/tmp", "/var/tmp", "/run", "/dev/shm", "/home/build"] as const;

/** The home of whoever works in a sandbox: an empty one. */
export const SANDBOX_HOME = "/home/build";

/**
 * The command line that runs a command in its own user, mount, process, IPC and, unless it has the
 * network, network namespace, as the build user, with nothing of the machine but a read-only system
 * and the given places. By bubblewrap where it is installed, else, for root, by util-linux.
 *
 * @throws {Fault} E_NOT_FOUND where there is neither
 */
export function sandboxCommand(
  options: SandboxOptions,
  tool: "bwrap" | "unshare" = Bun.which("bwrap") === null ? "unshare" : "bwrap",
): readonly string[] {
  return tool === "bwrap" ? bubblewrap(options) : unshare(options);
}

interface Layout {
  readonly links: readonly (readonly [target: string, path: string])[];
  readonly mounts: readonly SandboxMount[];
}

function layoutOf({ root, hasNetwork, mounts }: SandboxOptions): Layout {
  const links: [string, string][] = [];
  const seen: SandboxMount[] = [];
  for (const name of SYSTEM_FOLDERS) {
    const path = join(root, name);
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status?.isSymbolicLink() === true) links.push([readlinkSync(path), `/${name}`]);
    else if (status?.isDirectory() === true) seen.push({ from: path, to: `/${name}` });
  }
  if (hasNetwork) {
    for (const name of PUBLIC_ETC) addIfThere(seen, join(root, "etc", name), `/etc/${name}`);
    for (const name of NETWORK_ETC) addIfThere(seen, join("/etc", name), `/etc/${name}`);
  } else addIfThere(seen, join(root, "etc"), "/etc");
  addIfThere(seen, join(root, "var/lib/pacman"), "/var/lib/pacman");
  return { links, mounts: [...seen, ...mounts] };
}

/** What is a link is shown as what it leads to: /etc/resolv.conf often leads into /run. */
function addIfThere(mounts: SandboxMount[], from: string, to: string): void {
  if (existsSync(from)) mounts.push({ from: realpathSync(from), to });
}

function bubblewrap(options: SandboxOptions): string[] {
  const { user, hasNetwork, folder, environment, command } = options;
  const { links, mounts } = layoutOf(options);
  const args = ["--unshare-user", "--uid", `${user.uid}`, "--gid", `${user.gid}`];
  args.push("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try");
  if (!hasNetwork) args.push("--unshare-net");
  args.push("--hostname", "build", "--die-with-parent", "--new-session", "--clearenv");
  for (const [name, value] of Object.entries(environment)) args.push("--setenv", name, value);
  args.push("--proc", "/proc", "--dev", "/dev");
  for (const path of SCRATCH_FOLDERS) args.push("--tmpfs", path);
  for (const [target, path] of links) args.push("--symlink", target, path);
  for (const { from, to, isWritable } of mounts) {
    args.push(isWritable === true ? "--bind" : "--ro-bind", from, to);
  }
  args.push("--remount-ro", "/", "--chdir", folder);
  return [...user.prefix, findProgram("bwrap"), ...args, "--", ...command];
}

const DEVICES = ["null", "zero", "full", "random", "urandom"] as const;

/** For root alone: nobody else may mount without a user namespace that programs have set up. */
function unshare(options: SandboxOptions): string[] {
  const { user, hasNetwork, folder, environment, command } = options;
  const { links, mounts } = layoutOf(options);
  // The new root stands on a folder that every system has; only this namespace sees it there.
  const top = "/mnt";
  const lines = ["set -e", `mount -t tmpfs -o mode=755 tmpfs ${top}`, `cd ${top}`];
  lines.push("mkdir proc dev etc home var", "mount -t proc -o nosuid,nodev,noexec proc proc");
  for (const name of DEVICES) lines.push(`: >dev/${name}; mount --bind /dev/${name} dev/${name}`);
  lines.push("ln -s /proc/self/fd dev/fd");
  for (const path of SCRATCH_FOLDERS) {
    lines.push(`mkdir -p .${path}; mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs .${path}`);
  }
  for (const [target, path] of links) lines.push(`ln -s ${quoted(target)} ${quoted(`.${path}`)}`);
  for (const { from, to, isWritable } of mounts) {
    const [source, place] = [quoted(from), quoted(`.${to}`)];
    lines.push(
      `mkdir -p "$(dirname ${place})"`,
      `if [ -d ${source} ]; then mkdir -p ${place}; else : >${place}; fi`,
      `mount --bind ${source} ${place}`,
      `mount -o remount,bind,nosuid,nodev${isWritable === true ? "" : ",ro"} ${place}`,
    );
  }
  lines.push(hasNetwork ? ":" : "ip link set lo up 2>/dev/null || :");
  lines.push(`mount -o remount,ro ${top}`, 'exec "$@"');
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const inside = ["/usr/bin/env", "-i", "-C", folder, ...variables, ...command];
  const drop = user.prefix.slice(1);
  return [
    findProgram("unshare"),
    ...["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--propagation", "private"],
    ...(hasNetwork ? [] : ["--net"]),
    ...["/bin/sh", "-c", lines.join("\n"), "sandbox"],
    ...[findProgram("chroot"), top, "/usr/bin/setpriv", ...drop, ...inside],
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
