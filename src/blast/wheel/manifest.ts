import type { StoredFile } from "./stored-wheel.ts";
import type { WrittenFile } from "./tree-writer.ts";

/**
 * The manifest beside an unpacked wheel: what is in it, so that nothing has to be listed or hashed
 * again. It is read at every install, for every package, so it is laid out by columns that are cut
 * apart only when they are asked for: a line of JSON with the counts and the columns' lengths, then
 * one column after the other, then a checksum.
 */

const FORMAT = 1;
/** Characters of a SHA-256 in base64 without padding. */
const DIGEST_CHARACTERS = 43;
/** Digits of the checksum, and a line break. */
const CHECK_BYTES = 17;

/** The first line. */
export interface ManifestHead {
  readonly format: typeof FORMAT;
  readonly name: string;
  readonly version: string;
  readonly distInfo: string;
  readonly dataFolder?: string;
  readonly rootIsPurelib: boolean;
  readonly tags: readonly string[];
  readonly warnings: readonly string[];
  readonly files: number;
  readonly totalBytes: number;
  /** As much as the files take of the disk: whole blocks. */
  readonly diskBytes: number;
  /** Whole seconds since 1970 that the files' times are counted from. */
  readonly startSec: number;
  /** Lengths of the columns in bytes: paths, folders, sizes, digests, executable bits, times. */
  readonly columns: readonly [number, number, number, number, number, number];
}

/** A file with what it looked like right after it was written. */
export interface ManifestFile extends StoredFile, WrittenFile {}

/** The part of the head that is told, not counted. */
export type ManifestNames = Pick<
  ManifestHead,
  "name" | "version" | "distInfo" | "rootIsPurelib" | "tags" | "warnings"
> & { readonly dataFolder: string | undefined };

const BLOCK_BYTES = 4096;

/** The bytes of a manifest file. */
export function encodeManifest(
  names: ManifestNames,
  files: readonly ManifestFile[],
  folders: readonly string[],
): Buffer {
  const startSec = files[0]?.mtimeSec ?? 0;
  const time = (file: ManifestFile): string =>
    `${file.mtimeSec - startSec}.${file.mtimeNsec.toString(36)}`;
  const columns = [
    files.map((file) => `${file.path}\0`).join(""),
    folders.map((path) => `${path}\0`).join(""),
    files.map((file) => file.size).join(" "),
    files.map((file) => file.sha256).join(""),
    files.map((file) => (file.executable ? "1" : "0")).join(""),
    files.map(time).join(" "),
  ].map((text) => Buffer.from(text));
  const { dataFolder, ...rest } = names;
  const head: ManifestHead = {
    format: FORMAT,
    ...rest,
    ...(dataFolder === undefined ? {} : { dataFolder }),
    files: files.length,
    totalBytes: sum(files, (file) => file.size),
    diskBytes: sum(files, (file) => Math.ceil(file.size / BLOCK_BYTES) * BLOCK_BYTES),
    startSec,
    columns: columns.map((bytes) => bytes.length) as unknown as ManifestHead["columns"],
  };
  const body = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...columns]);
  return Buffer.concat([body, Buffer.from(checksum(body))]);
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function checksum(body: Uint8Array): string {
  return `${Bun.hash(body).toString(16).padStart(16, "0")}\n`;
}

/** A manifest that has been read; its columns are cut apart when they are asked for. */
export class Manifest {
  readonly head: ManifestHead;
  readonly #bytes: Buffer;
  /** Where each column starts, and where the last one ends. */
  readonly #starts: readonly number[];
  #files: readonly StoredFile[] | undefined;

  private constructor(head: ManifestHead, bytes: Buffer, starts: readonly number[]) {
    this.head = head;
    this.#bytes = bytes;
    this.#starts = starts;
  }

  /** Undefined for bytes that are no manifest as a whole: cut off, damaged, of another format. */
  static parse(bytes: Buffer): Manifest | undefined {
    const bodyEnd = bytes.length - CHECK_BYTES;
    if (bodyEnd < 0) return undefined;
    const check = bytes.toString("latin1", bodyEnd);
    if (checksum(bytes.subarray(0, bodyEnd)) !== check) return undefined;
    const newline = bytes.indexOf(10);
    // The checksum holds, so that it is the JSON that was written.
    const head = JSON.parse(bytes.toString("utf8", 0, newline)) as ManifestHead;
    if (head.format !== FORMAT) return undefined;
    const starts = [newline + 1];
    for (const length of head.columns) starts.push((starts.at(-1) ?? 0) + length);
    return starts.at(-1) === bodyEnd ? new Manifest(head, bytes, starts) : undefined;
  }

  /** Of all files, in bytes. */
  get sizes(): number[] {
    return this.#text(2).split(" ").map(Number);
  }

  get files(): readonly StoredFile[] {
    this.#files ??= this.#cutFiles();
    return this.#files;
  }

  #cutFiles(): StoredFile[] {
    const paths = this.#names(0);
    const sizes = this.#text(2).split(" ");
    const digests = this.#text(3);
    const bits = this.#text(4);
    const files: StoredFile[] = [];
    for (let i = 0; i < this.head.files; i++) {
      const start = i * DIGEST_CHARACTERS;
      files.push({
        path: paths[i] as string,
        size: Number(sizes[i]),
        sha256: digests.slice(start, start + DIGEST_CHARACTERS),
        executable: bits.charCodeAt(i) === 49,
      });
    }
    return files;
  }

  get folders(): string[] {
    return this.#names(1);
  }

  get pathBytes(): Uint8Array {
    return this.#bytes.subarray(this.#starts[0], this.#starts[1]);
  }

  /** When each file was last written: whole seconds since 1970 and nanoseconds, in turn. */
  get times(): number[] {
    const times: number[] = [];
    for (const text of this.#text(5).split(" ")) {
      const dot = text.indexOf(".");
      if (dot < 0) continue;
      times.push(this.head.startSec + Number(text.slice(0, dot)));
      times.push(Number.parseInt(text.slice(dot + 1), 36));
    }
    return times;
  }

  #names(column: number): string[] {
    const names = this.#text(column).split("\0");
    names.pop();
    return names;
  }

  #text(column: number): string {
    return this.#bytes.toString("utf8", this.#starts[column], this.#starts[column + 1]);
  }
}
