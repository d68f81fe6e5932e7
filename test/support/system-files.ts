import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { output, unpackedPackage } from "../lab/cache.ts";
import { linkedLibraries } from "../lab/initramfs.ts";
import { type LabKernel, moduleFiles } from "../lab/kernel.ts";
import type { PackageEntry } from "./pacman-repository.ts";
import { createWorkspace } from "./workspace.ts";

/** Files of a package by path, as pacman-repository.ts takes them. */
export type Files = Record<string, PackageEntry>;

/** Debian's folder of libraries, which its loader knows without a cache. */
const LIBRARIES = "usr/lib/x86_64-linux-gnu";
const LOADER = "ld-linux-x86-64.so.2";

/** An executable text. */
export function program(...lines: readonly string[]): PackageEntry {
  return { content: `${lines.join("\n")}\n`, mode: 0o755 };
}

/** A file of this machine, under another path. */
export function fileFrom(path: string): PackageEntry {
  return { content: readFileSync(path), mode: statSync(path).mode & 0o777 };
}

/** Everything below a folder, under another path. */
export function folderFrom(folder: string, to: string, wanted = /./): Files {
  const files: Files = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (wanted.test(name) && statSync(path).isFile()) files[`${to}/${name}`] = fileFrom(path);
  }
  return files;
}

/**
 * What programs and libraries of this machine are linked to: the loader, and libraries by soname.
 *
 * @param without libraries that another package has
 */
export function librariesOf(paths: readonly string[], without: Files = {}): Files {
  const files: Files = {};
  for (const library of new Set(paths.flatMap(linkedLibraries))) {
    const name = basename(library);
    const to = name === LOADER ? `usr/lib/${LOADER}` : `${LIBRARIES}/${name}`;
    if (!(to in without)) files[to] = { ...fileFrom(realpathSync(library)), mode: 0o755 };
  }
  return files;
}

/** A shared library itself, by its soname. */
export function libraryFrom(soname: string): Files {
  const path = join("/", LIBRARIES, soname);
  return { [`${LIBRARIES}/${soname}`]: { ...fileFrom(realpathSync(path)), mode: 0o755 } };
}

/** The absolute path of a shared library of this machine, or undefined. */
export function libraryPath(soname: string): string | undefined {
  const path = join("/", LIBRARIES, soname);
  return existsSync(path) ? path : undefined;
}

/** busybox, with a link for each of its applets. */
export function busyboxFiles(): Files {
  const busybox = join(unpackedPackage("busybox-static"), "bin/busybox");
  const links = output([busybox, "--list"]).trim().split("\n");
  const files: Files = { "usr/bin/busybox": { ...fileFrom(busybox), mode: 0o755 } };
  // rastos is the system's own init, and its reboot and poweroff tell it.
  const others = new Set(["busybox", "init", "linuxrc", "reboot", "poweroff", "halt"]);
  for (const name of links) {
    if (!others.has(name)) files[`usr/bin/${name}`] = { symlink: "busybox" };
  }
  return files;
}

/** A kernel where Arch keeps it, with some of its modules and depmod's tables of these. */
export function kernelFiles(kernel: LabKernel, modules: readonly string[]): Files {
  using work = createWorkspace();
  const folder = `usr/lib/modules/${kernel.version}`;
  const files: Files = {
    [`${folder}/vmlinuz`]: fileFrom(kernel.image),
    [`${folder}/pkgbase`]: { content: "linux\n" },
  };
  const source = join(kernel.root, "lib/modules", kernel.version);
  const lists = ["modules.builtin", "modules.builtin.modinfo", "modules.order"];
  const all = [...moduleFiles(kernel, modules), ...lists.map((name) => join(source, name))];
  for (const path of all) {
    const relative = path.slice(source.length + 1);
    files[`${folder}/${relative}`] = fileFrom(path);
    work.write(`lib/modules/${kernel.version}/${relative}`, readFileSync(path));
  }
  output(["depmod", "-b", work.path, kernel.version]);
  return { ...files, ...folderFrom(work.at("lib/modules", kernel.version), folder, /^modules\./) };
}
