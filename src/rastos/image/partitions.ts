import { Fault } from "../../kit/fault/fault.ts";
import { formatBytes } from "../../kit/text/format.ts";
import type { ImageIdentity } from "./identity.ts";
import { runTool } from "./tool.ts";

export const SECTOR = 512;
const MIB = 1024 ** 2;

/** GUIDs of the types of partitions. */
export const PARTITION_TYPE = {
  bios: "21686148-6449-6E6F-744E-656564454649",
  esp: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
  /** "Linux root (x86-64)" of the Discoverable Partitions Specification. */
  root: "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
} as const;

/** A partition, in bytes. */
export interface PartitionPlan {
  readonly role: "bios" | "esp" | "root";
  readonly name: string;
  readonly start: number;
  readonly sizeBytes: number;
}

/** The three partitions of a disk. */
export interface DiskLayout {
  readonly sizeBytes: number;
  readonly bios: PartitionPlan;
  readonly esp: PartitionPlan;
  readonly root: PartitionPlan;
}

/** The smallest ESP: a FAT32 needs 65,525 clusters. */
export const ESP_BYTES_MIN = 64 * MIB;
const ROOT_BYTES_MIN = 256 * MIB;
/** The second partition table. */
const END_BYTES = MIB;

/**
 * Divides a disk: a megabyte for GRUB's core (BIOS machines), the ESP, and btrfs on the rest. All
 * on whole megabytes.
 *
 * @throws {Fault} E_NO_SPACE with figures
 */
export function planPartitions(sizeBytes: number, espBytes: number): DiskLayout {
  const esp = Math.ceil(Math.max(espBytes, ESP_BYTES_MIN) / MIB) * MIB;
  const rootStart = 2 * MIB + esp;
  const rootBytes = Math.floor((sizeBytes - END_BYTES - rootStart) / MIB) * MIB;
  if (rootBytes < ROOT_BYTES_MIN) {
    const needBytes = rootStart + ROOT_BYTES_MIN + END_BYTES;
    throw new Fault({
      code: "E_NO_SPACE",
      message: `Cannot divide ${formatBytes(sizeBytes)}: ${formatBytes(needBytes)} are needed`,
      hint: "at least; take a larger disk, or a larger --size",
      details: { sizeBytes, needBytes },
    });
  }
  return {
    sizeBytes,
    bios: { role: "bios", name: "bios", start: MIB, sizeBytes: MIB },
    esp: { role: "esp", name: "esp", start: 2 * MIB, sizeBytes: esp },
    root: { role: "root", name: "rastos", start: rootStart, sizeBytes: rootBytes },
  };
}

/**
 * Writes the partition table into an image or onto a disk, by sfdisk(8).
 *
 * @throws {Fault} E_NOT_FOUND without sfdisk, E_IO
 */
export function writePartitionTable(
  path: string,
  layout: DiskLayout,
  identity: ImageIdentity,
): void {
  const guids = {
    bios: identity.biosPartition,
    esp: identity.bootPartition,
    root: identity.rootPartition,
  };
  const line = ({ role, name, start, sizeBytes }: PartitionPlan): string =>
    [
      `start=${start / SECTOR}`,
      `size=${sizeBytes / SECTOR}`,
      `type=${PARTITION_TYPE[role]}`,
      `uuid=${guids[role].toUpperCase()}`,
      `name="${name}"`,
    ].join(", ");
  const script = [
    "label: gpt",
    `label-id: ${identity.disk.toUpperCase()}`,
    "unit: sectors",
    ...[layout.bios, layout.esp, layout.root].map(line),
  ];
  runTool({
    program: "sfdisk",
    packageName: "util-linux (Debian: fdisk)",
    // The kernel is told once all is written.
    args: [
      "--quiet",
      "--wipe=always",
      "--wipe-partitions=never",
      "--no-reread",
      "--no-tell-kernel",
      path,
    ],
    input: `${script.join("\n")}\n`,
    action: `write a partition table to "${path}"`,
  });
}
