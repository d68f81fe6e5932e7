/** The PKG-INFO of an sdist (PEP 625, 643), without unpacking it. */
import { closeSync, fstatSync, openSync } from "node:fs";

import { Fault } from "../../kit/fault/fault.ts";
import { readFully } from "./cache-folder.ts";

/** PKG-INFO is text that people write. */
const INFO_BYTES_MAX = 16 * 1024 * 1024;
const BLOCK = 512;

/**
 * The text of `<folder>/PKG-INFO`; undefined if there is none, or if the archive is of a kind that
 * is not read here.
 *
 * @throws {Fault} E_INTEGRITY for an archive that is damaged before its PKG-INFO
 */
export async function readSdistInfo(path: string, filename: string): Promise<string | undefined> {
  try {
    if (/\.(tar\.gz|tgz)$/i.test(filename)) return await readTar(Bun.file(path).stream(), true);
    if (/\.tar$/i.test(filename)) return await readTar(Bun.file(path).stream(), false);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault({
      code: "E_INTEGRITY",
      message: `Cannot read "${filename}": it is damaged, or no archive of its kind`,
      cause: error,
    });
  }
  if (!/\.zip$/i.test(filename)) return undefined;
  return await readZipMember(path, filename, (name) => /^[^/]+\/PKG-INFO$/.test(name));
}

/**
 * A member of a zip archive in a file, as text; undefined if no name fits.
 *
 * @throws {Fault} E_INTEGRITY
 */
export async function readZipMember(
  path: string,
  label: string,
  isWanted: (name: string) => boolean,
): Promise<string | undefined> {
  const { MemberReader, openZip } = await import("../wheel/zip.ts");
  const fd = openSync(path, "r");
  try {
    const sizeBytes = fstatSync(fd).size;
    const source = {
      label,
      sizeBytes,
      read: (offset: number, lengthBytes: number): Uint8Array => {
        const bytes = Buffer.allocUnsafe(lengthBytes);
        return bytes.subarray(0, readFully(fd, bytes, offset));
      },
    };
    const member = openZip(source).members.find(({ path: name }) => isWanted(name));
    if (member === undefined) return undefined;
    return new TextDecoder().decode(new MemberReader(source).bytes(member));
  } finally {
    closeSync(fd);
  }
}

async function readTar(
  file: ReadableStream<Uint8Array<ArrayBuffer>>,
  isCompressed: boolean,
): Promise<string | undefined> {
  const stream = isCompressed ? file.pipeThrough(new DecompressionStream("gzip")) : file;
  const reader = new TarReader(stream);
  try {
    return await reader.findInfo();
  } finally {
    await reader.close();
  }
}

/** What is used of a stream's reader. */
interface ByteReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

/** Goes through a tar archive (POSIX ustar with the extensions of pax and GNU) once. */
class TarReader {
  readonly #reader: ByteReader;
  #pending: Uint8Array = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  async findInfo(): Promise<string | undefined> {
    // A name that the entry before tells of the next one.
    let longName: string | undefined;
    for (;;) {
      const header = await this.#take(BLOCK);
      if (header === undefined || header.every((byte) => byte === 0)) return undefined;
      const sizeBytes = sizeOf(header);
      const type = String.fromCharCode(header[156] ?? 0);
      const padded = Math.ceil(sizeBytes / BLOCK) * BLOCK;
      if (type === "x" || type === "L") {
        const text = await this.#text(sizeBytes, padded);
        longName = type === "L" ? text.replace(/\0.*$/s, "") : (paxPath(text) ?? longName);
        continue;
      }
      const name = longName ?? nameIn(header);
      longName = undefined;
      const isFile = type === "0" || type === "\0";
      if (isFile && /^(?:\.\/)?[^/]+\/PKG-INFO$/.test(name)) {
        return await this.#text(sizeBytes, padded);
      }
      await this.#skip(padded);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#reader.cancel();
    } catch {
      // What was wanted has been read.
    }
  }

  async #text(sizeBytes: number, paddedBytes: number): Promise<string> {
    if (sizeBytes > INFO_BYTES_MAX) throw new Error("PKG-INFO is too large");
    const bytes = await this.#take(paddedBytes);
    if (bytes === undefined) throw new Error("the archive is cut off");
    return new TextDecoder().decode(bytes.subarray(0, sizeBytes));
  }

  /** Undefined at the end of the archive. */
  async #take(lengthBytes: number): Promise<Uint8Array | undefined> {
    const pieces = [this.#pending];
    let have = this.#pending.length;
    while (have < lengthBytes) {
      const { done, value } = await this.#reader.read();
      if (done || value === undefined) {
        if (have === 0) return undefined;
        throw new Error("the archive is cut off");
      }
      pieces.push(value);
      have += value.length;
    }
    const bytes = pieces.length === 1 ? this.#pending : Buffer.concat(pieces);
    this.#pending = bytes.subarray(lengthBytes);
    return bytes.subarray(0, lengthBytes);
  }

  async #skip(lengthBytes: number): Promise<void> {
    let left = lengthBytes - this.#pending.length;
    if (left <= 0) {
      this.#pending = this.#pending.subarray(lengthBytes);
      return;
    }
    this.#pending = new Uint8Array();
    while (left > 0) {
      const { done, value } = await this.#reader.read();
      if (done || value === undefined) throw new Error("the archive is cut off");
      if (value.length > left) this.#pending = value.subarray(left);
      left -= value.length;
    }
  }
}

/** Octal digits, or base 256 after a set top bit (GNU). */
function sizeOf(header: Uint8Array): number {
  const field = header.subarray(124, 136);
  let size = 0;
  if (((field[0] ?? 0) & 0x80) !== 0) {
    for (const byte of field.subarray(1)) size = size * 256 + byte;
  } else {
    size = Number.parseInt(textOf(field).trim() || "0", 8);
  }
  if (!Number.isSafeInteger(size) || size < 0) throw new Error("a size makes no sense");
  return size;
}

function nameIn(header: Uint8Array): string {
  const name = textOf(header.subarray(0, 100));
  const isUstar = textOf(header.subarray(257, 262)) === "ustar";
  const prefix = isUstar ? textOf(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function textOf(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end));
}

/** `path` of a pax header: lines of "<length> <key>=<value>". */
function paxPath(text: string): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(text)?.[1];
}
