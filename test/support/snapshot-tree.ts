import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { SnapshotTree } from "../../src/rastos/snapshot/tree.ts";
import { type MountedFilesystem, mountFilesystem } from "./loop-filesystem.ts";
import { createWorkspace } from "./workspace.ts";

const MIB = 1024 * 1024;

/** A fresh btrfs for a tree. */
export function mountTop(sizeBytes = 512 * MIB): MountedFilesystem {
  return mountFilesystem({ kind: "btrfs", sizeBytes });
}

/** Files of a small system, in a folder. */
export function writeSystem(folder: string): void {
  for (const name of ["etc", "var/lib", "usr/bin", "boot", "home"]) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, "etc/hostname"), "one\n");
  writeFileSync(join(folder, "var/lib/counter"), "1\n");
  writeFileSync(join(folder, "usr/bin/tool"), "#!/bin/sh\n", { mode: 0o755 });
  symlinkSync("usr/bin", join(folder, "bin"));
}

/** Opens the tree, made if need be, with snapshot 0 of a small system where it is empty. */
export function openTree(top: string, command = "test"): SnapshotTree {
  const tree = SnapshotTree.open(top, { command, isNew: true });
  if (tree.state.snapshots.length > 0) return tree;
  using work = createWorkspace();
  const from = work.folder("system");
  writeSystem(from);
  tree.create({ from, description: "base" });
  return tree;
}

/**
 * All subvolumes below the top level, as `btrfs subvolume list` has them, and all links beside them
 * (what a clone has in common with its parent) that lead to one of them; sorted.
 */
export function subvolumesOf(top: string): string[] {
  const run = Bun.spawnSync(["btrfs", "subvolume", "list", top], { stdout: "pipe" });
  const paths = [...run.stdout.toString().matchAll(/ path (.*)$/gm)].map((match) => match[1] ?? "");
  return [...paths, ...linksOf(top, new Set(paths))].sort();
}

/** Links to these subvolumes in the folders of etc and var; what leads nowhere has `->` in it. */
export function linksOf(top: string, subvolumes: ReadonlySet<string>): string[] {
  return ["etc", "var"].flatMap((part) => {
    const folder = `.snapshots/${part}`;
    if (!existsSync(join(top, folder))) return [];
    const entries = readdirSync(join(top, folder), { withFileTypes: true });
    const links = entries.filter((entry) => entry.isSymbolicLink());
    return links.map(({ name }) => {
      const path = `${folder}/${name}`;
      if (!existsSync(join(top, path))) return `${path} -> nowhere`;
      const target = realpathSync(join(top, path)).slice(realpathSync(top).length + 1);
      return subvolumes.has(target) ? path : `${path} -> ${target}`;
    });
  });
}

/** The parts of these snapshots, sorted. */
export function partsOf(...ids: number[]): string[] {
  return ids
    .flatMap((id) => [
      `.snapshots/etc/etc-${id}`,
      `.snapshots/rootfs/snapshot-${id}`,
      `.snapshots/var/var-${id}`,
    ])
    .sort();
}
