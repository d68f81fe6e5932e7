/**
 * A kernel of our own, built whole and booted: an hour's work for a slow machine, so only with
 * TRIAD_LAB_KERNEL=1, or with TRIAD_LAB_KERNEL=/path/of/vmlinuz to boot one that is there already.
 */
import { expect } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runTool } from "../support/binary.ts";
import { needsKernelSource, realKernelSource } from "../support/kernel-source.ts";
import { firstReason, needsProgram, testUnless } from "../support/skip.ts";
import { createWorkspace } from "../support/workspace.ts";
import { output, unpackedPackage } from "./cache.ts";
import { Guest } from "./guest.ts";

const wanted = process.env["TRIAD_LAB_KERNEL"] ?? "";
const needs = firstReason(
  wanted === "" ? "needs TRIAD_LAB_KERNEL=1" : undefined,
  wanted === "1" ? needsKernelSource() : undefined,
  needsProgram("qemu-system-x86_64", "mkfs.btrfs", "cpio", "make", "gcc", "flex", "bison", "bc"),
);

const LIMIT_MS = 3 * 3600 * 1000;

testUnless(needs)(
  "the tiny profile is built, and boots from btrfs on a virtio disk",
  async () => {
    using work = createWorkspace();
    const image = existsSync(wanted) ? wanted : await build(work.at("kernel"));
    const disk = work.at("disk.raw");
    const world = work.folder("world");
    mkdirSync(join(world, "etc"));
    writeFileSync(join(world, "etc/motd"), "from the disk\n");
    output(["truncate", "-s", "256M", disk]);
    output(["mkfs.btrfs", "-q", "-r", world, disk]);
    await using guest = Guest.start({
      kernel: { image, initrd: initramfs(work.folder("initrd")), options: "panic=-1" },
      disks: [{ path: disk, format: "raw" }],
      memoryMb: 512,
    });
    const [, release] = await guest.waitFor(/lab: Linux (\S+)/, { limitMs: 120_000 });
    expect(release).toMatch(/^6\.1\./);
    await guest.waitFor("from the disk");
    await guest.ended();
  },
  LIMIT_MS,
);

async function build(output: string): Promise<string> {
  const where = ["-s", realKernelSource(), "-o", output];
  const argv = ["kernel", "build", ...where, "-p", "tiny", "--strict"];
  const { code, stdout, stderr } = await runTool("rastos", argv, { timeoutMs: LIMIT_MS });
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

function initramfs(folder: string): string {
  mkdirSync(join(folder, "bin"));
  output(["cp", join(unpackedPackage("busybox-static"), "bin/busybox"), join(folder, "bin")]);
  const script = `#!/bin/busybox sh
busybox mkdir -p /proc /dev /mnt
busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
echo "lab: Linux $(busybox uname -r)"
busybox mount -t btrfs -o compress=no /dev/vda /mnt && busybox cat /mnt/etc/motd
busybox mkdir /mnt/written && busybox umount /mnt
busybox poweroff -f
`;
  writeFileSync(join(folder, "init"), script, { mode: 0o755 });
  const file = `${folder}.cpio`;
  output(["sh", "-c", `find . | cpio -o -H newc --quiet > "${file}"`], { cwd: folder });
  return file;
}
