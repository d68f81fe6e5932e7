import { expect } from "bun:test";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BtrfsCalls, btrfsCalls } from "../../../ffi/btrfs/calls.ts";
import { ioctlCalls } from "../../../ffi/btrfs/ioctl.ts";
import { utilCalls } from "../../../ffi/btrfs/util.ts";
import { errno } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { firstReason, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

const library = utilCalls();
const size = 256 * 1024 * 1024;

const ways = { ioctl: ioctlCalls, libbtrfsutil: library, "what is used": btrfsCalls() };
for (const [name, calls] of Object.entries(ways)) {
  const missing = calls === undefined ? "needs libbtrfsutil" : undefined;
  const reason = firstReason(cannotMount("btrfs"), missing);
  testUnless(reason)(`subvolumes by ${name}`, () => {
    if (calls !== undefined) exercise(calls);
  });
}

testUnless(library === undefined ? "needs libbtrfsutil" : undefined)(
  "the library is used where it is there",
  () => expect(btrfsCalls().kind).toBe("libbtrfsutil"),
);

function exercise(calls: BtrfsCalls): void {
  using disk = mountFilesystem({ kind: "btrfs", sizeBytes: size });
  using top = new Fd(openSync(disk.path, "r"));
  expect(calls.create(top.number, "a")).toBe(0);
  expect(calls.create(top.number, "a")).toBe(-errno.EEXIST);
  writeFileSync(join(disk.path, "a/file"), "one");
  using a = new Fd(openSync(join(disk.path, "a"), "r"));
  expect(calls.snapshot(a.number, top.number, "read-only", true)).toBe(0);
  expect(calls.snapshot(a.number, top.number, "writable", false)).toBe(0);
  expect(() => writeFileSync(join(disk.path, "read-only/file"), "two")).toThrow("EROFS");
  writeFileSync(join(disk.path, "writable/file"), "two");
  expect(readFileSync(join(disk.path, "a/file"), "utf8")).toBe("one");

  const [of, ofA] = [info(calls, join(disk.path, "read-only")), info(calls, disk.path, "a")];
  expect(of).toMatchObject({ isReadOnly: true, parentId: 5, parentUuid: ofA.uuid });
  expect(of.uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(of.receivedUuid).toBe("");
  expect(of.createdTransaction).toBeGreaterThanOrEqual(ofA.createdTransaction);
  expect(Math.abs(of.createdMs - Date.now())).toBeLessThan(60_000);
  expect(ofA.isReadOnly).toBe(false);
  expect(info(calls, disk.path)).toMatchObject({ id: 5, parentId: 0 });

  using writable = new Fd(openSync(join(disk.path, "writable"), "r"));
  expect(calls.setReadOnly(writable.number, true)).toBe(0);
  expect(calls.setReadOnly(writable.number, true)).toBe(0);
  expect(info(calls, disk.path, "writable").isReadOnly).toBe(true);
  expect(calls.sync(top.number)).toBe(0);

  mkdirSync(join(disk.path, "plain"));
  using plain = new Fd(openSync(join(disk.path, "plain"), "r"));
  expect(calls.snapshot(plain.number, top.number, "of-plain", true)).toBeLessThan(0);
  expect(calls.remove(top.number, "plain")).toBeLessThan(0);
  expect(calls.remove(top.number, "writable")).toBe(0);
  expect(existsSync(join(disk.path, "writable"))).toBe(false);
  expect(calls.remove(top.number, "writable")).toBe(-errno.ENOENT);
  expect(calls.create(top.number, "x".repeat(256))).toBe(-errno.ENAMETOOLONG);
  expect(calls.create(top.number, "x\0y")).toBe(-errno.EINVAL);
}

function info(calls: BtrfsCalls, ...parts: string[]) {
  using fd = new Fd(openSync(join("/", ...parts), "r"));
  const result = calls.info(fd.number);
  if (typeof result === "number") throw new Error(`info: ${result}`);
  return result;
}

testUnless(undefined)("what is no btrfs says so", () => {
  using work = createWorkspace();
  using folder = new Fd(openSync(work.folder("f"), "r"));
  expect(ioctlCalls.create(folder.number, "a")).toBeLessThan(0);
  expect(library?.create(folder.number, "a") ?? -1).toBeLessThan(0);
  expect(btrfsCalls().info(folder.number)).toBe(-errno.ENOTTY);
});
