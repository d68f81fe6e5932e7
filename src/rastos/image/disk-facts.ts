import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
} from "node:fs";
import { basename, join } from "node:path";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { runTool } from "./tool.ts";

/** Something that a disk, or a part of it, holds. */
export interface FoundContent {
  /** `ext4`, `LVM2_member`, `linux_raid_member`, `gpt`, … as blkid(8) says. */
  readonly type: string;
  readonly label: string | undefined;
}

/** A partition of a disk as it is now. */
export interface OldPartition {
  readonly number: number;
  readonly start: number;
  readonly sizeBytes: number;
  readonly content: FoundContent | undefined;
}

/** A disk as it is now, or a file that stands for one. */
export interface DiskFacts {
  /** As given. */
  readonly path: string;
  /** `/dev/sda` for whatever link was given. */
  readonly realPath: string;
  readonly kind: "disk" | "file";
  readonly sizeBytes: number;
  readonly model: string | undefined;
  /** What lies on the disk as a whole: a partition table, a file system, a member of a RAID. */
  readonly contents: readonly FoundContent[];
  readonly partitions: readonly OldPartition[];
  /** Sentences: why it must not be written to, whatever is said. */
  readonly uses: readonly string[];
}

const SECTOR = 512;
const SEEK_END = 2;

/**
 * Looks at a disk, and changes nothing.
 *
 * @throws {Fault} E_NOT_FOUND, E_REFUSED for a partition, what is no disk and sectors of another
 *   size than 512 bytes, E_PRIVILEGE, E_IO
 */
export function readDisk(path: string): DiskFacts {
  const found = statOf(path);
  const realPath = realpathSync(path);
  if (!found.isBlockDevice() && !found.isFile()) {
    throw new Fault({ code: "E_REFUSED", message: `Cannot install to "${path}": it is no disk` });
  }
  const folder = found.isBlockDevice() ? systemFolder(found.rdev) : undefined;
  if (folder !== undefined) {
    refusePartition(path, folder);
    refuseSectors(path, folder);
  }
  const sizeBytes = sizeOf(realPath);
  const partitions = readOldPartitions(realPath);
  return {
    path,
    realPath,
    kind: found.isBlockDevice() ? "disk" : "file",
    sizeBytes,
    model: folder === undefined ? undefined : readWord(join(folder, "device/model")),
    contents: readContents(realPath),
    partitions,
    uses: usesOf(realPath, folder),
  };
}

function statOf(path: string) {
  try {
    return statSync(path);
  } catch (error) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot install to "${path}": ${reasonOf(error)}`,
      hint: "lsblk lists the disks",
    });
  }
}

/** Where the kernel tells of a device: /sys/dev/block/MAJOR:MINOR. */
function systemFolder(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  return realpathSync(`/sys/dev/block/${major}:${minor}`);
}

function refusePartition(path: string, folder: string): void {
  if (readWord(join(folder, "partition")) === undefined) return;
  const disk = basename(join(folder, ".."));
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot install to "${path}": it is a partition`,
    hint: `name the disk: /dev/${disk}; all of it is used`,
  });
}

