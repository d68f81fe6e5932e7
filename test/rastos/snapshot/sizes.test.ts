import { expect } from "bun:test";
import { linkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { snapshotSizes } from "../../../src/rastos/snapshot/sizes.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { openTree } from "../../support/snapshot-tree.ts";

testUnless(cannotMount("btrfs"))(
  "shared and exclusive are those of `btrfs filesystem du`",
  () => {
    // What is removed is tidied up at commits.
    const options = { sizeBytes: 512 * 1024 * 1024, mountOptions: "commit=1" };
    using disk = mountFilesystem({ kind: "btrfs", ...options });
    using tree = openTree(disk.path);
    const clone = tree.temporary(0);
    const data = (kib: number): Buffer => Buffer.alloc(kib * 1024, Math.random().toString());
    writeFileSync(join(clone.path, "usr/large"), data(512));
    writeFileSync(join(clone.path, "var/log"), data(64));
    writeFileSync(join(clone.path, "usr/inline"), "small");
    linkSync(join(clone.path, "usr/large"), join(clone.path, "usr/again"));
    const first = clone.keep({ description: "" }).id;
    const next = tree.temporary(first);
    writeFileSync(join(next.path, "usr/own"), data(128));
    const second = next.keep({ description: "" }).id;
    // The clones that are gone share blocks until btrfs has tidied up.
    Bun.spawnSync(["btrfs", "subvolume", "sync", disk.path]);
    const sizes = snapshotSizes(disk.path, [0, first, second]);
    const kib = 1024;
    expect(sizes).toEqual([
      { id: 0, totalBytes: 0, sharedBytes: 0, exclusiveBytes: 0 },
      { id: first, totalBytes: 576 * kib, sharedBytes: 576 * kib, exclusiveBytes: 0 },
      { id: second, totalBytes: 704 * kib, sharedBytes: 576 * kib, exclusiveBytes: 128 * kib },
    ]);
    const paths = Object.values(tree.pathsOf(second));
    const run = Bun.spawnSync(["btrfs", "filesystem", "du", "-s", "--raw", ...paths]);
    const rows = run.stdout.toString().trim().split("\n").slice(1);
    const exclusive = rows.map((row) => Number(row.trim().split(/\s+/)[1]));
    expect(exclusive.reduce((sum, bytes) => sum + bytes, 0)).toBe(128 * kib);
  },
  120_000,
);
