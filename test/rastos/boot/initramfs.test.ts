import { expect, test } from "bun:test";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { buildInitramfs } from "../../../src/rastos/boot/initramfs.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const VERSION = "6.1.0-1";

/** A system with modules of each kind of packing, and an ELF without an interpreter as busybox. */
function system(work: Workspace): string {
  const modules = `root/usr/lib/modules/${VERSION}`;
  const content = Buffer.from("a module");
  work.write(`${modules}/kernel/fs/btrfs/btrfs.ko.zst`, Bun.zstdCompressSync(content));
  work.write(`${modules}/kernel/lib/xor.ko.gz`, Bun.gzipSync(content));
  work.write(`${modules}/kernel/drivers/virtio_blk.ko`, content);
  const dependencies = [
    "kernel/fs/btrfs/btrfs.ko.zst: kernel/lib/xor.ko.gz",
    "kernel/lib/xor.ko.gz:",
    "kernel/drivers/virtio_blk.ko:",
  ];
  work.write(`${modules}/modules.dep`, `${dependencies.join("\n")}\n`);
  work.write("root/usr/bin/busybox", elf(0));
  return work.at("root");
}

/** The head of a 64-bit ELF with one program header of this type; 3 names an interpreter. */
function elf(type: number): Buffer {
  const bytes = Buffer.alloc(128);
  bytes.write("\x7fELF\x02\x01", "latin1");
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(type, 64);
  return bytes;
}

testUnless(needsProgram("cpio"))("has busybox, the script and the modules, unpacked", async () => {
  using work = createWorkspace();
  const made = await buildInitramfs({ root: system(work), kernelVersion: VERSION });
  expect(made.modules).toEqual(["xor.ko", "btrfs.ko", "virtio_blk.ko"]);
  expect(made.missing).toContain("nvme");
  const folder = work.folder("unpacked");
  const archive = Buffer.from(Bun.gunzipSync(new Uint8Array(made.bytes)));
  // A device needs root, and is left out otherwise.
  Bun.spawnSync(["cpio", "-idm", "--quiet"], { cwd: folder, stdin: archive, stderr: "ignore" });
  expect(readFileSync(join(folder, "modules/order"), "utf8")).toBe(
    "xor.ko\nbtrfs.ko\nvirtio_blk.ko\n",
  );
  expect(readFileSync(join(folder, "modules/btrfs.ko"), "utf8")).toBe("a module");
  expect(readFileSync(join(folder, "init"), "utf8")).toStartWith("#!/bin/busybox sh\n");
  expect(existsSync(join(folder, "bin/busybox"))).toBe(true);
});

test("the same system gives the same bytes", async () => {
  using work = createWorkspace();
  const options = { root: system(work), kernelVersion: VERSION, seconds: 1_000_000 };
  const [one, two] = [await buildInitramfs(options), await buildInitramfs(options)];
  expect(Buffer.compare(one.bytes, two.bytes)).toBe(0);
});

test("links in the system do not lead to files of this machine", async () => {
  using work = createWorkspace();
  const root = system(work);
  work.write("outside", elf(0));
  await Bun.$`rm ${join(root, "usr/bin/busybox")}`.quiet();
  symlinkSync(work.at("outside"), join(root, "usr/bin/busybox"));
  await expect(buildInitramfs({ root, kernelVersion: VERSION })).rejects.toMatchObject({
    code: "E_NOT_FOUND",
  });
});

test("says what is missing: modules, btrfs, a busybox that needs no libraries", async () => {
  using work = createWorkspace();
  const root = system(work);
  await expect(buildInitramfs({ root, kernelVersion: "9" })).rejects.toThrow("the kernel 9");
  work.write("root/usr/bin/busybox", elf(3));
  await expect(buildInitramfs({ root, kernelVersion: VERSION })).rejects.toThrow("static busybox");
  work.write(`root/usr/lib/modules/${VERSION}/modules.dep`, "");
  await expect(buildInitramfs({ root, kernelVersion: VERSION })).rejects.toThrow("has no btrfs");
});

testUnless(needsProgram("shellcheck"))("its script passes shellcheck", () => {
  const path = join(import.meta.dir, "../../../src/rastos/assets/init/init.txt");
  // Words of the kernel's command line are meant to be split.
  const result = Bun.spawnSync(["shellcheck", "-s", "dash", "-e", "SC2013,SC2187", path]);
  expect(result.stdout.toString()).toBe("");
});
