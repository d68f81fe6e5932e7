import { expect, test } from "bun:test";
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import type { FaultCount } from "../../../ffi/fault-count.ts";
import { runBlit } from "../../support/binary.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { differences } from "../../support/tree.ts";
import { createWorkspace } from "../../support/workspace.ts";

const MIB = 1024 * 1024;

/** A file with `extents` pieces of 1 MiB of random data, evenly over `mebibytes`. */
function writeFileWithHoles(path: string, mebibytes: number, extents: number): void {
  const fd = openSync(path, "w");
  for (let i = 0; i < extents; i++) {
    const data = crypto.getRandomValues(new Uint8Array(65_536));
    const at = Math.floor((i * mebibytes) / extents) * MIB;
    for (let piece = 0; piece < 16; piece++) writeSync(fd, data, 0, 65_536, at + piece * 65_536);
  }
  closeSync(fd);
  truncateSync(path, mebibytes * MIB + 777);
}

/** Whether the pieces are equal; the rest is a hole, by the blocks in use. */
function isEqual(a: string, b: string, mebibytes: number, extents: number): boolean {
  const files = [openSync(a, "r"), openSync(b, "r")];
  const [left = Buffer.alloc(0), right = Buffer.alloc(1)] = [1, 2].map(() => Buffer.alloc(MIB));
  let same = statSync(a).size === statSync(b).size;
  for (let i = 0; i < extents && same; i++) {
    const at = Math.floor((i * mebibytes) / extents) * MIB;
    const [first = -1, second = -2] = files.map((fd, n) => {
      return readSync(fd, n === 0 ? left : right, 0, MIB, at);
    });
    same = first === second && left.equals(right);
  }
  for (const fd of files) closeSync(fd);
  return same;
}

test.each([
  ["dense, done before others are there", 80, 80],
  ["dense, with others", 200, 200],
  ["with holes, done before others are there", 1500, 80],
  ["with holes, with others", 70_000, 150],
])("a huge file alone: %s", async (_, mebibytes, extents) => {
  using work = createWorkspace();
  writeFileWithHoles(work.at("image"), mebibytes, extents);
  const run = await runBlit(["copy", "--json", "image", "copy"], { cwd: work.path });
  expect([run.code, run.stderr]).toEqual([0, ""]);
  expect(isEqual(work.at("image"), work.at("copy"), mebibytes, extents)).toBe(true);
  expect(statSync(work.at("copy")).blocks).toBeLessThanOrEqual(statSync(work.at("image")).blocks);
});

test("huge files among others, with and without holes", async () => {
  using work = createWorkspace();
  work.folder("a/deep");
  for (let i = 0; i < 40; i++) await Bun.write(work.at(`a/deep/small-${i}`), `${i}`.repeat(i));
  writeFileWithHoles(work.at("a/holes"), 300, 140);
  writeFileWithHoles(work.at("a/deep/dense"), 140, 140);
  writeFileWithHoles(work.at("a/z-dense"), 90, 90);
  const run = await runBlit(["copy", "a/", "b"], { cwd: work.path });
  expect(run.code).toBe(0);
  expect(differences(work.at("a"), work.at("b"))).toBe("");
});

testUnless(cannotMount("ext4"))("no space is taken before a clone was tried", async () => {
  // XFS can do both; where ext4 has no clones, the calls tell in which order they come.
  using disk = mountFilesystem({ kind: "ext4", sizeBytes: 128 * MIB });
  using work = createWorkspace(disk.path);
  for (const mebibytes of [10, 70]) {
    writeFileWithHoles(work.at("large"), mebibytes, mebibytes);
    truncateSync(work.at("large"), mebibytes * MIB);
    const env = { TRIAD_FAULTS: "fallocate:ENOSPC@1", TRIAD_FAULTS_COUNT: work.at("count") };
    const run = await runBlit(["copy", "large", "copy"], { cwd: work.path, env });
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining("no space left")]);
    const count: FaultCount = JSON.parse(readFileSync(work.at("count"), "utf8"));
    const total = (name: string): number =>
      count.threads.reduce((sum, each) => sum + (each.calls[name] ?? 0), 0);
    // The other one asks whether the folder folds names.
    expect([total("ioctl"), total("fallocate")]).toEqual([2, 1]);
  }
});
