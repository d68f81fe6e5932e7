import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { defaultServices } from "../../src/rastos/service/default-services.ts";
import { labCache, publish, unpackedPackage } from "../lab/cache.ts";
import { CONSOLE_SCRIPT } from "../lab/guest.ts";
import { labKernel } from "../lab/kernel.ts";
import { binaryPath } from "./binary.ts";
import { makeRepository, type PackageSpec } from "./pacman-repository.ts";
import {
  busyboxFiles,
  type Files,
  fileFrom,
  folderFrom,
  kernelFiles,
  librariesOf,
  libraryFrom,
  libraryPath,
  program,
} from "./system-files.ts";

/**
 * A small system as pacman packages, made of what this machine has: enough to boot in QEMU, to run
 * services, and to change itself by rastos.
 *
 * `filesystem` `glibc` `busybox` `linux` `rastos` `grub` are the base; `lab-console` answers on the
 * serial console; `hello-service` and `bad-service` are one that runs and one that never gets
 * healthy; `extra` is one more. Made once per executable, in the lab's cache.
 */
export async function systemRepository(): Promise<SystemRepository> {
  const triad = await binaryPath();
  const folder = labCache("repository", keyOf(triad));
  if (!existsSync(folder)) {
    mkdirSync(labCache("repository"), { recursive: true });
    removeOld(labCache("repository"));
    const temporary = mkdtempSync(labCache(".repository-"));
    makeRepository(temporary, packagesOf(triad), { name: "lab" });
    publish(temporary, folder);
  }
  return { name: "lab", servers: [`file://${folder}`], folder };
}

/** The repository of the lab. */
export interface SystemRepository {
  readonly name: string;
  readonly servers: readonly string[];
  readonly folder: string;
}

/** The executable, and what this file and its helpers say. */
function keyOf(triad: string): string {
  const hasher = new Bun.CryptoHasher("sha256");
  const sources = ["system-repository.ts", "system-files.ts", "pacman-repository.ts"];
  const paths = [triad, ...sources.map((name) => join(import.meta.dir, name))];
  for (const path of paths) hasher.update(readFileSync(path));
  return hasher.digest("hex").slice(0, 16);
}

/** A hundred megabytes each: those of yesterday's executables go. */
function removeOld(folder: string): void {
  for (const name of readdirSync(folder)) {
    const ageMs = Date.now() - statSync(join(folder, name)).mtimeMs;
    if (ageMs > 6 * 3_600_000) rmSync(join(folder, name), { recursive: true });
  }
}

function packagesOf(triad: string): readonly PackageSpec[] {
  const glibc = librariesOf([triad]);
  return [
    filesystem(),
    { ...base("glibc"), files: glibc },
    { ...base("busybox"), files: busyboxFiles(), depends: ["filesystem"] },
    { ...base("linux"), files: kernelFiles(labKernel("cloud"), MODULES) },
    rastos(triad, glibc),
    grub(),
    service("lab-console", CONSOLE_SCRIPT),
    service("hello-service", HELLO),
    service("bad-service", BAD),
    { ...base("extra"), files: { "usr/bin/extra": program("#!/bin/sh", "echo extra runs") } },
  ];
}

/** What a machine of QEMU's needs to find its disks, and what rastos uses. */
const MODULES = [
  ...["virtio_pci", "virtio_blk", "virtio_net"],
  ...["crc32c_generic", "xxhash_generic", "blake2b_generic", "btrfs"],
  ...["vfat", "nls_ascii", "nls_cp437", "nls_utf8", "efivarfs", "overlay", "loop"],
];

const HELLO = ['echo "hello: this is $(cat /etc/hostname)" >/dev/console', "exec sleep 1000000"];
const BAD = ['echo "bad: this will not do" >/dev/console', "exit 1"];

const WITHOUT_LOGIN = { content: 'wants = ["network", "rastos-bless"]\n' };

function base(name: string): Pick<PackageSpec, "name" | "version" | "arch"> {
  return { name, version: "1-1", arch: "x86_64" };
}

