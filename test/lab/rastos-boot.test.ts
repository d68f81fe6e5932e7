import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test";
import { copyFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installSystemdBoot } from "../../src/rastos/boot/install.ts";
import { BootMenu } from "../../src/rastos/boot/menu.ts";
import { fatVolumeId, openBootFiles } from "../../src/rastos/boot/target.ts";
import type { BootTarget } from "../../src/rastos/boot/types.ts";
import { deploySnapshot } from "../../src/rastos/deploy/deploy.ts";
import { readStatus, type SystemStatus } from "../../src/rastos/deploy/status.ts";
import { OpenTarget } from "../../src/rastos/image/byte-target.ts";
import { embedGrub, findGrub, makeGrub } from "../../src/rastos/image/grub.ts";
import { imageIdentity } from "../../src/rastos/image/identity.ts";
import { planPartitions, writePartitionTable } from "../../src/rastos/image/partitions.ts";
import { readTree } from "../../src/rastos/snapshot/find-tree.ts";
import { SnapshotTree } from "../../src/rastos/snapshot/tree.ts";
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
import { mountPartition, overlayDisk, partitionsOf, rawCopy } from "./disk.ts";
import {
  firmwareVariables,
  GUEST_WORDS,
  Guest,
  type GuestDisk,
  type GuestRequest,
} from "./guest.ts";
import { needsLab } from "./needs.ts";

// Machines, emulated, each of which starts three times.
setDefaultTimeout(900_000);

const MIB = 1024 * 1024;
const reason = firstReason(
  needsLab("long"),
  needsRoot(),
  needsProgram("mkfs.btrfs", "mkfs.vfat", "mcopy", "sfdisk", "losetup", "qemu-img", "grub-mkimage"),
);
const test = testUnless(reason);

let work: Workspace;
let disk: GuestDisk;

describeUnless(reason)("a deployment that does not come up", () => {
  beforeAll(async () => {
    work = createWorkspace();
    disk = await makeDisk();
  });
  afterAll(() => work[Symbol.dispose]());

  test("is left for the one before it, by systemd-boot", async () => {
    const variables = firmwareVariables(work.at("variables"));
    const status = await fallBack("uefi.qcow2", { firmware: "uefi", variables });
    expect(status.next).toBe("rastos-1-1");
    expect(status.rolledBack).toEqual([
      {
        entry: "rastos-0-2",
        reason: "it was started 2 times and never blessed: it hung, crashed or was switched off",
      },
    ]);
  });

  test("and by GRUB, on a machine with a BIOS", async () => {
    const status = await fallBack("bios.qcow2", { firmware: "bios" });
    expect(status.next).toBe("rastos-1-1");
    expect(status.rolledBack.map(({ entry }) => entry)).toEqual(["rastos-0-2"]);
  });
});

/** Lets a machine run until it has found the system that works. */
async function fallBack(name: string, firmware: Partial<GuestRequest>): Promise<SystemStatus> {
  const own = overlayDisk(disk, work.at(name));
  await using guest = Guest.start({ ...firmware, disks: [own], reboots: true, memoryMb: 512 });
  for (let boot = 1; boot <= 2; boot++) {
    await guest.waitFor("rastos: cannot boot: there is no /sbin/init", { limitMs: 120_000 });
  }
  await guest.waitFor(`${TINY_MARKER} good subvol=.snapshots/deploy/deploy-1-1`, {
    limitMs: 120_000,
  });
  await guest.ended();
  return statusOf(rawCopy(own, work.at("after.raw")).path);
}

function statusOf(image: string): SystemStatus {
  const [, esp, root] = partitionsOf(image);
  if (esp === undefined || root === undefined) throw new Error("The disk has lost partitions");
  using mounted = mountPartition(image, root, { at: work.at("after") });
  const menu = new BootMenu(openBootFiles({ kind: "image", path: image, offset: esp.offset }));
  const top = mounted.path;
  return readStatus({ top, menu, booted: undefined, state: readTree(top) });
}

/** A disk with both loaders, a good deployment, and one without an init that would boot next. */
async function makeDisk(): Promise<GuestDisk> {
  const path = work.write("disk.raw");
  truncateSync(path, 1000 * MIB);
  const layout = planPartitions(1000 * MIB, 96 * MIB);
  writePartitionTable(path, layout, imageIdentity("test"));
  const [, esp, root] = partitionsOf(path);
  if (esp === undefined || root === undefined) throw new Error("The disk has no partitions");
  const sectors = String(esp.sizeBytes / 1024);
  output(["mkfs.vfat", "-F", "32", "-s", "1", "--offset", String(esp.offset / 512), path, sectors]);
  const target: BootTarget = { kind: "image", path, offset: esp.offset };
  using loop = mountNew(path, root);
  const from = makeTinySystem(work.folder("system"), "broken");
  const init = join(from, "usr/bin/init");
  renameSync(init, work.at("init"));
  using tree = SnapshotTree.open(loop.path, { command: "test", isNew: true });
  tree.create({ from, description: "broken, without an init" });
  const clone = tree.temporary(0);
  writeFileSync(join(clone.path, "etc/name"), "good\n");
  copyFileSync(work.at("init"), join(clone.path, "usr/bin/init"));
  const good = clone.keep({ description: "good" });
  const { files } = new BootMenu(openBootFiles(target));
  installSystemdBoot(files, { roots: [unpackedPackage("systemd-boot-efi")], timeout: 0 });
  const common = { target, cmdline: GUEST_WORDS, loader: "grub", timeout: 0 } as const;
  await deploySnapshot(tree, { ...common, snapshot: good.id, tries: 0 });
  // Its name comes before the other one's: only the version says that it is the newer one.
  await deploySnapshot(tree, { ...common, snapshot: 0, tries: 2 });
  const serial = (fatVolumeId(path, esp.offset) ?? "").replace("-", "");
  const modules = findGrub(unpackedPackage("grub-pc-bin")) ?? "";
  using raw = new OpenTarget(path, false);
  embedGrub(raw, layout, makeGrub(modules, serial, work.path));
  return { path, format: "raw" };
}

function mountNew(path: string, root: { offset: number; sizeBytes: number }) {
  const range = ["--offset", `${root.offset}`, "--sizelimit", `${root.sizeBytes}`];
  const device = output(["losetup", "--find", "--show", ...range, path]).trim();
  output(["mkfs.btrfs", "-q", device]);
  const at = work.folder("top");
  output(["mount", device, at]);
  return {
    path: at,
    [Symbol.dispose]: () => {
      output(["umount", at]);
      output(["losetup", "-d", device]);
    },
  };
}
