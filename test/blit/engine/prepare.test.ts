import { afterEach, expect, test } from "bun:test";
import { FS_CASEFOLD_FL, IOCTL, O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import type { EngineOptions } from "../../../src/blit/engine/options.ts";
import { foldsNames } from "../../../src/blit/engine/prepare.ts";
import { SharedState } from "../../../src/blit/engine/shared-state.ts";
import { Thread } from "../../../src/blit/engine/thread.ts";
import { createWorkspace } from "../../support/workspace.ts";

const { ioctl } = sys;
afterEach(() => {
  sys.ioctl = ioctl;
});

/** What is told of a folder whose inode has these flags; a number below zero is an error. */
function tells(fileSystem: string, flags: number): boolean {
  using work = createWorkspace();
  const t = new Thread(0, { purpose: "transfer" } as EngineOptions, SharedState.create(1));
  using folder = new Fd(sys.openat(-100, t.cLink(work.path), O.RDONLY | O.DIRECTORY, 0));
  sys.ioctl = (fd, request, pointer) => {
    expect([fd, request]).toEqual([folder.number, IOCTL.FS_GETFLAGS]);
    if (flags < 0) return flags;
    new Uint32Array(t.scratch.buffer, pointer - t.scratch.pointer, 1)[0] = flags;
    return 0;
  };
  const folds = foldsNames(t, fileSystem, folder.number);
  t.release();
  return folds;
}

test("a folder of ext4 and the like folds names where its flag says so", () => {
  for (const fileSystem of ["ext4", "tmpfs", "f2fs"]) {
    expect(tells(fileSystem, FS_CASEFOLD_FL | 0x80000)).toBe(true);
    expect(tells(fileSystem, 0x80000)).toBe(false);
    expect(tells(fileSystem, -errno.ENOTTY)).toBe(false);
  }
});

test("others are not asked", () => {
  for (const fileSystem of ["btrfs", "xfs"]) expect(tells(fileSystem, FS_CASEFOLD_FL)).toBe(false);
  for (const fileSystem of ["vfat", "exfat"]) expect(tells(fileSystem, 0)).toBe(true);
});
