import { expect, test } from "bun:test";
import { join } from "node:path";
import { openRoot, parseMounts } from "../../../src/rastos/snapshot/root.ts";
import { cannotMount } from "../../support/loop-filesystem.ts";
import { needsRoot, testUnless } from "../../support/skip.ts";
import { mountTop } from "../../support/snapshot-tree.ts";

test("mounts are read with optional fields and escapes", () => {
  const text = [
    "36 35 98:0 /@ / rw,noatime master:1 shared:2 - btrfs /dev/my\\040disk rw,subvol=/@",
    "37 36 0:5 / /a\\040b\\134c rw - proc proc rw",
    "garbage",
    "",
  ].join("\n");
  expect(parseMounts(text)).toEqual([
    { place: "/", kind: "btrfs", device: "/dev/my disk" },
    { place: "/a b\\c", kind: "proc", device: "proc" },
  ]);
});

testUnless(cannotMount("btrfs"))("a top level is opened, a folder in it is refused", () => {
  using disk = mountTop();
  expect(openRoot({ root: disk.path })).toEqual({ path: disk.path, isRunning: false });
  Bun.spawnSync(["btrfs", "subvolume", "create", join(disk.path, "inner")]);
  expect(() => openRoot({ root: join(disk.path, "inner") })).toThrow("not the top level");
});

testUnless(needsRoot())("what is no btrfs, or is not there, is refused", () => {
  expect(() => openRoot({ root: "/proc" })).toThrow("it is not on a btrfs file system");
  expect(() => openRoot({ root: "/proc/none" })).toThrow("Cannot find the folder");
});
