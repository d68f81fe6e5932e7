import { writeBootPartition } from "./boot-partition.ts";
import { type BtrfsSummary, writeBtrfs } from "./btrfs/write.ts";
import type { OpenTarget } from "./byte-target.ts";
import type { DiskContents } from "./compose.ts";
import { embedGrub, makeGrub } from "./grub.ts";
import { writePartitionTable } from "./partitions.ts";

/** A step of writing a disk, for progress and for saying where it stopped. */
export type DiskStep = "partition table" | "boot loader" | "boot partition" | "file system";

/** How a disk is written. */
export interface WriteOptions {
  /** Where temporary files may lie. */
  readonly workFolder: string;
  readonly onStep?: (step: DiskStep) => void;
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Writes a disk: the file system and the boot partition first, the partition table last, so that
 * what is not finished is no disk that anything would boot.
 *
 * @param target open for writing; a new image has its size already
 * @throws {Fault} E_NOT_FOUND without a tool, E_NO_SPACE, E_IO
 */
export async function writeDisk(
  target: OpenTarget,
  contents: DiskContents,
  options: WriteOptions,
): Promise<BtrfsSummary> {
  const { layout, identity } = contents;
  const { workFolder, onStep = () => undefined, onBytes } = options;
  // Signals that came meanwhile are seen between the steps.
  await Bun.sleep(0);
  // First, because it may lack a tool.
  const grub =
    contents.grubModules === undefined
      ? undefined
      : makeGrub(contents.grubModules, identity.fatSerial, workFolder);
  onStep("file system");
  const summary = await writeBtrfs(contents.btrfs, {
    target: target.part(layout.root.start),
    ids: identity,
    label: "rastos",
    onBytes,
  });
  await Bun.sleep(0);
  onStep("boot partition");
  writeBootPartition(target.part(layout.esp.start), {
    files: contents.bootFiles,
    sizeBytes: layout.esp.sizeBytes,
    serial: identity.fatSerial,
    seconds: contents.seconds,
    workFolder,
  });
  target.sync();
  await Bun.sleep(0);
  onStep("partition table");
  writePartitionTable(target.path, layout, identity);
  if (grub !== undefined) {
    onStep("boot loader");
    embedGrub(target, layout, grub);
  }
  target.sync();
  return summary;
}
