import { expect } from "bun:test";
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Backups } from "../../../src/rastos/backup/backups.ts";
import { localStore } from "../../../src/rastos/backup/local-store.ts";
import { createSealer } from "../../../src/rastos/backup/sealer.ts";
import type { BackupManifest, ObjectStore } from "../../../src/rastos/backup/types.ts";
import type { SnapshotTree } from "../../../src/rastos/snapshot/tree.ts";
import { cannotMount } from "../../support/loop-filesystem.ts";
import { firstReason, needsProgram, testUnless } from "../../support/skip.ts";
import { mountTop, openTree } from "../../support/snapshot-tree.ts";
import { createWorkspace } from "../../support/workspace.ts";

const testOnBtrfs = testUnless(firstReason(cannotMount("btrfs"), needsProgram("btrfs")));

function open(store: ObjectStore): Backups {
  const config = { chunkBytes: 64 * 1024, uploads: 2, bytesPerSecond: undefined };
  const clock = { nowMs: Date.now, sleep: Bun.sleep };
  return new Backups({ store, sealer: createSealer(undefined, 3), config, clock });
}

/** A store in which something else happens just before a backup counts. */
function meanwhile(folder: string, act: () => Promise<unknown>): ObjectStore {
  const store = localStore(folder);
  const put: ObjectStore["put"] = async (name, bytes) => {
    if (name.startsWith("backups/")) await act();
    await store.put(name, bytes);
  };
  return { ...store, put };
}

function keep(backups: Backups, tree: SnapshotTree, id: number): Promise<BackupManifest> {
  const { root: top, state } = tree;
  const snapshot = tree.snapshot(id);
  return backups.create({ top, state, snapshot, isIncremental: true, description: "" });
}

function piecesIn(folder: string): string[] {
  const names = readdirSync(join(folder, "chunks"), { recursive: true, encoding: "utf8" });
  return names
    .map((name) => join(folder, "chunks", name))
    .filter((path) => statSync(path).isFile());
}

testOnBtrfs("pieces that nobody has had are not counted upon: a sweep may take them", async () => {
  using disk = mountTop();
  using work = createWorkspace();
  using tree = openTree(disk.path);
  const folder = work.folder("kept");
  const plain = open(localStore(folder));
  const failed = await keep(plain, tree, 0);
  await localStore(folder).remove(`backups/${failed.id}`);
  const long = new Date(Date.now() - 48 * 3600 * 1000);
  for (const path of piecesIn(folder)) utimesSync(path, long, long);
  await keep(open(meanwhile(folder, () => plain.sweep())), tree, 0);
  expect(await plain.verify(undefined)).toEqual([]);
});

testOnBtrfs("a backup does not count where what it builds upon was removed meanwhile", async () => {
  using disk = mountTop();
  using work = createWorkspace();
  using tree = openTree(disk.path);
  const folder = work.folder("kept");
  const plain = open(localStore(folder));
  const first = await keep(plain, tree, 0);
  const { id } = tree.clone(0);
  const removing = open(meanwhile(folder, () => plain.remove([first.id], { isForced: false })));
  await expect(keep(removing, tree, id)).rejects.toMatchObject({ code: "E_IO" });
  expect(await plain.list()).toEqual([]);
});

testOnBtrfs("a damaged description is told, and does not keep from the other backups", async () => {
  using disk = mountTop();
  using other = mountTop();
  using work = createWorkspace();
  using tree = openTree(disk.path);
  const folder = work.folder("kept");
  const backups = open(localStore(folder));
  const first = await keep(backups, tree, 0);
  const second = await keep(backups, tree, tree.clone(0).id);
  const path = join(folder, "backups", second.id);
  writeFileSync(path, readFileSync(path).subarray(0, 40));
  const problems = await backups.verify(undefined);
  expect(problems).toMatchObject([{ backup: second.id }]);
  using there = openTree(other.path);
  expect(await backups.restore(there, first.id)).toHaveLength(1);
  // What it needs is not known: nothing is swept then.
  await expect(backups.sweep()).rejects.toMatchObject({ code: "E_INTEGRITY" });
});
