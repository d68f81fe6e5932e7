import { gzipSync } from "node:zlib";
import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import { type CpioEntry, writeCpio } from "./cpio.ts";
import { closeModules, type ModuleIndex } from "./modules.ts";

/** What an initial ram disk is made of. */
export interface InitramfsOptions {
  /** Root folder of the system: its busybox and its modules are used. */
  readonly root: string;
  /** Folder below usr/lib/modules. */
  readonly kernelVersion: string;
  /** Names of further modules, such as a driver of the disk. */
  readonly modules?: readonly string[];
  /** Seconds since 1970 that everything in it carries. Default 0. */
  readonly seconds?: number;
}

/** An initial ram disk. */
export interface Initramfs {
  readonly bytes: Uint8Array;
  /** Files of modules, in the order in which they are loaded. */
  readonly modules: readonly string[];
  /** Names of wanted modules that this kernel has not. */
  readonly missing: readonly string[];
}

/** Without this one nothing boots. */
const NEEDED_MODULES = ["btrfs"];
/** Disks of machines, real ones and virtual ones, and what a boot partition needs. */
const USUAL_MODULES = [
  "virtio_pci virtio_blk virtio_scsi ahci ata_piix sd_mod nvme xhci_pci usb_storage uas",
  "mmc_block sdhci_pci vmw_pvscsi hv_storvsc xen_blkfront",
  "vfat nls_cp437 nls_ascii nls_iso8859_1 nls_utf8",
].flatMap((line) => line.split(" "));

const BUSYBOX_PATHS = ["usr/bin/busybox", "bin/busybox", "usr/lib/initcpio/busybox"];
const FOLDERS = ["bin", "dev", "modules", "proc", "run", "sys", "sysroot"];

/**
 * Builds an initial ram disk of busybox, the modules and a script: it mounts the subvolume that the
 * command line names and starts the system's init. The same input gives the same bytes.
 *
 * @throws {Fault} E_NOT_FOUND without a static busybox, the kernel's modules or btrfs among them
 */
export async function buildInitramfs(options: InitramfsOptions): Promise<Initramfs> {
  using root = RootFolder.open(options.root);
  const modules = readModules(root, options);
  const script = (await import("../assets/init/init.txt", { with: { type: "text" } })).default;
  const order = modules.files.map((file) => `${file.name}\n`).join("");
  const text = (content: string): Uint8Array => Buffer.from(content);
  const entries: CpioEntry[] = [
    ...FOLDERS.map((path): CpioEntry => ({ kind: "folder", path, mode: 0o755 })),
    // The kernel opens it for the first program, before there is any other device.
    { kind: "device", path: "dev/console", mode: 0o600, major: 5, minor: 1 },
    { kind: "file", path: "bin/busybox", mode: 0o755, content: readBusybox(root) },
    { kind: "link", path: "bin/sh", target: "busybox" },
    { kind: "file", path: "init", mode: 0o755, content: text(script) },
    { kind: "file", path: "modules/order", mode: 0o644, content: text(order) },
    ...modules.files.map(
      ({ name, content }): CpioEntry => ({
        kind: "file",
        path: `modules/${name}`,
        mode: 0o644,
        content,
      }),
    ),
  ];
  const archive = writeCpio(entries, options.seconds ?? 0);
  return {
    bytes: gzipSync(archive, { level: 6 }),
    modules: modules.files.map(({ name }) => name),
    missing: modules.missing,
  };
}

interface ModuleFiles {
  readonly files: readonly { readonly name: string; readonly content: Uint8Array }[];
  readonly missing: readonly string[];
}

function readModules(root: RootFolder, options: InitramfsOptions): ModuleFiles {
  const { kernelVersion } = options;
  const folder = ["usr/lib/modules", "lib/modules"]
    .map((path) => `${path}/${kernelVersion}`)
    .find((path) => root.status(`${path}/modules.dep`, { follow: true }) !== undefined);
  if (folder === undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot find the modules of the kernel ${kernelVersion} in "${root.path}"`,
      hint: "usr/lib/modules must hold them, with the modules.dep that depmod writes",
    });
  }
  const text = (name: string): string => root.readText(`${folder}/${name}`) ?? "";
  const index: ModuleIndex = {
    dependencies: text("modules.dep"),
    builtin: text("modules.builtin"),
    soft: text("modules.softdep"),
    aliases: text("modules.alias"),
  };
  const wanted = [...NEEDED_MODULES, ...USUAL_MODULES, ...(options.modules ?? [])];
  const { files, missing } = closeModules(index, wanted);
  const lacking = NEEDED_MODULES.find((name) => missing.includes(name));
  if (lacking !== undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot boot with the kernel ${kernelVersion}: it has no ${lacking}`,
      hint: "install a kernel with CONFIG_BTRFS_FS",
    });
  }
  return { files: files.map((file) => readModule(root, `${folder}/${file}`)), missing };
}

/** A module as the kernel takes it: unpacked. */
function readModule(root: RootFolder, path: string): { name: string; content: Uint8Array } {
  const bytes = root.read(path);
  if (bytes === undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot find the module "${path}" in "${root.path}", which modules.dep names`,
      hint: "install the kernel's package again",
    });
  }
  const file = path.split("/").at(-1) ?? "";
  const name = file.replace(/\.(zst|xz|gz)$/, "");
  return { name, content: file === name ? bytes : unpack(path, bytes) };
}

function unpack(path: string, bytes: Buffer): Uint8Array {
  if (path.endsWith(".zst")) return Bun.zstdDecompressSync(bytes);
  if (path.endsWith(".gz")) return Bun.gunzipSync(new Uint8Array(bytes));
  const xz = Bun.which("xz");
  if (xz === null) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot unpack the module "${path}": xz is not installed`,
      hint: "install the package xz (xz-utils)",
    });
  }
  const result = Bun.spawnSync([xz, "-dc"], { stdin: bytes, stdout: "pipe", stderr: "pipe" });
  if (result.success) return result.stdout;
  throw new Fault({
    code: "E_INTEGRITY",
    message: `Cannot unpack the module "${path}"`,
    cause: new Error(result.stderr.toString().trim()),
  });
}

function readBusybox(root: RootFolder): Uint8Array {
  for (const path of BUSYBOX_PATHS) {
    const bytes = root.read(path);
    if (bytes !== undefined && isStatic(bytes)) return bytes;
  }
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot build an initial ram disk: there is no static busybox in "${root.path}"`,
    hint: "put the package busybox into the snapshot (Debian: busybox-static), or mkinitcpio",
  });
}

/** An ELF program without an interpreter (elf(5), PT_INTERP), of a 64-bit little-endian machine. */
function isStatic(bytes: Buffer): boolean {
  if (bytes.length < 64 || bytes.toString("latin1", 0, 6) !== "\x7fELF\x02\x01") return false;
  const table = Number(bytes.readBigUInt64LE(32));
  const size = bytes.readUInt16LE(54);
  const count = bytes.readUInt16LE(56);
  if (table + size * count > bytes.length) return false;
  for (let index = 0; index < count; index++) {
    if (bytes.readUInt32LE(table + index * size) === 3) return false;
  }
  return true;
}
