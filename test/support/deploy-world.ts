import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SnapshotTree } from "../../src/rastos/snapshot/tree.ts";
import { type MountedFilesystem, mountFilesystem } from "./loop-filesystem.ts";

/** A btrfs with a snapshot 0 that can be deployed, and a folder as its boot partition. */
export interface DeployWorld extends Disposable {
  /** The btrfs top level. */
  readonly top: string;
  /** Where the boot partition's folder is; it lies outside of the btrfs. */
  readonly esp: string;
}

/** A small system: what deploying looks at. Its initial ram disk is its own. */
export function makeBootableFolder(folder: string, version = "6.1.0-1"): string {
  const modules = join(folder, "usr/lib/modules", version);
  for (const path of [modules, "usr/bin", "etc/kernel", "var/lib", "home"]) {
    mkdirSync(path.startsWith("/") ? path : join(folder, path), { recursive: true });
  }
  writeFileSync(join(modules, "vmlinuz"), `kernel ${version}`.repeat(2000));
  writeFileSync(join(modules, "initramfs"), `ram disk ${version}`.repeat(2000));
  writeFileSync(join(folder, "etc/hostname"), "lab\n");
  writeFileSync(join(folder, "etc/kernel/cmdline"), "console=ttyS0 root=/dev/sda1\n");
  writeFileSync(join(folder, "etc/fstab"), "/dev/sda1 / ext4 defaults 0 1\n/dev/sdb none swap\n");
  writeFileSync(join(folder, "var/lib/data"), "data\n");
  return folder;
}

/** @param work a folder for the boot partition and the first system */
export function makeDeployWorld(work: string): DeployWorld {
  const disk: MountedFilesystem = mountFilesystem({ kind: "btrfs", sizeBytes: 512 * 1024 * 1024 });
  const esp = join(work, "esp");
  mkdirSync(esp, { recursive: true });
  const from = makeBootableFolder(join(work, "system"));
  {
    using tree = SnapshotTree.open(disk.path, { command: "test", isNew: true });
    tree.create({ from, description: "base" });
  }
  rmSync(from, { recursive: true });
  return { top: disk.path, esp, [Symbol.dispose]: () => disk[Symbol.dispose]() };
}

/** Names of the deployments' subvolumes. */
export function deployedNames(top: string): string[] {
  return readdirSync(join(top, ".snapshots/deploy")).sort();
}
