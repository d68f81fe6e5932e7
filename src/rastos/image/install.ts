import { Fault } from "../../kit/fault/fault.ts";
import { formatBytes } from "../../kit/text/format.ts";
import { composeSystem, createWorkFolder, type ImageEvent, type SystemSource } from "./build.ts";
import { OpenTarget } from "./byte-target.ts";
import type { DiskContents } from "./compose.ts";
import { type DiskFacts, type FoundContent, readDisk } from "./disk-facts.ts";
import type { DiskLayout } from "./partitions.ts";
import { findTool } from "./tool.ts";
import { type DiskStep, writeDisk } from "./write-disk.ts";

/** What a disk is to become. */
export interface InstallRequest extends SystemSource {
  readonly disk: string;
  /** What is on the disk may go. */
  readonly isWiped: boolean;
  /** Where the system is put together, and other temporary files lie. */
  readonly workFolder: string;
  /** Of all identifiers; undefined: new ones. */
  readonly seed: string | undefined;
}

/** An installation, thought through: nothing on the disk has changed. */
export interface InstallPlan {
  readonly disk: DiskFacts;
  readonly contents: DiskContents;
  readonly notes: readonly string[];
}

const MIB = 1024 ** 2;

/**
 * Refuses a disk that is in use, or that holds anything which nobody said may go.
 *
 * @throws {Fault} E_REFUSED
 */
export function refuseDisk(disk: DiskFacts, isWiped: boolean): void {
  const [use] = disk.uses;
  if (use !== undefined) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot install to "${disk.path}": ${use}`,
      hint: "unmount it, or take it out of what uses it; this is never overridden",
      details: { uses: disk.uses },
    });
  }
  const held = contentsText(disk);
  if (isWiped || held === undefined) return;
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot install to "${disk.path}": it holds ${held}`,
    hint: "--wipe removes all of it for good",
    details: { contents: disk.contents, partitions: disk.partitions },
  });
}

/** What a disk holds, for people; undefined: nothing that is known. */
export function contentsText(disk: DiskFacts): string | undefined {
  const named = ({ type, label }: FoundContent): string =>
    label === undefined ? type : `${type} "${label}"`;
  const whole = disk.contents.filter(({ type }) => !/^(gpt|PMBR|dos)$/i.test(type)).map(named);
  const parts = disk.partitions.map(({ number, sizeBytes, content }) => {
    const what = content === undefined ? "" : ` (${named(content)})`;
    return `partition ${number} of ${formatBytes(sizeBytes)}${what}`;
  });
  const all = [...whole, ...parts];
  if (all.length > 0) return all.join(", ");
  return disk.contents.length > 0 ? "an empty partition table" : undefined;
}

/**
 * Puts the system together and plans the disk. Nothing is written to it.
 *
 * @throws {Fault} E_REFUSED, E_NO_SPACE with figures; those of the system's parts
 */
export async function planInstallation(
  request: InstallRequest,
  onEvent: (event: ImageEvent) => void,
): Promise<InstallPlan> {
  const disk = readDisk(request.disk);
  refuseDisk(disk, request.isWiped);
  const { contents, notes } = await composeSystem(
    // New identifiers: two machines of one image would be each other's.
    { ...request, sizeBytes: disk.sizeBytes, seed: request.seed ?? crypto.randomUUID() },
    request.workFolder,
    onEvent,
  );
  return { disk, contents, notes };
}

/** A temporary folder for an installation; goes with its scope. */
export function installFolder(parent: string) {
  return createWorkFolder(parent, "rastos-install");
}

/**
 * Writes the disk. The old contents go first, the partition table comes last.
 *
 * @throws {Fault} what went wrong, with the state in which the disk is now
 */
export async function install(
  plan: InstallPlan,
  request: InstallRequest,
  onEvent: (event: ImageEvent) => void,
): Promise<void> {
  const { realPath } = plan.disk;
  // Once more: somebody may have mounted it meanwhile. From here on nobody can.
  refuseDisk(readDisk(request.disk), request.isWiped);
  let step: DiskStep | "old contents" = "old contents";
  try {
    using target = new OpenTarget(realPath, false);
    wipe(target, plan);
    const total = plan.contents.btrfs.dataBytes;
    let done = 0;
    await writeDisk(target, plan.contents, {
      workFolder: request.workFolder,
      onStep: (next) => {
        step = next;
        onEvent({ kind: "step", step: next });
      },
      onBytes: (bytes) => {
        done += bytes;
        onEvent({ kind: "bytes", done, total });
      },
    });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw halfWritten(plan.disk, step, error);
  }
  if (plan.disk.kind === "disk") tellKernel(realPath);
}

/**
 * Takes away what could be taken for a file system, a RAID or a volume group later: the beginnings
 * and ends of the disk, of its old partitions and of the new ones.
 */
function wipe(target: OpenTarget, plan: InstallPlan): void {
  const { disk, contents } = plan;
  const zeros = new Uint8Array(MIB);
  const ranges = [
    { start: 0, sizeBytes: disk.sizeBytes },
    ...disk.partitions,
    ...newPartitions(contents.layout),
  ];
  for (const { start, sizeBytes } of ranges) {
    const end = Math.min(start + sizeBytes, disk.sizeBytes);
    for (const from of [start, Math.max(start, end - MIB)]) {
      target.write(from, zeros.subarray(0, Math.max(0, Math.min(MIB, end - from))));
    }
  }
  target.sync();
}

function newPartitions({ bios, esp, root }: DiskLayout) {
  return [bios, esp, root];
}

function halfWritten(disk: DiskFacts, step: string, error: Fault): Fault {
  const state =
    step === "boot loader"
      ? "all but GRUB is in its place: machines with UEFI may boot it"
      : "what was on it is gone, and nothing on it boots yet";
  return new Fault({
    code: error.code,
    message: `Cannot install to "${disk.path}": it stopped at the ${step}; ${state}`,
    hint: error.hint ?? `run it again, with --wipe`,
    cause: error,
    excerpt: error.excerpt,
    details: { ...error.details, step },
  });
}

/** Kernels read partition tables again only when asked; at the next start they do anyway. */
function tellKernel(path: string): void {
  const partx = findTool("partx");
  if (partx === undefined) return;
  Bun.spawnSync([partx, "--update", path], { stdout: "ignore", stderr: "ignore" });
}
