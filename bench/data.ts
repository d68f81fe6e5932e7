#!/usr/bin/env bun
/**
 * Trees for the benchmarks, the same on every machine: `bun run bench/data.ts FOLDER SET…`
 * makes FOLDER/SET for each set; SCALE=0.1 in the environment makes them smaller.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  mkdirSync,
  openSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

const KIB = 1024;
const MIB = 1024 * KIB;
const BLOCK = 4 * KIB;
const POOL_BYTES = 8 * MIB;
const FILES_PER_FOLDER = 100;
/** Seconds since 1970; each file lies up to three years later. */
const TIME_BASE = 1_600_000_000;
const TIME_SPAN = 3 * 365 * 86_400;

const MAKERS = {
  tiny: makeTiny,
  big: makeBig,
  eight: makeEight,
  small: makeSmall,
  mixed: makeMixed,
  sparse: makeSparse,
  deep: makeDeep,
} as const;

export type SetName = keyof typeof MAKERS;
export const SET_NAMES = Object.keys(MAKERS) as SetName[];

/** What a set holds. */
export interface Made {
  readonly files: number;
  readonly folders: number;
  /** Sum of the sizes; holes count. */
  readonly bytes: number;
}

/** Makes a set in an absent or empty folder. The scale multiplies its number of files, or bytes. */
export function makeSet(folder: string, name: SetName, scale = 1): Made {
  const writer = new TreeWriter(name);
  writer.folder(folder);
  MAKERS[name](writer, folder, scale);
  return writer.made;
}

/** Makes the shape of "small" with a given number of files, for the memory curve. */
export function makeSmallFiles(folder: string, files: number): Made {
  const writer = new TreeWriter(`small-${files}`);
  writer.folder(folder);
  fillSmall(writer, folder, files);
  return writer.made;
}

/** What changeSet did. */
export interface Change {
  readonly changed: number;
  readonly deleted: number;
}

/**
 * Gives a hundredth of a set's files new bytes of the same length and a new time, and deletes
 * another hundredth, spread over the whole tree.
 */
export function changeSet(folder: string): Change {
  const paths = [...new Bun.Glob("**/*").scanSync({ cwd: folder, dot: true })].sort();
  const share = Math.max(1, Math.floor(paths.length / 100));
  const step = paths.length / share;
  const random = randomFrom("change");
  const bytes = poolOf(random, BLOCK);
  let changed = 0;
  let deleted = 0;
  for (let index = 0; index < share; index++) {
    const change = paths[Math.floor(index * step)];
    const remove = paths[Math.floor((index + 0.5) * step)];
    if (change !== undefined) {
      overwrite(join(folder, change), bytes, TIME_BASE + TIME_SPAN + index);
      changed++;
    }
    if (remove !== undefined && remove !== change) {
      unlinkSync(join(folder, remove));
      deleted++;
    }
  }
  return { changed, deleted };
}

function overwrite(path: string, bytes: Uint8Array, seconds: number): void {
  const fd = openSync(path, "r+");
  writeSync(fd, bytes, 0, Math.min(fstatSync(fd).size, bytes.length), 0);
  futimesSync(fd, seconds, seconds);
  closeSync(fd);
}

function makeTiny(writer: TreeWriter, folder: string): void {
  writer.file(join(folder, "tiny.txt"), 100);
}

function makeBig(writer: TreeWriter, folder: string, scale: number): void {
  writer.file(join(folder, "big.bin"), Math.max(1, Math.round(4096 * scale)) * MIB);
}

function makeEight(writer: TreeWriter, folder: string, scale: number): void {
  const bytes = Math.max(1, Math.round(64 * scale)) * MIB;
  for (let index = 0; index < 8; index++) writer.file(join(folder, `part${index}.bin`), bytes);
}

function makeSmall(writer: TreeWriter, folder: string, scale: number): void {
  fillSmall(writer, folder, Math.round(1000 * scale) * FILES_PER_FOLDER);
}

/** Files of 1 to 4 KiB, a hundred to a folder, fifty folders to a group. */
function fillSmall(writer: TreeWriter, folder: string, files: number): void {
  for (let index = 0; index < Math.max(files, FILES_PER_FOLDER); index++) {
    const number = Math.floor(index / FILES_PER_FOLDER);
    const group = join(folder, `group${padded(Math.floor(number / 50), 4)}`);
    const leaf = join(group, `folder${padded(number, 5)}`);
    if (index % FILES_PER_FOLDER === 0) {
      if (number % 50 === 0) writer.folder(group);
      writer.folder(leaf);
    }
    writer.file(join(leaf, `${padded(index, 7)}.dat`), KIB + writer.below(3 * KIB + 1));
  }
}

