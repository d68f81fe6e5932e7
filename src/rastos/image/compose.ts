import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import { formatBytes } from "../../kit/text/format.ts";
import { installSystemdBoot } from "../boot/install.ts";
import { BootMenu } from "../boot/menu.ts";
import type { BootEntry, BootLoader } from "../boot/types.ts";
import { commandLine } from "../deploy/command-line.ts";
import { formatFstab, PERSISTENT_SUBVOLUMES } from "../deploy/fstab.ts";
import { findKernel, type InstalledKernel } from "../deploy/kernel.ts";
import { bootFilesBytes, PlannedBootFiles } from "./boot-partition.ts";
import { readContent } from "./btrfs/data.ts";
import type { FolderNode, Nanoseconds } from "./btrfs/model.ts";
import { type BtrfsPlan, planBtrfs } from "./btrfs/write.ts";
import { forFirstBoot } from "./first-boot.ts";
import { readFolderTree } from "./folder-tree.ts";
import { findGrub } from "./grub.ts";
import { type ImageIdentity, imageIdentity } from "./identity.ts";
import { readPackageFacts } from "./package-facts.ts";
import { type DiskLayout, planPartitions } from "./partitions.ts";
import { FIRST, FIRST_DEPLOYMENT, folderAt, systemTree } from "./system-tree.ts";

/** What a disk is to hold. */
export interface DiskRequest {
  /** The root folder of the system, finished. */
  readonly root: string;
  readonly sizeBytes: number;
  readonly espBytes: number;
  readonly loader: BootLoader;
  /** Seconds for which the menu is shown. */
  readonly timeoutSeconds: number;
  /** Further words of the kernel's command line; undefined: those of etc/kernel/cmdline. */
  readonly commandLine: string | undefined;
  /** The wanted kernel: a version or a package. */
  readonly kernel: string | undefined;
  readonly description: string;
  /** The system.toml that made it, as text. */
  readonly system: string | undefined;
  /** Seconds since 1970: nothing on the disk is newer. Undefined: taken from what goes in. */
  readonly epochSeconds: number | undefined;
  /** Of all identifiers; undefined: derived from what goes in. */
  readonly seed: string | undefined;
}

/** A disk, thought through: it fits, and nothing of it has been written. */
export interface DiskContents {
  readonly layout: DiskLayout;
  readonly identity: ImageIdentity;
  readonly btrfs: BtrfsPlan;
  readonly bootFiles: PlannedBootFiles;
  readonly kernelVersion: string;
  /** Folder of GRUB's modules; undefined: no machine with a BIOS boots it. */
  readonly grubModules: string | undefined;
  readonly seconds: number;
  readonly notes: readonly string[];
}

/** Firmware that starts a disk. */
export function firmwareOf(contents: DiskContents): readonly ("UEFI" | "BIOS")[] {
  const hasLoader = contents.bootFiles.read("EFI/BOOT/BOOTX64.EFI") !== undefined;
  return [
    ...(hasLoader ? ["UEFI" as const] : []),
    ...(contents.grubModules ? ["BIOS" as const] : []),
  ];
}

const SYSTEMD_BOOT = "usr/lib/systemd/boot/efi/systemd-bootx64.efi";

/**
 * Thinks a disk through: what lies where, under which names, with which kernel.
 *
 * @throws {Fault} E_NOT_FOUND without kernel or boot loader, E_NO_SPACE with figures, E_IO
 */
