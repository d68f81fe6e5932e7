import { expect } from "bun:test";
import { existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diffFiles } from "../../../src/rastos/snapshot/diff.ts";
import { findTree } from "../../../src/rastos/snapshot/find-tree.ts";
import { partPath } from "../../../src/rastos/snapshot/layout.ts";
import { partOwner, partPlace } from "../../../src/rastos/snapshot/part-place.ts";
import { snapshotSizes } from "../../../src/rastos/snapshot/sizes.ts";
import type { SnapshotTree } from "../../../src/rastos/snapshot/tree.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { mountTop, openTree, partsOf, subvolumesOf } from "../../support/snapshot-tree.ts";

const testOnBtrfs = (name: string, body: () => void) =>
  testUnless(cannotMount("btrfs"))(name, body, 30_000);

const hostname = (tree: SnapshotTree, id: number): string =>
  readFileSync(join(tree.pathsOf(id).etc, "hostname"), "utf8");

/** A child whose hostname is its own. */
function keepChanged(tree: SnapshotTree, from: number, name: string): number {
  using clone = tree.temporary(from);
  writeFileSync(join(clone.path, "etc/hostname"), `${name}\n`);
  return clone.keep({ description: name }).id;
}

testOnBtrfs("a clone has etc and var in common with its parent, and a root of its own", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  tree.clone(0);
  tree.clone(1);
  for (const part of ["etc", "var"] as const) {
    expect(partOwner(disk.path, part, 2)).toBe(0);
    expect(partPlace(disk.path, part, 2)).toBe(partPath(disk.path, part, 0));
  }
  expect(lstatSync(partPath(disk.path, "root", 2)).ino).toBe(256);
  expect(() => writeFileSync(join(partPath(disk.path, "root", 2), "new"), "")).toThrow("EROFS");
  expect(diffFiles({ top: disk.path, state: tree.state, from: 0, to: 2 })).toEqual([]);
});

testOnBtrfs("what is removed hands its etc and var over to those that have them too", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  const owner = keepChanged(tree, 0, "owner"); // 1
  for (const from of [owner, 2, owner, 3]) tree.clone(from); // 2 to 5
  tree.remove([owner], { force: true });
  expect(subvolumesOf(disk.path)).toEqual(partsOf(0, 2, 3, 4, 5));
  expect(partOwner(disk.path, "etc", 5)).toBe(2);
  // A link in the middle of a chain, the subvolume itself, and one that stays behind alone.
  tree.remove([3, 2, 4], { force: true });
  expect(subvolumesOf(disk.path)).toEqual(partsOf(0, 5));
  expect(partOwner(disk.path, "etc", 5)).toBe(5);
  expect(hostname(tree, 5)).toBe("owner\n");
  tree.remove([5], { force: true });
  expect(subvolumesOf(disk.path)).toEqual(partsOf(0));
});

testOnBtrfs("a change in a clone of a clone is seen against all of them", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  tree.clone(0);
  tree.clone(1);
  const changed = keepChanged(tree, 2, "changed");
  for (const from of [0, 1, 2]) {
    const changes = diffFiles({ top: disk.path, state: tree.state, from, to: changed });
    expect(changes).toMatchObject([{ kind: "changed", path: "/etc/hostname" }]);
  }
});

testOnBtrfs("nothing of what two have in common is exclusive to one of them", () => {
  // What is removed is tidied up at commits.
  const options = { sizeBytes: 512 * 1024 * 1024, mountOptions: "commit=1" };
  using disk = mountFilesystem({ kind: "btrfs", ...options });
  using tree = openTree(disk.path);
  using clone = tree.temporary(0);
  writeFileSync(join(clone.path, "var/large"), Buffer.alloc(128 * 1024, "x"));
  const { id } = clone.keep({ description: "" });
  clone.discard();
  Bun.spawnSync(["btrfs", "subvolume", "sync", disk.path]);
  const exclusive = (ids: number[]) =>
    snapshotSizes(disk.path, ids).map(({ exclusiveBytes }) => exclusiveBytes);
  expect(exclusive([id])).toEqual([128 * 1024]);
  tree.clone(id);
  expect(exclusive([id, id + 1])).toEqual([0, 0]);
});

testOnBtrfs("a link that is not ours leads nowhere: it is no part, and is not followed", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  tree.clone(0);
  for (const target of ["../../../outside", "etc-1", "var-0", "etc-9"]) {
    const path = partPath(disk.path, "etc", 1);
    Bun.spawnSync(["ln", "-sfn", target, path]);
    expect(partPlace(disk.path, "etc", 1), target).toStartWith(join(disk.path, ".snapshots/etc/"));
    const { state, issues } = findTree(disk.path, undefined);
    expect(
      state.snapshots.map(({ id }) => id),
      target,
    ).toEqual([0]);
    expect(issues, target).toEqual(["Snapshot 1 is not whole, and was left alone"]);
  }
  symlinkSync("etc-0", partPath(disk.path, "etc", 7));
  expect(existsSync(partPlace(disk.path, "etc", 7))).toBe(true);
});