/** The folders of a merged /usr, and the accounts that everything expects. */
function filesystem(): PackageSpec {
  const folders = ["dev", "proc", "sys", "run", "mnt", "efi", "boot", "home", "srv", "opt"];
  const below = ["etc/rinit", "var/log", "var/lib", "var/cache", "usr/share", "usr/lib", "usr/bin"];
  const files: Files = {};
  for (const path of [...folders, ...below]) files[path] = { folder: true };
  for (const path of ["tmp", "var/tmp"]) files[path] = { folder: true, mode: 0o1777 };
  files["root"] = { folder: true, mode: 0o700 };
  const links = { bin: "usr/bin", sbin: "usr/bin", lib: "usr/lib", lib64: "usr/lib" };
  for (const [path, symlink] of Object.entries(links)) files[path] = { symlink };
  files["usr/sbin"] = { symlink: "bin" };
  files["var/run"] = { symlink: "../run" };
  const texts = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\ntty:x:5:\nnobody:x:65534:\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "usr/lib/os-release": 'ID=rastos\nNAME="rastOS"\nPRETTY_NAME="rastOS lab"\n',
  };
  for (const [path, content] of Object.entries(texts)) files[path] = { content };
  files["etc/shadow"] = { content: "root:!:19000::::::\nnobody:!:19000::::::\n", mode: 0o600 };
  // libalpm looks there for the space that is left.
  files["etc/mtab"] = { symlink: "../proc/self/mounts" };
  files["etc/os-release"] = { symlink: "../usr/lib/os-release" };
  return { ...base("filesystem"), files };
}

/** rastos with the libraries that it opens, and what its images boot by. */
function rastos(triad: string, glibc: Files): PackageSpec {
  const sonames = ["libbtrfsutil.so.1", "libalpm.so.13"].filter((name) => libraryPath(name));
  const opened = sonames.flatMap((name) => libraryPath(name) ?? []);
  const efi = "usr/lib/systemd/boot/efi/systemd-bootx64.efi";
  const files: Files = {
    "usr/bin/triad": fileFrom(triad),
    "usr/bin/init": { symlink: "triad" },
    "usr/bin/reboot": program("#!/bin/sh", "exec rastos reboot"),
    "usr/bin/poweroff": program("#!/bin/sh", "exec rastos poweroff"),
    "etc/rastos/health.toml": { content: "timeout = 40\n" },
    [efi]: fileFrom(join(unpackedPackage("systemd-boot-efi"), efi)),
    ...Object.assign({}, ...sonames.map(libraryFrom)),
    ...librariesOf(opened, glibc),
  };
  for (const { path, content } of defaultServices()) files[path] = { content };
  for (const name of ["rastos", "blit", "blast"]) files[`usr/bin/${name}`] = { symlink: "triad" };
  return { ...base("rastos"), files, depends: ["glibc", "busybox"] };
}

/** GRUB for BIOS machines: its modules, of which an image's core is made. */
function grub(): PackageSpec {
  const folder = "usr/lib/grub/i386-pc";
  const source = join(unpackedPackage("grub-pc-bin"), folder);
  const wanted = new RegExp(`^(${readdirSync(source).filter(isForBoot).join("|")})$`);
  return { ...base("grub"), files: folderFrom(source, folder, wanted) };
}

function isForBoot(name: string): boolean {
  return /\.(mod|lst|img)$/.test(name);
}

/** A package with a service that rinit runs. */
function service(name: string, script: readonly string[]): PackageSpec {
  const isConsole = name === "lab-console";
  const toml = [
    `description = "${name} of the lab"`,
    `exec = ["/usr/bin/${name}"]`,
    ...(isConsole ? ['tty = "/dev/ttyS0"', 'restart = "always"'] : []),
  ];
  return {
    ...base(name),
    files: {
      [`usr/bin/${name}`]: program("#!/bin/sh", ...script),
      [`usr/lib/rinit/${name}.toml`]: { content: `${toml.join("\n")}\n` },
      // The console is its own: no login there.
      ...(isConsole ? { "etc/rinit/default.toml": WITHOUT_LOGIN } : {}),
    },
    depends: ["busybox", "rastos"],
  };
}