export async function composeDisk(request: DiskRequest): Promise<DiskContents> {
  const layout = planPartitions(request.sizeBytes, request.espBytes);
  const { tree: found, time } = readRoot(request);
  const { tree, notes } = forFirstBoot(found, time);
  const identity = imageIdentity(request.seed ?? seedOf(tree, request));
  const seconds = Number(time / BILLION);
  using root = RootFolder.open(request.root);
  const kernel = findKernel(root, request.kernel);
  const boot = await composeBoot({ request, root, kernel, identity, seconds });
  const neededBytes = bootFilesBytes(boot.files) * 2;
  if (neededBytes > layout.esp.sizeBytes) throw tooSmall(layout.esp.sizeBytes, neededBytes);
  const espId = `${identity.fatSerial.slice(0, 4)}-${identity.fatSerial.slice(4)}`;
  const fstab = formatFstab(oldFstab(tree), {
    uuid: identity.filesystem,
    subvolume: FIRST_DEPLOYMENT,
    persistent: PERSISTENT_SUBVOLUMES,
    espId,
  });
  const { description, system } = request;
  const { version: kernelVersion } = kernel;
  const top = systemTree({
    ...{ root: tree, description, system, kernelVersion },
    ...{ time, identity, fstab },
  });
  const btrfs = planBtrfs({ sizeBytes: layout.root.sizeBytes, top });
  return {
    layout,
    identity,
    btrfs,
    bootFiles: boot.files,
    kernelVersion,
    grubModules: boot.grubModules,
    seconds,
    notes: [...notes, ...boot.notes],
  };
}

const BILLION = 1_000_000_000n;

/** The root's files, nothing of them newer than the disk's own time. */
function readRoot(request: DiskRequest): { tree: FolderNode; time: Nanoseconds } {
  const facts = readPackageFacts(request.root);
  const time =
    BigInt(request.epochSeconds ?? facts.newestBuild ?? newestIn(request.root)) * BILLION;
  const isRoot = process.getuid?.() === 0 && !isMapped();
  const uid = process.getuid?.();
  const gid = process.getgid?.();
  const homes = homesOf(request.root);
  const tree = readFolderTree(request.root, {
    latest: time,
    // What is the user's own is root's in the image, unless a package says whose it is.
    owner: (path, status) => {
      if (isRoot) return status;
      const own = facts.owners.get(path);
      if (own !== undefined) return own;
      const { permissions } = status;
      const user = homes.find(({ home }) => path === home || path.startsWith(`${home}/`));
      return {
        uid: status.uid === uid ? (user?.uid ?? 0) : status.uid,
        gid: status.gid === gid ? (user?.gid ?? 0) : status.gid,
        permissions,
      };
    },
  });
  return { tree, time };
}

/** Home folders below /home, from the root and without a slash in front, and whose they are. */
function homesOf(path: string): readonly { home: string; uid: number; gid: number }[] {
  using root = RootFolder.open(path);
  const lines = (root.readText("etc/passwd") ?? "").split("\n");
  return lines.flatMap((line) => {
    const [, , uid, gid, , home = ""] = line.split(":");
    const isUsual = /^\/home\/[^/]+$/.test(home);
    return isUsual ? [{ home: home.slice(1), uid: Number(uid), gid: Number(gid) }] : [];
  });
}

/** Whether this is a user namespace that knows fewer users than the machine. */
function isMapped(): boolean {
  try {
    return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
  } catch {
    return false;
  }
}

/** The newest time of a folder without packages, in whole seconds. */
function newestIn(path: string): number {
  let newest = 0n;
  const visit = (node: FolderNode): void => {
    for (const entry of node.entries.values()) {
      if (entry.kind === "subvolume") continue;
      if (entry.kind === "folder") visit(entry);
      else if (entry.status.modified > newest) newest = entry.status.modified;
    }
  };
  visit(readFolderTree(path));
  return Number(newest / BILLION);
}

/** A text that is another one for another system; contents count by their sizes and times. */
function seedOf(tree: FolderNode, request: DiskRequest): string {
  const hasher = new Bun.CryptoHasher("sha256");
  const { sizeBytes, espBytes, loader, commandLine: words, timeoutSeconds } = request;
  hasher.update(JSON.stringify([sizeBytes, espBytes, loader, words, timeoutSeconds]));
  const visit = (folder: FolderNode, path: string): void => {
    for (const [name, node] of folder.entries) {
      if (node.kind === "subvolume") continue;
      const { permissions, uid, gid, modified } = node.status;
      const line = [`${path}/${name}`, node.kind, permissions, uid, gid, modified];
      if (node.kind === "file") {
        line.push(node.content.kind === "file" ? node.content.size : node.content.bytes.length);
      }
      if (node.kind === "symlink") line.push(node.target);
      hasher.update(`${line.join("\0")}\n`);
      if (node.kind === "folder") visit(node, `${path}/${name}`);
    }
  };
  visit(tree, "");
  return hasher.digest("hex");
}

