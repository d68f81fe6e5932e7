import { mkdirSync, rmSync } from "node:fs";
import { output } from "./cache.ts";
import type { GuestDisk } from "./guest.ts";

/** A partition of a disk image, in bytes. */
export interface Partition {
  /** GUID of its type. */
  readonly type: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

const SECTOR = 512;
const ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";

/**
 * A disk that begins as another one is, and keeps what is written to itself: a snapshot of it. The
 * other one must not be written to any more.
 */
export function overlayDisk(base: GuestDisk, path: string): GuestDisk {
  output(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base.path, "-F", base.format, path]);
  return { path, format: "qcow2" };
}

/** The bytes of a disk as a file of their own, for tools that read no qcow2. */
export function rawCopy(disk: GuestDisk, path: string): GuestDisk {
  output(["qemu-img", "convert", "-f", disk.format, "-O", "raw", disk.path, path]);
  return { path, format: "raw" };
}

/** The partitions of a raw image. */
export function partitionsOf(image: string): readonly Partition[] {
  const answer = JSON.parse(output(["sfdisk", "--json", image]));
  const partitions: readonly { type: string; start: number; size: number }[] =
    answer.partitiontable.partitions;
  return partitions.map(({ type, start, size }) => ({
    type: type.toUpperCase(),
    offset: start * SECTOR,
    sizeBytes: size * SECTOR,
  }));
}

/**
 * The EFI system partition of a raw image.
 *
 * @throws Error when it has none
 */
export function espOf(image: string): Partition {
  const esp = partitionsOf(image).find(({ type }) => type === ESP);
  if (esp === undefined) throw new Error(`"${image}" has no EFI system partition`);
  return esp;
}

/** A file system of a raw image, mounted until the end of its scope. */
export interface MountedPartition extends Disposable {
  readonly path: string;
  /** The loop device, for tools that want one; nothing may write to it. */
  readonly device: string;
}

/**
 * Mounts a partition of a raw image: by its offset, as not every kernel looks for partitions.
 *
 * @throws Error with the words of losetup(8) or mount(8)
 */
export function mountPartition(
  image: string,
  partition: Partition,
  options: { readonly at: string; readonly mountOptions?: string },
): MountedPartition {
  const range = ["--offset", `${partition.offset}`, "--sizelimit", `${partition.sizeBytes}`];
  const device = output(["losetup", "--find", "--show", ...range, image]).trim();
  mkdirSync(options.at, { recursive: true });
  try {
    output(["mount", "-o", options.mountOptions ?? "ro", device, options.at]);
  } catch (error) {
    output(["losetup", "-d", device]);
    throw error;
  }
  const release = (): void => {
    output(["umount", options.at]);
    output(["losetup", "-d", device]);
    rmSync(options.at, { recursive: true });
  };
  return { path: options.at, device, [Symbol.dispose]: release };
}
