import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { SEEK } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import {
  type BootChange,
  type BootFile,
  type BootFiles,
  changeOneByOne,
} from "../boot/boot-files.ts";
import type { ByteTarget } from "./byte-target.ts";
import { runTool } from "./tool.ts";

/** The files of a boot partition that is still to be made. */
export class PlannedBootFiles implements BootFiles {
  readonly shown = "the new boot partition";
  readonly #files = new Map<string, Uint8Array>();

  /** All files by path, in order of their names. */
  get all(): readonly (readonly [string, Uint8Array])[] {
    return [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  list(folder: string): readonly BootFile[] {
    const prefix = folder === "" ? "" : `${folder}/`;
    const found = new Map<string, BootFile>();
    for (const path of this.#files.keys()) {
      if (!path.startsWith(prefix)) continue;
      const [name = "", ...below] = path.slice(prefix.length).split("/");
      found.set(name, { name, isFolder: below.length > 0 });
    }
    return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  read(path: string): Uint8Array | undefined {
    return this.#files.get(path);
  }

  write(path: string, content: string | Uint8Array): void {
    this.#files.set(path, typeof content === "string" ? Buffer.from(content) : content);
  }

  rename(folder: string, from: string, to: string): void {
    const content = this.#files.get(join(folder, from));
    if (content === undefined) throw new Error(`There is no ${from} in ${folder}`);
    this.#files.set(join(folder, to), content);
    this.#files.delete(join(folder, from));
  }

  remove(path: string): void {
    this.#files.delete(path);
  }

  change(steps: readonly (readonly BootChange[])[]): void {
    changeOneByOne(this, steps);
  }

  removeFolder(path: string): void {
    for (const file of this.#files.keys()) {
      if (file.startsWith(`${path}/`)) this.#files.delete(file);
    }
  }

  freeBytes(): number {
    return Number.MAX_SAFE_INTEGER;
  }

  sync(): void {}
}

/** What a boot partition is made of. */
export interface BootPartition {
  readonly files: PlannedBootFiles;
  readonly sizeBytes: number;
  /** Eight hexadecimal digits. */
  readonly serial: string;
  /** Seconds since 1970 that everything in it carries; FAT knows nothing before 1980. */
  readonly seconds: number;
  /** Where temporary files may lie. */
  readonly workFolder: string;
}

const BLOCK_BYTES = 1024 * 1024;
/** FAT32 has 65,525 clusters at least; some room goes to the tables. */
const CLUSTERS_MIN = 67_000;
const YEAR_1980 = 315_532_800;

/** Bytes that the files take in clusters, and the folders. */
export function bootFilesBytes(files: PlannedBootFiles): number {
  return files.all.reduce((sum, [, { length }]) => sum + length + 2 * 4096, 0);
}

/**
 * Makes the FAT file system in a file of its own, by mkfs.vfat and mtools, and copies it to its
 * place. Names come in one order and with one time: the same files give the same bytes.
 *
 * @throws {Fault} E_NOT_FOUND without the tools, E_NO_SPACE, E_IO
 */
export function writeBootPartition(target: ByteTarget, partition: BootPartition): void {
  const folder = mkdtempSync(join(partition.workFolder, ".esp-"));
  try {
    const image = join(folder, "esp.img");
    writeFileSync(image, "");
    truncateSync(image, partition.sizeBytes);
    const serial = partition.serial;
    runTool({
      program: "mkfs.vfat",
      packageName: "dosfstools",
      args: [
        ...["--invariant", "-F", "32", "-s", String(sectorsPerCluster(partition.sizeBytes))],
        ...["-n", "ESP", "-i", serial, image],
      ],
      action: "make the boot partition",
    });
    fill(image, folder, partition);
    copyWritten(image, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As many as leave enough clusters for FAT32: firmware reads large ones faster. */
export function sectorsPerCluster(sizeBytes: number): number {
  const fits = (count: number): boolean => sizeBytes / (count * 512) >= CLUSTERS_MIN;
  return [8, 4, 2].find(fits) ?? 1;
}

function fill(image: string, folder: string, partition: BootPartition): void {
  const seconds = Math.max(partition.seconds, YEAR_1980);
  const environment = { SOURCE_DATE_EPOCH: String(seconds), MTOOLS_SKIP_CHECK: "1" };
  const run = (program: string, args: readonly string[]): void => {
    const action = "fill the boot partition";
    runTool({
      program,
      packageName: "mtools",
      args: ["-i", image, ...args],
      action,
      environment,
    });
  };
  const files = partition.files.all;
  for (const path of foldersOf(files.map(([name]) => name))) run("mmd", [`::/${path}`]);
  for (const [path, content] of files) {
    const source = join(folder, "files", path);
    mkdirSync(dirname(source), { recursive: true });
    writeFileSync(source, content);
    utimesSync(source, seconds, seconds);
    run("mcopy", ["-m", source, `::/${path}`]);
  }
}

/** All folders above some files, each before those in it. */
function foldersOf(paths: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const parts = path.split("/").slice(0, -1);
    for (let count = 1; count <= parts.length; count++)
      folders.add(parts.slice(0, count).join("/"));
  }
  return [...folders].sort();
}

/** Copies what mkfs.vfat and mtools have written; the rest of a FAT means nothing. */
function copyWritten(image: string, target: ByteTarget): void {
  const fd = openSync(image, "r");
  try {
    const block = new Uint8Array(BLOCK_BYTES);
    for (let position = 0; ; ) {
      position = sys.lseek(fd, position, SEEK.DATA);
      // Behind the last data there is nothing but a hole.
      if (position < 0) return;
      const end = sys.lseek(fd, position, SEEK.HOLE);
      while (position < end) {
        const wanted = Math.min(block.length, end - position);
        const got = readSync(fd, block, 0, wanted, position);
        if (got === 0) return;
        target.write(position, block.subarray(0, got));
        position += got;
      }
    }
  } finally {
    closeSync(fd);
  }
}
