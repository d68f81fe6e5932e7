import { expect, test } from "bun:test";
import { RootFolder } from "../../../src/kit/fs/root-folder.ts";
import { compareVersions, findKernel } from "../../../src/rastos/deploy/kernel.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("the newest kernel is taken, or the one that is named", () => {
  using work = createWorkspace();
  work.write("root/usr/lib/modules/6.9.1-arch1/vmlinuz", "a");
  work.write("root/usr/lib/modules/6.10.1-arch1/vmlinuz", "b");
  work.write("root/usr/lib/modules/6.10.1-arch1/pkgbase", "linux\n");
  work.write("root/boot/initramfs-linux.img", "c");
  work.write("root/usr/lib/modules/6.6.30-lts/pkgbase", "linux-lts\n");
  work.write("root/boot/vmlinuz-linux-lts", "d");
  work.folder("root/usr/lib/modules/extramodules");
  using root = RootFolder.open(work.at("root"));
  expect(findKernel(root)).toEqual({
    version: "6.10.1-arch1",
    image: "usr/lib/modules/6.10.1-arch1/vmlinuz",
    initrd: "boot/initramfs-linux.img",
  });
  expect(findKernel(root, "6.9.1-arch1").initrd).toBeUndefined();
  expect(findKernel(root, "linux-lts").image).toBe("boot/vmlinuz-linux-lts");
  expect(() => findKernel(root, "linux-zen")).toThrow('Cannot find the kernel "linux-zen"');
});

test("versions are ordered as numbers", () => {
  expect(["6.10", "6.9", "5.15.2", "6.9-rc1"].sort(compareVersions)).toEqual([
    "5.15.2",
    "6.9",
    "6.9-rc1",
    "6.10",
  ]);
});
