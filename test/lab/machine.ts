/**
 * A QEMU machine with a kernel of Debian's, for what the kernel at hand has not: tests of this
 * repository run in it under bun, from an initramfs, and their output comes over the serial port.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { firstReason, needsProgram } from "../support/skip.ts";
import { createWorkspace } from "../support/workspace.ts";

const repository = resolve(import.meta.dir, "../..");

/** Debian's packages, unpacked once: the kernel with all of its modules, and busybox. */
const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "triad-lab");

/** A reason when there is no lab. It takes a download of 70 MB, so it has to be asked for. */
export function needsLab(): string | undefined {
  const wanted = process.env["TRIAD_LAB"] === "1" ? undefined : "needs TRIAD_LAB=1";
  const programs = ["qemu-system-x86_64", "apt-get", "dpkg", "cpio", "depmod", "modprobe", "ldd"];
  return firstReason(wanted, needsProgram(...programs));
}

function output(command: string[], cwd?: string): string {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  const env = { ...process.env, PATH: path };
  const options = cwd === undefined ? {} : { cwd };
  const result = Bun.spawnSync(command, { ...options, env, stdout: "pipe", stderr: "pipe" });
  if (!result.success) throw new Error(`${command.join(" ")}: ${result.stderr.toString()}`);
  return result.stdout.toString();
}

/** Folder with unpacked packages: kernel and busybox, or the one that is named. */
function unpacked(extra?: string): string {
  const folder = join(cache, extra ?? "root");
  if (existsSync(folder)) return folder;
  const temporary = join(cache, `packages-${process.pid}`);
  mkdirSync(temporary, { recursive: true });
  const packages = extra === undefined ? [kernelPackage(), "busybox-static"] : [extra];
  output(["apt-get", "download", ...packages], temporary);
  for (const name of readdirSync(temporary)) {
    if (name.endsWith(".deb")) output(["dpkg", "-x", name, "root"], temporary);
  }
  renameSync(join(temporary, "root"), folder);
  rmSync(temporary, { recursive: true });
  return folder;
}

function kernelPackage(): string {
  const depends = output(["apt-cache", "depends", "linux-image-amd64"]);
  const kernel = /linux-image-[0-9]\S+/.exec(depends)?.[0];
  if (kernel === undefined) throw new Error("apt-cache knows no kernel");
  return kernel;
}

/** Files of the modules and of all that they need, in the order in which they are loaded. */
function moduleFiles(root: string, names: readonly string[]): string[] {
  const [version = ""] = readdirSync(join(root, "lib/modules"));
  output(["depmod", "-b", root, version]);
  const files = names.flatMap((name) =>
    output(["modprobe", "-d", root, "-S", version, "--show-depends", name])
      .split("\n")
      .map((line) => /^insmod (\S+)/.exec(line)?.[1] ?? ""),
  );
  return [...new Set(files)].filter((file) => file !== "");
}

function copyInto(world: string, from: string, to: string): void {
  mkdirSync(dirname(join(world, to)), { recursive: true });
  cpSync(from, join(world, to), { recursive: true, dereference: true });
}

/** What a program is linked to. */
function libraries(program: string): string[] {
  return [...output(["ldd", program]).matchAll(/(\/\S+)/g)].map(([path]) => path);
}

export type LabRun = {
  /** Kernel modules by name, loaded with what they need. */
  readonly modules: readonly string[];
  /** Files and folders of this repository that the machine gets. */
  readonly files: readonly string[];
  /** Programs and libraries of this machine that it gets, with what they are linked to. */
  readonly programs?: readonly string[];
  /** Debian packages that it gets as they are, without those that they depend on. */
  readonly packages?: readonly string[];
  /** Lines of sh that are run as root, in a folder that holds `files`. */
  readonly script: readonly string[];
};

const marker = "lab: exit";

/** Runs a script in a machine of its own. Returns what it has printed, and its exit code. */
export async function runInLab(run: LabRun): Promise<{ output: string; code: number }> {
  using work = createWorkspace();
  const root = unpacked();
  const world = work.folder("world");
  copyInto(world, join(root, "bin/busybox"), "bin/busybox");
  copyInto(world, process.execPath, "bin/bun");
  for (const name of run.packages ?? []) copyInto(world, unpacked(name), ".");
  for (const program of [process.execPath, ...(run.programs ?? [])]) {
    for (const library of libraries(program)) copyInto(world, library, library);
    if (program !== process.execPath) copyInto(world, program, program);
  }
  const modules = moduleFiles(root, run.modules);
  for (const file of modules) copyInto(world, file, `modules/${basename(file)}`);
  for (const file of run.files) copyInto(world, join(repository, file), `repository/${file}`);
  const init = [
    "#!/bin/busybox sh",
    "/bin/busybox mkdir -p /proc /sys /dev /tmp /root",
    "/bin/busybox --install -s /bin",
    "export PATH=/bin:/usr/bin:/sbin HOME=/root TMPDIR=/tmp",
    "mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev",
    "mount -t tmpfs none /tmp",
    ...modules.map((file) => `insmod /modules/${basename(file)}`),
    "ip link set lo up",
    "cd /repository",
    ...run.script,
    `echo "${marker} $?"`,
    "poweroff -f",
  ];
  writeFileSync(join(world, "init"), `${init.join("\n")}\n`, { mode: 0o755 });
  const image = work.at("initramfs");
  output(["sh", "-c", `find . | cpio -o -H newc --quiet | gzip -1 > "${image}"`], world);
  const [kernel = ""] = readdirSync(join(root, "boot")).filter((name) => /^vmlinuz/.test(name));
  const command =
    "qemu-system-x86_64 -M q35 -cpu max -smp 2 -m 1536 -nographic -no-reboot -net none";
  const child = Bun.spawn(
    [
      ...command.split(" "),
      ...["-kernel", join(root, "boot", kernel), "-initrd", image],
      ...["-append", "console=ttyS0 quiet panic=-1"],
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const text = (await new Response(child.stdout).text()).replaceAll("\r", "");
  await child.exited;
  const code = new RegExp(`${marker} (\\d+)`).exec(text)?.[1];
  if (code === undefined) throw new Error(`The machine has not come to its end:\n${text}`);
  return { output: text, code: Number(code) };
}
