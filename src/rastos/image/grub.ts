import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import type { ByteTarget } from "./byte-target.ts";
import { type DiskLayout, SECTOR } from "./partitions.ts";
import { runTool } from "./tool.ts";

/**
 * GRUB for BIOS machines, put in its place by hand as grub-bios-setup(8) does it, which wants
 * devices: boot.img into the first sector, around the partition table, and the core into the BIOS
 * boot partition. Offsets: include/grub/i386/pc/boot.h of GRUB.
 */
const MODULE_FOLDER = "usr/lib/grub/i386-pc";
/** The boot code of the first sector ends here: the disk's signature and the table follow. */
const BOOT_CODE_BYTES = 440;
/** In boot.img: the core's first sector, 64 bits. */
const CORE_SECTOR_AT = 0x5c;
/** In boot.img: the jump that only floppies need. */
const DRIVE_CHECK_AT = 0x66;
/** In the core's first sector: where the rest of it is. */
const BLOCK_LIST_AT = SECTOR - 12;
/** Segment to which the rest is loaded. */
const CORE_SEGMENT = 0x820;

/** What the core must know by itself to read its configuration. */
const MODULES = [
  ...["biosdisk", "part_gpt", "part_msdos", "fat", "btrfs", "search", "search_fs_uuid"],
  ...[
    "normal",
    "configfile",
    "linux",
    "loadenv",
    "test",
    "echo",
    "ls",
    "reboot",
    "halt",
    "minicmd",
  ],
  ...["serial", "terminal"],
];

/** The folder of GRUB's modules: of the new system, or else of this machine. */
export function findGrub(root: string): string | undefined {
  return [join(root, MODULE_FOLDER), `/${MODULE_FOLDER}`].find((folder) => {
    return existsSync(join(folder, "boot.img")) && existsSync(join(folder, "kernel.img"));
  });
}

/** What GRUB is put together from. */
export interface GrubParts {
  /** The first sector's code. */
  readonly boot: Buffer;
  /** Whole sectors. */
  readonly core: Buffer;
}

/**
 * Makes GRUB's core: it looks for the boot partition by its serial number and reads grub/grub.cfg.
 *
 * @param modules the folder of {@link findGrub}
 * @throws {Fault} E_NOT_FOUND without grub-mkimage, E_IO
 */
export function makeGrub(modules: string, fatSerial: string, workFolder: string): GrubParts {
  const folder = mkdtempSync(join(workFolder, ".grub-"));
  try {
    const config = join(folder, "early.cfg");
    const serial = `${fatSerial.slice(0, 4)}-${fatSerial.slice(4)}`;
    writeFileSync(
      config,
      `search --no-floppy --set=root --fs-uuid ${serial}\nset prefix=($root)/grub\n`,
    );
    const core = join(folder, "core.img");
    const known = MODULES.filter((name) => existsSync(join(modules, `${name}.mod`)));
    const format = ["--format=i386-pc", "--prefix=/grub", `--directory=${modules}`];
    runTool({
      program: "grub-mkimage",
      packageName: "grub (Debian: grub-common)",
      args: [...format, `--config=${config}`, `--output=${core}`, ...known],
      action: "make GRUB's core",
    });
    const bytes = readFileSync(core);
    const padded = Buffer.alloc(Math.ceil(bytes.length / SECTOR) * SECTOR);
    bytes.copy(padded);
    return { boot: readFileSync(join(modules, "boot.img")), core: padded };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Puts GRUB in its place. @throws {Fault} E_NO_SPACE when the core is too large, E_IO */
export function embedGrub(target: ByteTarget, layout: DiskLayout, parts: GrubParts): void {
  const { start, sizeBytes } = layout.bios;
  if (parts.core.length > sizeBytes) {
    throw new Fault({
      code: "E_NO_SPACE",
      message: `Cannot put GRUB's core of ${parts.core.length} bytes into ${sizeBytes}`,
    });
  }
  const first = start / SECTOR;
  const core = Buffer.from(parts.core);
  core.writeBigUInt64LE(BigInt(first + 1), BLOCK_LIST_AT);
  core.writeUInt16LE(core.length / SECTOR - 1, BLOCK_LIST_AT + 8);
  core.writeUInt16LE(CORE_SEGMENT, BLOCK_LIST_AT + 10);
  target.write(start, core);
  const boot = Buffer.from(parts.boot.subarray(0, BOOT_CODE_BYTES));
  boot.writeBigUInt64LE(BigInt(first), CORE_SECTOR_AT);
  boot.writeUInt16LE(0x9090, DRIVE_CHECK_AT);
  target.write(0, boot);
}
