import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const VOLUME_KINDS = ["ext4", "btrfs", "tmpfs"] as const;
export type VolumeKind = (typeof VOLUME_KINDS)[number];

/** Small enough for the page cache to stay honest, large enough for two copies of the big set. */
const IMAGE_BYTES = 24 * 2 ** 30;

/**
 * A file system of its own, fresh: ext4 and btrfs in a sparse image file on a loop device, tmpfs
 * in memory. An aged file system would measure its age. Needs root.
 */
export class Volume {
  readonly kind: VolumeKind;
  /** Where it is mounted. */
  readonly root: string;
  readonly #image: string | undefined;

  /** @throws Error when it cannot be made or mounted; nothing is left behind then. */
  constructor(scratch: string, kind: VolumeKind) {
    this.kind = kind;
    this.root = join(scratch, "volume");
    this.#image = kind === "tmpfs" ? undefined : join(scratch, "volume.img");
    mkdirSync(this.root, { recursive: true });
    try {
      this.#mount();
    } catch (error) {
      if (this.#image !== undefined) rmSync(this.#image, { force: true });
      throw error;
    }
  }

  #mount(): void {
    if (this.#image === undefined) {
      command(["mount", "-t", "tmpfs", "-o", "noatime,size=90%", "tmpfs", this.root]);
      return;
    }
    writeFileSync(this.#image, "");
    truncateSync(this.#image, IMAGE_BYTES);
    command([...formatter(this.kind), this.#image]);
    command(["mount", "-o", "loop,noatime", this.#image, this.root]);
  }

  path(name: string): string {
    return join(this.root, name);
  }

  /**
   * Writes out what is dirty, so that one run's write-back does not fall into the next one's time.
   * forget drops the image's own pages too (the file system keeps its cache): without it, the data
   * lies in memory twice and large sets push each other out.
   * @returns seconds that it took
   */
  settle(forget: boolean): number {
    const start = Bun.nanoseconds();
    command(["sync", "-f", this.root]);
    if (this.#image !== undefined) {
      command(["sync", this.#image]);
      if (forget) command(["dd", `of=${this.#image}`, "oflag=nocache", "conv=notrunc", "count=0"]);
    }
    return (Bun.nanoseconds() - start) / 1e9;
  }

  [Symbol.dispose](): void {
    command(["umount", this.root]);
    if (this.#image !== undefined) rmSync(this.#image, { force: true });
    rmSync(this.root, { recursive: true, force: true });
  }
}

function formatter(kind: VolumeKind): string[] {
  if (kind === "btrfs") return ["mkfs.btrfs", "-q", "-f"];
  // Without lazy_*_init=0 a kernel thread goes on writing inode tables under the first runs;
  // an inode per 8 KiB leaves room for two trees of a million small files.
  return ["mkfs.ext4", "-q", "-F", "-i", "8192", "-E", "lazy_itable_init=0,lazy_journal_init=0"];
}

/** Why this machine cannot make volumes, with what to do about it; undefined when it can. */
export function whyNoVolumes(): { problem: string; hint: string } | undefined {
  if (process.platform !== "linux") {
    return { problem: "file systems are made and mounted", hint: "run it on Linux" };
  }
  if (process.getuid?.() !== 0) {
    return { problem: "mounting needs root", hint: "run it with sudo" };
  }
  const missing = [
    "mkfs.ext4",
    "mkfs.btrfs",
    "mount",
    "dd",
    "rsync",
    "cp",
    "find",
    "/usr/bin/time",
  ];
  for (const name of missing) {
    if (Bun.which(name) === null) {
      return { problem: `${JSON.stringify(name)} is missing`, hint: "install it" };
    }
  }
  if (Bun.spawnSync(["losetup", "-f"]).exitCode !== 0) {
    return { problem: "there is no free loop device", hint: "modprobe loop, or a real machine" };
  }
  return undefined;
}

/** Bytes of memory that new work can have. */
export function memoryAvailable(): number {
  const line = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"));
  return Number(line?.[1] ?? 0) * 1024;
}

/** Runs a helper program. @throws Error with its last words */
export function command(argv: readonly string[]): string {
  const child = Bun.spawnSync([...argv], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  if (child.exitCode === 0) return child.stdout.toString();
  const words = child.stderr.toString().trim().split("\n").at(-1);
  throw new Error(`Cannot run ${JSON.stringify(argv.join(" "))}: ${words}`);
}
