import { mkdirSync, mkdtempSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstReason, needsProgram, needsRoot } from "./skip.ts";
import { createWorkspace, removeTree, type Workspace } from "./workspace.ts";

export type FilesystemKind = "ext4" | "ext2" | "btrfs" | "vfat" | "tmpfs" | "ramfs";

/** A mounted file system that is unmounted, and its image removed, when its scope ends. */
export interface MountedFilesystem extends Disposable {
  readonly kind: FilesystemKind;
  /** The mount point. */
  readonly path: string;
}

export interface MountRequest {
  readonly kind: FilesystemKind;
  /** btrfs needs at least 120 MiB; the image is sparse, so size costs nothing by itself. */
  readonly sizeBytes: number;
  /** Options of mount(8), such as "nodev,utf8". */
  readonly mountOptions?: string;
}

const MIB = 1024 * 1024;
const SMALLEST: Readonly<Record<FilesystemKind, number>> = {
  ext4: 16 * MIB,
  btrfs: 128 * MIB,
  vfat: 16 * MIB,
  ext2: 8 * MIB,
  tmpfs: MIB,
  ramfs: MIB,
};
const MAKE: Readonly<Record<FilesystemKind, readonly string[]>> = {
  ext4: ["mkfs.ext4", "-q", "-F"],
  btrfs: ["mkfs.btrfs", "-q", "-f"],
  vfat: ["mkfs.vfat"],
  // Inodes of 128 bytes keep times in whole seconds.
  ext2: ["mkfs.ext2", "-q", "-F", "-I", "128"],
  tmpfs: [],
  ramfs: [],
};
const ENVIRONMENT = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };
const probes = new Map<FilesystemKind, string | undefined>();

/**
 * Why a file system of this kind cannot be mounted here, or undefined when it can: found out by
 * mounting a small one, once per run.
 */
export function cannotMount(kind: FilesystemKind): string | undefined {
  if (!probes.has(kind)) probes.set(kind, probe(kind));
  return probes.get(kind);
}

/**
 * Mounts a fresh file system: a loop image, or a tmpfs.
 *
 * @throws Error with the tool's own words; ask {@link cannotMount} first and skip with its reason
 */
export function mountFilesystem(request: MountRequest): MountedFilesystem {
  const { kind, sizeBytes } = request;
  const base = mkdtempSync(join(tmpdir(), `triad-${kind}-`));
  const path = join(base, "mnt");
  mkdirSync(path);
  try {
    if (kind === "tmpfs" || kind === "ramfs") {
      const options = [`size=${sizeBytes}`, request.mountOptions].filter((o) => o !== undefined);
      run(["mount", "-t", kind, "-o", options.join(","), kind, path]);
    } else {
      const image = join(base, "image");
      writeFileSync(image, "");
      truncateSync(image, sizeBytes);
      run([...MAKE[kind], image]);
      const options = ["loop", "noatime", request.mountOptions].filter((o) => o !== undefined);
      run(["mount", "-t", kind, "-o", options.join(","), image, path]);
    }
  } catch (error) {
    removeTree(base);
    throw error;
  }
  return { kind, path, [Symbol.dispose]: () => unmount(base, path) };
}

/**
 * A workspace on a fresh ext4 where one can be mounted: on a file system that has seen millions of
 * files, thousands more are slow.
 */
export function createFreshWorkspace(sizeBytes: number = 2048 * MIB): Workspace {
  if (cannotMount("ext4") !== undefined) return createWorkspace();
  const disk = mountFilesystem({ kind: "ext4", sizeBytes });
  const work = createWorkspace(disk.path);
  return { ...work, [Symbol.dispose]: () => disk[Symbol.dispose]() };
}

function probe(kind: FilesystemKind): string | undefined {
  const missing = firstReason(needsRoot(), needsProgram("mount", ...MAKE[kind].slice(0, 1)));
  if (missing !== undefined) return `${missing} to mount ${kind}`;
  try {
    using _mounted = mountFilesystem({ kind, sizeBytes: SMALLEST[kind] });
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return `cannot mount ${kind}: ${text.trim().split("\n")[0] ?? ""}`;
  }
}

/** A killed child may hold the mount a moment longer: three tries, then detach lazily and fail. */
function unmount(base: string, path: string): void {
  let problem = "";
  for (let attempt = 0; attempt < 3; attempt++) {
    const result = Bun.spawnSync(["umount", path], { env: ENVIRONMENT, stderr: "pipe" });
    if (result.success) {
      removeTree(base);
      return;
    }
    problem = result.stderr.toString();
    Bun.sleepSync(200);
  }
  Bun.spawnSync(["umount", "-l", path], { env: ENVIRONMENT, stderr: "ignore" });
  throw new Error(`Cannot unmount "${path}": ${problem}`);
}

function run(command: readonly string[]): void {
  const result = Bun.spawnSync([...command], {
    env: ENVIRONMENT,
    stdout: "ignore",
    stderr: "pipe",
  });
  if (!result.success) throw new Error(`${command[0]}: ${result.stderr.toString().trim()}`);
}
