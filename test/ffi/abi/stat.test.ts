import { expect, test } from "bun:test";
import { mkdirSync, statSync } from "node:fs";
import { AT, STATX } from "../../../ffi/abi/constants.ts";
import { STATX_LAYOUT, StatView } from "../../../ffi/abi/stat.ts";
import { Memory, writeCString } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { valuesInC } from "../../support/c-values.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

/** Our field names, and where the C struct has them. */
const fields: Readonly<Record<keyof typeof STATX_LAYOUT, string>> = {
  size: "sizeof(struct statx)",
  mask: at("stx_mask"),
  blksize: at("stx_blksize"),
  attributes: at("stx_attributes"),
  nlink: at("stx_nlink"),
  uid: at("stx_uid"),
  gid: at("stx_gid"),
  mode: at("stx_mode"),
  ino: at("stx_ino"),
  sizeBytes: at("stx_size"),
  blocks: at("stx_blocks"),
  atimeSec: at("stx_atime.tv_sec"),
  atimeNsec: at("stx_atime.tv_nsec"),
  ctimeSec: at("stx_ctime.tv_sec"),
  ctimeNsec: at("stx_ctime.tv_nsec"),
  mtimeSec: at("stx_mtime.tv_sec"),
  mtimeNsec: at("stx_mtime.tv_nsec"),
  rdevMajor: at("stx_rdev_major"),
  rdevMinor: at("stx_rdev_minor"),
  devMajor: at("stx_dev_major"),
  devMinor: at("stx_dev_minor"),
  mntId: at("stx_mnt_id"),
};

function at(field: string): string {
  return `offsetof(struct statx, ${field})`;
}

testUnless(needsProgram("cc"))("struct statx lies as the C compiler lays it", () => {
  expect({ ...STATX_LAYOUT } as Record<string, number>).toEqual(valuesInC(["sys/stat.h"], fields));
});

function statOf(path: string): StatView {
  const memory = new Memory(4096);
  const view = new StatView(memory.buffer, 0, memory.pointer);
  writeCString(memory.bytes, 512, path);
  const flags = AT.SYMLINK_NOFOLLOW;
  const mask = STATX.BASIC_STATS | STATX.MNT_ID;
  expect(sys.statx(AT.FDCWD, memory.pointer + 512, flags, mask, view.pointer)).toBe(0);
  return view;
}

test("the view reads what node:fs reads", () => {
  using work = createWorkspace();
  const path = work.write("file", "x".repeat(12_345), { mode: 0o640 });
  // Before 1970 with a fraction: the seconds are signed, the nanoseconds are not.
  Bun.spawnSync(["touch", "-m", "-d", "1969-12-31T23:59:58.5Z", path]);
  const ours = statOf(path);
  const theirs = statSync(path, { bigint: true });
  const ns = (sec: number, nsec: number): bigint => BigInt(sec) * 1_000_000_000n + BigInt(nsec);
  expect(ours.sizeBytes).toBe(12_345);
  expect(ours.mode).toBe(Number(theirs.mode));
  expect(ours.nlink).toBe(Number(theirs.nlink));
  expect([ours.uid, ours.gid]).toEqual([Number(theirs.uid), Number(theirs.gid)]);
  expect(ours.blocks).toBe(Number(theirs.blocks));
  expect(BigInt(ours.inoHigh) * 4294967296n + BigInt(ours.inoLow)).toBe(theirs.ino);
  expect(ours.ino).toBe(Number(theirs.ino));
  expect(ns(ours.mtimeSec, ours.mtimeNsec)).toBe(-1_500_000_000n);
  expect(ns(ours.mtimeSec, ours.mtimeNsec)).toBe(theirs.mtimeNs);
  expect(ns(ours.atimeSec, ours.atimeNsec)).toBe(theirs.atimeNs);
  expect(ns(ours.ctimeSec, ours.ctimeNsec)).toBe(theirs.ctimeNs);
});

test("devices have the numbers that makedev(3) put together", () => {
  const ours = statOf("/dev/null");
  expect([ours.rdevMajor, ours.rdevMinor]).toEqual([1, 3]);
});

test("two entries of one mount have its id and device", () => {
  using work = createWorkspace();
  mkdirSync(work.at("folder"));
  const [one, other] = [statOf(work.path), statOf(work.at("folder"))];
  expect(one.mntId).toBeGreaterThan(0);
  expect([one.mntId, one.dev]).toEqual([other.mntId, other.dev]);
});
