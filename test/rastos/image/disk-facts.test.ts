import { afterEach, expect, test } from "bun:test";
import { mkdirSync, truncateSync } from "node:fs";
import { readDisk } from "../../../src/rastos/image/disk-facts.ts";
import { contentsText, refuseDisk } from "../../../src/rastos/image/install.ts";
import { cannotMount } from "../../support/loop-filesystem.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const MIB = 1024 ** 2;
const needed = needsProgram("sfdisk", "wipefs", "blkid", "mkfs.ext4");
const noLoop = firstReason(
  needsRoot(),
  cannotMount("ext4"),
  needsProgram("losetup", "partx"),
  needed,
);

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0).reverse()) step();
});

testUnless(needed)("an empty file may be used", () => {
  using work = createWorkspace();
  const disk = readDisk(emptyDisk(work));
  expect(disk).toMatchObject({ kind: "file", sizeBytes: 64 * MIB, partitions: [], uses: [] });
  expect(contentsText(disk)).toBeUndefined();
  refuseDisk(disk, false);
});

testUnless(needed)("what lies on it is named, partitions with their file systems", () => {
  using work = createWorkspace();
  const path = emptyDisk(work);
  partition(path);
  tool(["mkfs.ext4", "-q", "-F", "-L", "data", "-E", `offset=${MIB}`, path, "10240"]);
  const disk = readDisk(path);
  expect(contentsText(disk)).toBe('partition 1 of 10 MiB (ext4 "data"), partition 2 of 51 MiB');
  expect(() => refuseDisk(disk, false)).toThrow(
    `Cannot install to "${path}": it holds partition 1 of 10 MiB (ext4 "data")`,
  );
  refuseDisk(disk, true);
});

testUnless(needed)("a member of a RAID, and a file system without a table", () => {
  using work = createWorkspace();
  const plain = emptyDisk(work, "plain");
  tool(["mkfs.ext4", "-q", "-F", plain]);
  expect(contentsText(readDisk(plain))).toBe("ext4");
  const member = emptyDisk(work, "member");
  // The magic and the version of a 1.1 superblock (md(4)), with what blkid checks beside.
  const superblock = Buffer.alloc(4096);
  superblock.writeUInt32LE(0xa92b4efc, 0);
  superblock.writeUInt32LE(1, 4);
  superblock.writeUInt32LE(checksumOfRaid(superblock), 216);
  work.write("member", superblock);
  truncateSync(member, 64 * MIB);
  expect(contentsText(readDisk(member))).toBe("linux_raid_member");
});

testUnless(noLoop)("a disk with large sectors is refused before anything is written", () => {
  using work = createWorkspace();
  const path = emptyDisk(work);
  const loop = tool(["losetup", "--find", "--show", "--sector-size", "4096", path]).trim();
  undo.push(() => tool(["losetup", "-d", loop]));
  expect(() => readDisk(loop)).toThrow(`Cannot install to "${loop}": its sectors have 4096 bytes`);
});

testUnless(noLoop)("a mounted disk, a mounted partition and a partition itself are refused", () => {
  using work = createWorkspace();
  const path = emptyDisk(work);
  partition(path);
  tool(["mkfs.ext4", "-q", "-F", "-E", `offset=${MIB}`, path, "10240"]);
  const loop = attach(path);
  expect(() => refuseDisk(readDisk(path), true)).toThrow(`it is the disk of ${loop}`);
  tool(["partx", "-a", loop]);
  undo.push(() => tool(["partx", "-d", loop]));
  expect(readDisk(loop).uses).toEqual([]);
  expect(() => readDisk(`${loop}p1`)).toThrow("it is a partition");
  const at = work.folder("mounted");
  tool(["mount", `${loop}p1`, at]);
  undo.push(() => tool(["umount", at]));
  const disk = readDisk(loop);
  expect(disk.uses).toEqual([`${loop}p1 is mounted at ${at}`]);
  expect(() => refuseDisk(disk, true)).toThrow("is mounted at");
  for (const step of undo.splice(0).reverse()) step();
});

test("what is no disk, and what is not there", () => {
  using work = createWorkspace();
  mkdirSync(work.at("folder"));
  expect(() => readDisk(work.at("folder"))).toThrow("it is no disk");
  expect(() => readDisk(work.at("gone"))).toThrow("no such file or directory");
});

function emptyDisk(work: Workspace, name = "disk"): string {
  const path = work.write(name);
  truncateSync(path, 64 * MIB);
  return path;
}

function partition(path: string): void {
  tool(["sfdisk", "-q", path], "label: gpt\nstart=2048, size=10MiB\nsize=51MiB\n");
}

function attach(path: string): string {
  const loop = tool(["losetup", "--find", "--show", path]).trim();
  undo.push(() => tool(["losetup", "-d", loop]));
  return loop;
}

function tool(command: readonly string[], input = ""): string {
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, LC_ALL: "C" };
  const stdin = Buffer.from(input);
  const result = Bun.spawnSync([...command], { env, stdin, stdout: "pipe", stderr: "pipe" });
  if (!result.success) throw new Error(`${command.join(" ")}: ${result.stderr}`);
  return result.stdout.toString();
}

/** calc_sb_1_csum of the kernel's md: a sum of words, folded. */
function checksumOfRaid(superblock: Buffer): number {
  let sum = 0n;
  for (let at = 0; at < 256; at += 4) sum += BigInt(superblock.readUInt32LE(at));
  return Number(((sum & 0xffffffffn) + (sum >> 32n)) & 0xffffffffn);
}
