import {
  existsSync,
  lstatSync,
  lutimesSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { machineName } from "../package/machine.ts";

/** A kernel to make a package of. */
export interface KernelPackage {
  /** What `rastos kernel build` has installed: it holds `usr`. */
  readonly installFolder: string;
  /** Where the package goes. */
  readonly folder: string;
  /** `linux-rastos-production`. */
  readonly name: string;
  /** `6.1.192`, as the kernel itself says. */
  readonly release: string;
  /** Of all files, in seconds since 1970. */
  readonly dateSeconds: number;
}

const HASHES = "type,uid,gid,mode,time,size,md5,sha256,link";

/**
 * Makes a package for pacman of an installed kernel, so that its files have an owner; the same
 * kernel gives the same package. By bsdtar and zstd, which pacman's own tools use.
 *
 * @returns the package's path
 * @throws {Fault} E_NOT_FOUND without them; E_IO
 */
export function packKernel(options: KernelPackage): string {
  const { installFolder, folder, name, dateSeconds } = options;
  const version = `${options.release.replace(/[^A-Za-z0-9._+]/g, "_")}-1`;
  const names = treeOf(installFolder, "usr");
  const info = join(installFolder, ".PKGINFO");
  writeFileSync(info, packageInfo({ ...options, version, names }));
  for (const path of [...names, ".PKGINFO"]) {
    lutimesSync(join(installFolder, path), dateSeconds, dateSeconds);
  }
  const list = `${[".PKGINFO", ...names].join("\n")}\n`;
  const base = ["--no-recursion", "--uid", "0", "--gid", "0", "--uname", "", "--gname", ""];
  const tar = (args: readonly string[], input: string): void =>
    run("bsdtar", ["-C", installFolder, ...base, ...args, "-T", "-"], input);
  const target = join(folder, `${name}-${version}-${machineName()}.pkg.tar.zst`);
  const fresh = `${target}.new`;
  const tree = join(installFolder, ".MTREE");
  // gzip keeps the time of writing unless it is told not to.
  const mtree = ["--format=mtree", `--options=!all,use-set,${HASHES},gzip:!timestamp`];
  tar(["-czf", tree, ...mtree], list);
  lutimesSync(tree, dateSeconds, dateSeconds);
  tar(["-cf", fresh, "--format=paxr", "--zstd"], `.MTREE\n${list}`);
  renameSync(fresh, target);
  // They describe the package, and are no part of what is installed.
  for (const path of [info, tree]) unlinkSync(path);
  return target;
}

function packageInfo(
  options: KernelPackage & { readonly version: string; readonly names: readonly string[] },
): string {
  const { installFolder, name, release, dateSeconds, version, names } = options;
  const sizes = names.map((path) => lstatSync(join(installFolder, path)));
  const bytes = sizes.reduce((sum, { size }, index) => {
    return sizes[index]?.isFile() === true ? sum + size : sum;
  }, 0);
  const hasModules = existsSync(join(installFolder, "usr/lib/modules", release, "kernel"));
  const lines = [
    `pkgname = ${name}`,
    `pkgbase = ${name}`,
    `pkgver = ${version}`,
    `pkgdesc = Linux ${release}, built by rastos`,
    "url = https://www.kernel.org",
    `builddate = ${dateSeconds}`,
    "packager = rastos",
    `size = ${bytes}`,
    `arch = ${machineName()}`,
    "license = GPL-2.0-only",
    ...(hasModules ? ["depend = kmod"] : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** All names below a folder, sorted, folders before what they hold. */
function treeOf(root: string, folder: string): string[] {
  const names = readdirSync(join(root, folder), { withFileTypes: true });
  names.sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    folder,
    ...names.flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? treeOf(root, path) : [path];
    }),
  ];
}

function run(program: string, args: readonly string[], input: string): void {
  const path = Bun.which(program);
  if (path === null) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot make a package of the kernel: ${program} is not installed`,
      hint: "install libarchive",
    });
  }
  const done = Bun.spawnSync([path, ...args], {
    env: { LC_ALL: "C.UTF-8", PATH: process.env["PATH"] ?? "/usr/bin:/bin", TZ: "UTC" },
    stdin: Buffer.from(input),
    stderr: "pipe",
  });
  if (done.success) return;
  throw new Fault({
    code: "E_IO",
    message: `Cannot make a package of the kernel: ${done.stderr.toString().trim()}`,
  });
}
