import type { BootEntry } from "../boot/types.ts";
import { crc32c } from "./crc32c.ts";
import { type DiskReader, openDisk } from "./disk-reader.ts";
import { PARTITION_TYPE, SECTOR } from "./partitions.ts";

/** A partition, as its table says. */
export interface FoundPartition {
  readonly number: number;
  readonly name: string;
  /** GUIDs as text with dashes, in capitals. */
  readonly type: string;
  readonly guid: string;
  readonly start: number;
  readonly sizeBytes: number;
}

/** A btrfs, as its superblock says. */
export interface FoundBtrfs {
  readonly uuid: string;
  readonly label: string;
  readonly sizeBytes: number;
  readonly usedBytes: number;
}

/** What an image holds. */
export interface ImageFacts {
  readonly format: "raw" | "qcow2";
  readonly sizeBytes: number;
  readonly partitions: readonly FoundPartition[];
  readonly btrfs: FoundBtrfs | undefined;
  /** In the loader's order; undefined where they cannot be read (QCOW2). */
  readonly entries: readonly BootEntry[] | undefined;
  /** The first sector holds boot code: a BIOS would start it. */
  readonly hasBootCode: boolean;
}

const PARTITIONS_MAX = 128;
const SUPERBLOCK_AT = 65_536;

/**
 * Looks into an image, or onto a disk: partitions, file system, boot entries.
 *
 * @throws {Fault} E_NOT_FOUND, E_PRIVILEGE, E_IO, E_REFUSED
 */
export async function inspectImage(path: string): Promise<ImageFacts> {
  using disk = openDisk(path);
  const partitions = readPartitions(disk);
  const root = partitions.find(({ type }) => type === PARTITION_TYPE.root);
  const esp = partitions.find(({ type }) => type === PARTITION_TYPE.esp);
  const { format, sizeBytes } = disk;
  return {
    format,
    sizeBytes,
    partitions,
    btrfs: root === undefined ? undefined : readBtrfs(disk, root.start),
    entries:
      esp === undefined || format === "qcow2" ? undefined : await readEntries(path, esp.start),
    hasBootCode: disk.read(0, 440).some((byte) => byte !== 0),
  };
}

async function readEntries(path: string, offset: number): Promise<readonly BootEntry[]> {
  const [{ BootMenu }, { openBootFiles }] = await Promise.all([
    import("../boot/menu.ts"),
    import("../boot/target.ts"),
  ]);
  return new BootMenu(openBootFiles({ kind: "image", path, offset })).entries();
}

/** The partitions of a GPT; none where there is no whole one (UEFI specification, 5.3). */
export function readPartitions(disk: DiskReader): readonly FoundPartition[] {
  const header = disk.read(SECTOR, SECTOR);
  if (header.toString("latin1", 0, 8) !== "EFI PART") return [];
  const first = Number(header.readBigUInt64LE(72));
  const count = Math.min(header.readUInt32LE(80), PARTITIONS_MAX);
  const size = header.readUInt32LE(84);
  if (size < 128 || size > 4096) return [];
  const table = disk.read(first * SECTOR, count * size);
  const partitions: FoundPartition[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * size;
    const type = guidOf(table.subarray(at, at + 16));
    if (/^[0-]+$/.test(type)) continue;
    const start = Number(table.readBigUInt64LE(at + 32));
    const end = Number(table.readBigUInt64LE(at + 40));
    partitions.push({
      number: index + 1,
      name: table.toString("utf16le", at + 56, at + 128).replace(/\0.*$/s, ""),
      type,
      guid: guidOf(table.subarray(at + 16, at + 32)),
      start: start * SECTOR,
      sizeBytes: (end - start + 1) * SECTOR,
    });
  }
  return partitions;
}

/** Mixed endian, as UEFI writes them. */
function guidOf(bytes: Buffer): string {
  const hex = (from: number, to: number): string => bytes.toString("hex", from, to);
  const swapped = (from: number, to: number): string =>
    Buffer.from(bytes.subarray(from, to)).reverse().toString("hex");
  const parts = [swapped(0, 4), swapped(4, 6), swapped(6, 8), hex(8, 10), hex(10, 16)];
  return parts.join("-").toUpperCase();
}

function readBtrfs(disk: DiskReader, start: number): FoundBtrfs | undefined {
  const block = disk.read(start + SUPERBLOCK_AT, 4096);
  const isBtrfs = block.toString("latin1", 64, 72) === "_BHRfS_M";
  if (!isBtrfs || crc32c(block.subarray(32)) !== block.readUInt32LE(0)) return undefined;
  const uuid = block.toString("hex", 32, 48);
  return {
    uuid: uuid.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    label: block.toString("utf8", 299, 554).replace(/\0.*$/s, ""),
    sizeBytes: Number(block.readBigUInt64LE(112)),
    usedBytes: Number(block.readBigUInt64LE(120)),
  };
}