/** Log-normal sizes, 2 GiB in 10,000 files; 400 folders on two levels. */
function makeMixed(writer: TreeWriter, folder: string, scale: number): void {
  const count = Math.max(20, Math.round(10_000 * scale));
  const sizes = Array.from({ length: count }, () => Math.exp(2.2 * writer.normal()));
  const factor = (2048 * MIB * scale) / sizes.reduce((sum, size) => sum + size, 0);
  const suffixes = ["jpg", "txt", "c", "bin", "json"];
  for (let index = 0; index < 400; index++) {
    if (index < 40) writer.folder(join(folder, `area${padded(index, 2)}`));
    writer.folder(mixedFolder(folder, index));
  }
  for (const [index, size] of sizes.entries()) {
    const suffix = suffixes[writer.below(suffixes.length)];
    const name = `item${padded(index, 5)}.${suffix}`;
    writer.file(join(mixedFolder(folder, index % 400), name), Math.floor(size * factor));
  }
}

function mixedFolder(folder: string, index: number): string {
  return join(folder, `area${padded(index % 40, 2)}`, `part${Math.floor(index / 40)}`);
}

/** One file of 10 GiB with a hundred extents of 1 MiB. */
function makeSparse(writer: TreeWriter, folder: string, scale: number): void {
  const bytes = blocks(10 * KIB * MIB * scale);
  writer.sparse(join(folder, "sparse.img"), bytes, { extents: 100, extent: blocks(MIB * scale) });
}

function blocks(bytes: number): number {
  return Math.max(1, Math.floor(bytes / BLOCK)) * BLOCK;
}

/** Fifty chains of a hundred folders, one inside the other, each with a small file. */
function makeDeep(writer: TreeWriter, folder: string, scale: number): void {
  for (let chain = 0; chain < Math.max(1, Math.round(50 * scale)); chain++) {
    let path = join(folder, `chain${padded(chain, 2)}`);
    writer.folder(path);
    for (let level = 0; level < 100; level++) {
      path = join(path, `l${padded(level, 2)}`);
      writer.folder(path);
      writer.file(join(path, "note.txt"), 10 + writer.below(190));
    }
  }
}

function padded(value: number, digits: number): string {
  return value.toString().padStart(digits, "0");
}

/** Writes files of bytes that do not compress, with times in the past, and counts them. */
class TreeWriter {
  readonly #random: () => number;
  readonly #pool: Uint8Array;
  #files = 0;
  #folders = 0;
  #bytes = 0;

  constructor(seed: string) {
    this.#random = randomFrom(seed);
    this.#pool = poolOf(randomFrom("pool"), POOL_BYTES);
  }

  get made(): Made {
    return { files: this.#files, folders: this.#folders, bytes: this.#bytes };
  }

  /** A whole number from 0 to limit - 1. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** A number of the standard normal distribution (Box and Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random()));
    return radius * Math.cos(2 * Math.PI * this.#random());
  }

  folder(path: string): void {
    mkdirSync(path, { recursive: true });
    this.#folders++;
  }

  file(path: string, bytes: number): void {
    const fd = openSync(path, "w");
    this.#fill(fd, 0, bytes);
    this.#finish(fd, bytes);
  }

  sparse(path: string, bytes: number, data: { extents: number; extent: number }): void {
    const fd = openSync(path, "w");
    ftruncateSync(fd, bytes);
    for (let index = 0; index < data.extents; index++) {
      const at = Math.floor((bytes * index) / data.extents / BLOCK) * BLOCK;
      this.#fill(fd, at, Math.min(data.extent, bytes - at));
    }
    this.#finish(fd, bytes);
  }

  #fill(fd: number, position: number, bytes: number): void {
    for (let done = 0; done < bytes; ) {
      const length = Math.min(MIB, bytes - done);
      const offset = this.below(POOL_BYTES - length + 1);
      done += writeSync(fd, this.#pool, offset, length, position + done);
    }
  }

  #finish(fd: number, bytes: number): void {
    const seconds = TIME_BASE + this.#random() * TIME_SPAN;
    futimesSync(fd, seconds, seconds);
    closeSync(fd);
    this.#files++;
    this.#bytes += bytes;
  }
}

/** Numbers from 0 to below 1 that depend on nothing but the seed (sfc32, public domain). */
function randomFrom(seed: string): () => number {
  let a = Bun.hash.crc32(seed);
  let b = Bun.hash.crc32(`${seed}/b`);
  let c = 0x9e3779b9;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let index = 0; index < 16; index++) next();
  return next;
}

function poolOf(random: () => number, bytes: number): Uint8Array {
  const words = new Uint32Array(bytes / 4);
  for (let index = 0; index < words.length; index++) words[index] = random() * 2 ** 32;
  return new Uint8Array(words.buffer);
}

if (import.meta.main) {
  const [folder, ...names] = process.argv.slice(2);
  const unknown = names.find((name) => !(name in MAKERS));
  if (folder === undefined || names.length === 0 || unknown !== undefined) {
    console.error(`error: Cannot make ${JSON.stringify(unknown ?? "nothing")}`);
    console.error(`hint: bun run bench/data.ts FOLDER SET…, of ${SET_NAMES.join(", ")}`);
    process.exitCode = 2;
  } else {
    for (const name of names as SetName[]) {
      const made = makeSet(join(folder, name), name, Number(process.env["SCALE"] ?? "1"));
      console.log(`${name}: ${made.files} files, ${made.folders} folders, ${made.bytes} bytes`);
    }
  }
}