/** A partition table counts in the disk's own sectors: on another disk ours would lead astray. */
function refuseSectors(path: string, folder: string): void {
  const bytes = readWord(join(folder, "queue/logical_block_size")) ?? String(SECTOR);
  if (bytes === String(SECTOR)) return;
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot install to "${path}": its sectors have ${bytes} bytes`,
    hint: `disks must have sectors of ${SECTOR} bytes; some can be formatted so`,
  });
}

function readWord(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

function sizeOf(path: string): number {
  const fd = openDisk(path, constants.O_RDONLY);
  try {
    return sys.lseek(fd, 0, SEEK_END);
  } finally {
    closeSync(fd);
  }
}

function openDisk(path: string, flags: number): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    throw new Fault({
      code: errno === "EACCES" || errno === "EPERM" ? "E_PRIVILEGE" : "E_IO",
      message: `Cannot open "${path}": ${reasonOf(error)}`,
      hint: errno === "EACCES" || errno === "EPERM" ? "run it as root" : undefined,
    });
  }
}

/** Signatures on the disk as a whole. */
function readContents(path: string): FoundContent[] {
  const text = runTool({
    program: "wipefs",
    packageName: "util-linux",
    args: ["--json", "--no-act", path],
    action: `look at "${path}"`,
  }).toString();
  if (text.trim() === "") return [];
  const { signatures } = JSON.parse(text) as {
    signatures: readonly { type: string; label: string | null }[];
  };
  const seen = new Map(signatures.map(({ type, label }) => [type, label]));
  return [...seen].map(([type, label]) => ({ type, label: label ?? undefined }));
}

function readOldPartitions(path: string): OldPartition[] {
  let text: string;
  try {
    text = runTool({
      program: "sfdisk",
      packageName: "util-linux (Debian: fdisk)",
      args: ["--json", path],
      action: `read the partition table of "${path}"`,
    }).toString();
  } catch (error) {
    // A disk without a table is told of by its exit code alone.
    if (error instanceof Fault && error.code === "E_IO") return [];
    throw error;
  }
  const { partitiontable } = JSON.parse(text) as {
    partitiontable: {
      sectorsize?: number;
      partitions?: readonly { start: number; size: number }[];
    };
  };
  const unit = partitiontable.sectorsize ?? SECTOR;
  return (partitiontable.partitions ?? []).map((one, index) => {
    const [start, sizeBytes] = [one.start * unit, one.size * unit];
    return { number: index + 1, start, sizeBytes, content: probe(path, start, sizeBytes) };
  });
}

/** What lies at a place of the disk, by blkid(8): it needs no device for the partition. */
function probe(path: string, start: number, sizeBytes: number): FoundContent | undefined {
  const args = ["--probe", "--offset", String(start), "--size", String(sizeBytes)];
  let text: string;
  try {
    text = runTool({
      program: "blkid",
      packageName: "util-linux",
      args: [...args, "--output", "export", path],
      action: `look at "${path}"`,
    }).toString();
  } catch (error) {
    if (error instanceof Fault && error.code === "E_IO") return undefined;
    throw error;
  }
  const type = /^TYPE=(.*)$/m.exec(text)?.[1];
  return type === undefined ? undefined : { type, label: /^LABEL=(.*)$/m.exec(text)?.[1] };
}

/** Who uses a disk or a part of it. The kernel's own answer is the last word. */
function usesOf(path: string, folder: string | undefined): string[] {
  const uses: string[] = [];
  const names = new Set([path]);
  for (const device of folder === undefined ? [] : withPartitions(folder)) {
    names.add(`/dev/${basename(device)}`);
    if (readWord(join(device, "ro")) === "1") uses.push("it is read-only");
    for (const holder of listNames(join(device, "holders"))) {
      uses.push(`${basename(device)} is a part of ${holder}`);
    }
  }
  for (const name of folder === undefined ? listNames("/sys/block") : []) {
    const backing = readWord(join("/sys/block", name, "loop/backing_file"));
    if (backing === path) uses.push(`it is the disk of /dev/${name}`);
  }
  for (const line of (readWord("/proc/self/mountinfo") ?? "").split("\n")) {
    const [mount = "", rest = ""] = line.split(" - ");
    const source = rest.split(" ")[1] ?? "";
    if (names.has(source)) uses.push(`${source} is mounted at ${mount.split(" ")[4]}`);
  }
  for (const line of (readWord("/proc/swaps") ?? "").split("\n")) {
    const source = line.split(/\s+/)[0] ?? "";
    if (names.has(source)) uses.push(`${source} is used as swap`);
  }
  if (uses.length === 0 && folder !== undefined && !isFree(path)) {
    uses.push("the kernel says that it is in use");
  }
  return uses;
}

function withPartitions(folder: string): string[] {
  const below = listNames(folder).map((name) => join(folder, name));
  return [folder, ...below.filter((each) => readWord(join(each, "partition")) !== undefined)];
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Whether nobody has the disk or a partition of it for himself. */
function isFree(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_EXCL));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EBUSY";
  }
}
