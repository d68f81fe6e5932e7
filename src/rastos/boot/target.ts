import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { parseMounts } from "../snapshot/root.ts";
import { type BootFiles, bootFault } from "./boot-files.ts";
import { FolderFiles } from "./folder-files.ts";
import { ImageFiles } from "./image-files.ts";
import type { BootTarget } from "./types.ts";

/** Type of an EFI system partition, as its 16 bytes stand in a GPT. */
const ESP_TYPE = "28732ac11ff8d211ba4b00a0c93ec93b";
/** Type of an XBOOTLDR partition (the /boot of the Boot Loader Specification). */
const XBOOTLDR_TYPE = "ff c2 13 bc e6 59 62 42 a3 52 b2 75 fd 6f 71 72".replaceAll(" ", "");
const SECTOR = 512;

/** The files of a boot partition. */
export function openBootFiles(target: BootTarget): BootFiles {
  return target.kind === "folder"
    ? new FolderFiles(resolve(target.path))
    : new ImageFiles({ path: resolve(target.path), offset: target.offset });
}

/**
 * What `--esp` names: a folder, a FAT file system in a file, or a disk image with a GPT, of which
 * the EFI system partition is taken (or else the extended boot loader partition).
 *
 * @throws {Fault} E_NOT_FOUND, E_REFUSED when the image has no such partition
 */
export function bootTargetOf(path: string): BootTarget {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw bootFault("read", path, error);
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot find the boot partition "${path}"`,
      hint: "--esp wants the folder where it is mounted, or an image",
    });
  }
  if (isFolder) return { kind: "folder", path };
  return { kind: "image", path, offset: fatOffset(path) };
}

/**
 * The serial number of a FAT file system, as `UUID=` in fstab and blkid write it: `1234-ABCD`.
 *
 * @returns undefined where no FAT begins at the offset
 */
export function fatVolumeId(path: string, offset: number): string | undefined {
  const sector = readAt(path, offset, SECTOR);
  if (sector.length < SECTOR || sector[510] !== 0x55 || sector[511] !== 0xaa) return undefined;
  const isFat32 = sector.toString("latin1", 82, 87) === "FAT32";
  if (!isFat32 && sector.toString("latin1", 54, 57) !== "FAT") return undefined;
  const serial = sector
    .readUInt32LE(isFat32 ? 67 : 39)
    .toString(16)
    .padStart(8, "0")
    .toUpperCase();
  return `${serial.slice(0, 4)}-${serial.slice(4)}`;
}

/**
 * The serial number of the boot partition's FAT: of an image from its first sector, of a folder
 * from the device that is mounted there. Undefined for anything else, such as a folder on btrfs.
 */
export function fatVolumeIdOf(target: BootTarget): string | undefined {
  if (target.kind === "image") return fatVolumeId(target.path, target.offset);
  const device = deviceMountedAt(resolve(target.path));
  return device === undefined ? undefined : fatVolumeId(device, 0);
}

/** The device of a vfat that is mounted on exactly this folder. */
function deviceMountedAt(folder: string): string | undefined {
  const mounts = parseMounts(readFileSync("/proc/self/mountinfo", "utf8"));
  return mounts.findLast(({ kind, place }) => kind === "vfat" && place === folder)?.device;
}

function fatOffset(path: string): number {
  const header = readAt(path, SECTOR, SECTOR);
  if (header.toString("latin1", 0, 8) !== "EFI PART") {
    if (fatVolumeId(path, 0) !== undefined) return 0;
    throw new Fault({
      code: "E_REFUSED",
      message:
        `Cannot use "${path}" as a boot partition: ` +
        "it holds neither a FAT file system nor a GPT",
      hint: "--esp wants the folder where it is mounted, or an image",
    });
  }
  const first = Number(header.readBigUInt64LE(72));
  const count = Math.min(header.readUInt32LE(80), 256);
  const size = header.readUInt32LE(84);
  if (size < 128 || size > 4096) throw noPartition(path);
  const table = readAt(path, first * SECTOR, count * size);
  const starts = new Map<string, number>();
  for (let at = 0; at + size <= table.length; at += size) {
    const type = table.toString("hex", at, at + 16);
    if (!starts.has(type)) starts.set(type, Number(table.readBigUInt64LE(at + 32)) * SECTOR);
  }
  const start = starts.get(ESP_TYPE) ?? starts.get(XBOOTLDR_TYPE);
  if (start === undefined) throw noPartition(path);
  return start;
}

function noPartition(path: string): Fault {
  return new Fault({
    code: "E_REFUSED",
    message: `Cannot find an EFI system partition in "${path}"`,
    hint: "its partition table has none of type C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
  });
}

function readAt(path: string, offset: number, size: number): Buffer {
  const buffer = Buffer.alloc(size);
  try {
    const fd = openSync(path, "r");
    try {
      return buffer.subarray(0, readSync(fd, buffer, 0, size, offset));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw bootFault("read", path, error);
  }
}
