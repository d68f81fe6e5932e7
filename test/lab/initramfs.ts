import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { createWorkspace } from "../support/workspace.ts";
import { output, unpackedPackage } from "./cache.ts";
import { type LabKernel, moduleFiles } from "./kernel.ts";

const repository = resolve(import.meta.dir, "../..");

/** What a machine without a disk consists of. */
export interface InitramfsRequest {
  readonly kernel: LabKernel;
  /** Kernel modules by name, loaded with what they need. */
  readonly modules: readonly string[];
  /** Files and folders of this repository that the machine gets, under /repository. */
  readonly files?: readonly string[];
  /** Programs and libraries of this machine that it gets, with what they are linked to. */
  readonly programs?: readonly string[];
  /** Other names of programs, in /bin: `{ bun: "/path/of/bun" }`. */
  readonly named?: Readonly<Record<string, string>>;
  /** Debian packages that it gets as they are, without those that they depend on. */
  readonly packages?: readonly string[];
  /** Lines of sh that are run as root in /repository, once the modules are loaded. */
  readonly script: readonly string[];
}

/** What the machine prints when its script is over, with the script's exit code. */
export const END_MARKER = "lab: exit";

/**
 * Writes an initial ram disk with busybox and what is asked for. It is not compressed: emulated
 * machines unpack slowly, and memory is cheap.
 */
export function writeInitramfs(path: string, request: InitramfsRequest): void {
  using work = createWorkspace();
  const world = work.folder("world");
  for (const name of ["repository", "modules"]) mkdirSync(join(world, name));
  copyInto(world, join(unpackedPackage("busybox-static"), "bin/busybox"), "bin/busybox");
  for (const name of request.packages ?? []) copyInto(world, unpackedPackage(name), ".");
  for (const program of request.programs ?? []) copyProgram(world, program, program);
  for (const [name, program] of Object.entries(request.named ?? {})) {
    copyProgram(world, program, `bin/${name}`);
  }
  const modules = moduleFiles(request.kernel, request.modules);
  for (const file of modules) copyInto(world, file, `modules/${basename(file)}`);
  for (const file of request.files ?? []) {
    copyInto(world, join(repository, file), `repository/${file}`);
  }
  const text = initScript(
    modules.map((file) => basename(file)),
    request.script,
  );
  writeFileSync(join(world, "init"), text, { mode: 0o755 });
  output(["sh", "-c", `find . | cpio -o -H newc --quiet > "${path}"`], { cwd: world });
}

function initScript(modules: readonly string[], script: readonly string[]): string {
  const lines = [
    "#!/bin/busybox sh",
    "/bin/busybox mkdir -p /proc /sys /dev /tmp /root /run /mnt",
    "/bin/busybox --install -s /bin",
    "export PATH=/bin:/usr/bin:/sbin:/usr/sbin HOME=/root TMPDIR=/tmp",
    "mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev",
    "mount -t tmpfs none /tmp",
    ...modules.map((file) => `insmod /modules/${file}`),
    "ip link set lo up",
    "cd /repository",
    ...script,
    `echo "${END_MARKER} $?"`,
    "poweroff -f",
  ];
  return `${lines.join("\n")}\n`;
}

function copyInto(world: string, from: string, to: string): void {
  mkdirSync(dirname(join(world, to)), { recursive: true });
  cpSync(from, join(world, to), { recursive: true, dereference: true });
}

function copyProgram(world: string, from: string, to: string): void {
  copyInto(world, from, to);
  for (const library of linkedLibraries(from)) copyInto(world, library, library);
}

/** What a program or a library is linked to, with the loader. */
export function linkedLibraries(program: string): readonly string[] {
  return [...output(["ldd", program]).matchAll(/(\/\S+)/g)].map(([path]) => path);
}