function oldFstab(tree: FolderNode): string {
  const node = folderAt(tree, "etc")?.entries.get("fstab");
  return node?.kind === "file" ? Buffer.from(readContent(node.content)).toString() : "";
}

interface BootRequest {
  readonly request: DiskRequest;
  readonly root: RootFolder;
  readonly kernel: InstalledKernel;
  readonly identity: ImageIdentity;
  readonly seconds: number;
}

async function composeBoot(boot: BootRequest) {
  const { request, root, kernel, identity } = boot;
  const files = new PlannedBootFiles();
  const notes: string[] = [];
  const folder = `EFI/rastos/${FIRST.snapshot}-${FIRST.deployment}`;
  files.write(`${folder}/vmlinuz`, readNeeded(root, kernel.image));
  files.write(`${folder}/initrd`, await initrdOf(boot, notes));
  const entry: BootEntry = {
    name: FIRST.entry,
    title: `rastOS ${FIRST.snapshot}-${FIRST.deployment}: ${request.description}`,
    version: "1",
    kernel: `/${folder}/vmlinuz`,
    initrd: `/${folder}/initrd`,
    options: commandLine({
      uuid: identity.filesystem,
      subvolume: FIRST_DEPLOYMENT,
      // As deploy takes it where nothing is declared.
      extra: request.commandLine ?? root.readText("etc/kernel/cmdline") ?? "",
    }),
    triesLeft: undefined,
    triesDone: 0,
  };
  const menu = new BootMenu(files);
  menu.put(entry);
  installLoader(request, root, files, notes);
  const grubModules = grubOf(request);
  if (grubModules !== undefined) menu.refreshGrub(request.timeoutSeconds);
  return { files, notes, grubModules };
}

/** The system's own modules, or this machine's where GRUB is asked for. */
function grubOf(request: DiskRequest): string | undefined {
  const found = findGrub(request.root);
  const isOwn = found?.startsWith(join(request.root, "/")) === true;
  if (request.loader !== "grub") return isOwn ? found : undefined;
  if (found !== undefined) return found;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: "Cannot find GRUB's modules for BIOS machines",
    hint: "install the package grub (Debian: grub-pc-bin), here or into the system",
  });
}

/** systemd-boot, of the system or else of this machine; a system that boots by GRUB may lack it. */
function installLoader(
  request: DiskRequest,
  root: RootFolder,
  files: PlannedBootFiles,
  notes: string[],
): void {
  const isOwn = root.status(SYSTEMD_BOOT, { follow: true }) !== undefined;
  // What this machine has is no part of the input, unless nothing else would boot.
  const roots = isOwn ? [request.root] : [request.root, "/"];
  if (!isOwn && request.loader === "grub") return;
  installSystemdBoot(files, { roots, timeout: request.timeoutSeconds });
  if (!isOwn) notes.push("the system has no systemd-boot: this machine's is taken");
}

async function initrdOf(boot: BootRequest, notes: string[]): Promise<Uint8Array> {
  const { root, kernel, request, seconds } = boot;
  if (kernel.initrd !== undefined) return readNeeded(root, kernel.initrd);
  const { buildInitramfs } = await import("../boot/initramfs.ts");
  const { version: kernelVersion } = kernel;
  const made = await buildInitramfs({ root: request.root, kernelVersion, seconds });
  notes.push(`the initial ram disk is made by rastos, with ${made.modules.length} modules`);
  return made.bytes;
}

function readNeeded(root: RootFolder, path: string): Uint8Array {
  const bytes = root.read(path);
  if (bytes !== undefined) return bytes;
  throw new Fault({ code: "E_NOT_FOUND", message: `Cannot read "${path}" in "${root.path}"` });
}

function tooSmall(sizeBytes: number, neededBytes: number): Fault {
  return new Fault({
    code: "E_NO_SPACE",
    message:
      `Cannot fit kernel and boot loader into a boot partition of ${formatBytes(sizeBytes)}: ` +
      `with room for a second system they need ${formatBytes(neededBytes)}`,
    hint: "give it more --esp-size",
    details: { sizeBytes, neededBytes },
  });
}
