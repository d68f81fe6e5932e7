import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test";
import { cpSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runTool } from "../support/binary.ts";
import {
  describeUnless,
  firstReason,
  needsProgram,
  needsRoot,
  testUnless,
} from "../support/skip.ts";
import { makeTinySystem, TINY_MARKER } from "../support/tiny-system.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";
import { output, unpackedPackage } from "./cache.ts";
import { espOf, mountPartition, overlayDisk, partitionsOf, rawCopy } from "./disk.ts";
import { firmwareVariables, GUEST_WORDS, Guest, type GuestRequest } from "./guest.ts";
import { needsLab } from "./needs.ts";
import { copyEsp, problemsOf } from "./system-check.ts";

// Machines, emulated.
setDefaultTimeout(600_000);

const reason = firstReason(
  needsLab("long"),
  needsProgram("sfdisk", "mkfs.vfat", "mcopy", "grub-mkimage", "qemu-img"),
);
const test = testUnless(reason);
const BOOT = { limitMs: 120_000 };

let work: Workspace;

describeUnless(reason)("an image of a folder", () => {
  beforeAll(async () => {
    work = createWorkspace();
    const root = makeTinySystem(work.at("root"), "tiny");
    writeFileSync(join(root, "etc/tiny"), "touch /etc/made /var/made && echo tiny: writable\n");
    const loader = "usr/lib/systemd/boot/efi/systemd-bootx64.efi";
    mkdirSync(dirname(join(root, loader)), { recursive: true });
    cpSync(join(unpackedPackage("systemd-boot-efi"), loader), join(root, loader));
    const grub = "usr/lib/grub/i386-pc";
    cpSync(join(unpackedPackage("grub-pc-bin"), grub), join(root, grub), { recursive: true });
    work.write("system.toml", `[kernel]\ncmdline = "${GUEST_WORDS}"\n[boot]\ntimeout = 0\n`);
    const what = ["--base", root, work.at("system.toml"), "--size", "1G", "--esp-size", "128M"];
    const built = await runTool("rastos", ["image", "build", "-o", work.at("disk.raw"), ...what]);
    expect(built.stderr).not.toContain("error");
    truncateSync(work.write("installed.raw"), 2 ** 30);
    const flags = ["--yes", "--work", work.path, "--esp-size", "128M"];
    const words = ["image", "install", work.at("installed.raw"), work.at("system.toml")];
    const installed = await runTool("rastos", [...words, "--base", root, ...flags]);
    expect(installed.stderr).not.toContain("error");
  });
  afterAll(() => work[Symbol.dispose]());

  test("boots on a machine with UEFI, by systemd-boot", async () => {
    const variables = firmwareVariables(work.at("variables"));
    await boot("disk.raw", "uefi.qcow2", { firmware: "uefi", variables });
  });

  test("boots on a machine with a BIOS, by GRUB", async () => {
    await boot("disk.raw", "bios.qcow2", { firmware: "bios" });
  });

  test("boots from a disk that it was installed onto", async () => {
    await boot("installed.raw", "installed.qcow2", { firmware: "bios" });
  });

  testUnless(firstReason(reason, needsRoot()))("is a whole system afterwards", () => {
    const raw = rawCopy({ path: work.at("uefi.qcow2"), format: "qcow2" }, work.at("after.raw"));
    const esp = copyEsp(raw.path, espOf(raw.path).offset, work.at("esp"));
    const root = partitionsOf(raw.path).at(-1);
    if (root === undefined) throw new Error("no partitions");
    using mounted = mountPartition(raw.path, root, { at: work.at("top") });
    expect(problemsOf({ top: mounted.path, esp })).toEqual([]);
    expect(output(["btrfs", "check", "--force", mounted.device])).toContain("no error found");
  });
});

async function boot(image: string, disk: string, request: GuestRequest): Promise<void> {
  const overlay = overlayDisk({ path: work.at(image), format: "raw" }, work.at(disk));
  await using guest = Guest.start({ ...request, disks: [overlay] });
  await guest.waitFor(`${TINY_MARKER} tiny subvol=.snapshots/deploy/deploy-0-1`, BOOT);
  await guest.waitFor("tiny: writable", BOOT);
  await guest.ended();
}
