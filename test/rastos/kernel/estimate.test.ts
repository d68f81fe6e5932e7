import { expect, test } from "bun:test";
import { estimateFiles } from "../../../src/rastos/kernel/estimate.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("counts the objects that a configuration asks for, through composites and folders", () => {
  using work = createWorkspace();
  work.write("init/Makefile", "obj-y := main.o version.o # not this.o\n");
  work.write(
    "fs/Makefile",
    "obj-y += open.o \\\n\tread.o\nobj-$(CONFIG_BTRFS_FS) += btrfs/\n" +
      "obj-$(CONFIG_XFS_FS) += xfs/\n",
  );
  work.write(
    "fs/btrfs/Makefile",
    "obj-$(CONFIG_BTRFS_FS) := btrfs.o\nbtrfs-y += super.o inode.o\n" +
      "btrfs-$(CONFIG_ACL) += acl.o\nbtrfs-$(CONFIG_OFF) += off.o\n",
  );
  work.write("fs/xfs/Makefile", "obj-y += a.o b.o\n");
  work.write("kernel/Makefile", "obj-y += ../init/ loop/\n");
  work.write("kernel/loop/Makefile", "obj-y += loop.o ../\nloop-y := loop.o\n");
  const config = new Map([
    ["BTRFS_FS", "m"],
    ["ACL", "y"],
  ]);
  expect(estimateFiles(work.path, "x86", config)).toBe(2 + 2 + 3 + 1);
});
