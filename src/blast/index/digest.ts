/**
 * A project's page as it is kept: a line with a checksum, a line of JSON with the versions, then
 * one line of JSON per version with its files, newest first. Only the first two lines are read at
 * once; a version's line when somebody asks for it, which is rare: most resolutions look at the
 * newest few of thousands. All of it is ASCII, so that offsets in bytes are offsets in text.
 */
import type { PackageName } from "../pep/name.ts";
import type { Version } from "../pep/version.ts";
import { parseVersion } from "../pep/version.ts";
import type { Hashes, IndexFile, Project, ProjectVersion } from "../resolve/port.ts";
import type { PageFile } from "./page-file.ts";
import type { Release } from "./release-files.ts";
import { kindOf } from "./release-files.ts";

/** What is kept beside the files. */
export interface PageHead {
  /** The index, without credentials: guards against a file in the wrong place. */
  readonly index: string;
  readonly name: string;
  /** Milliseconds that it may be used without asking; undefined: the server did not say. */
  readonly freshMs?: number;
  readonly etag?: string;
  readonly lastModified?: string;
  /** The index does not know the name. */
  readonly missing?: true;
}

interface Head extends PageHead {
  /** Of all addresses, up to a slash. */
  readonly base: string;
  readonly versions: readonly string[];
  /** Length of each version's line, line break included. */
  readonly lengths: readonly number[];
}

/** A file in a version's line; trailing nulls are left out. */
type Row = readonly [
  filename: string,
  /** Between base and filename; a whole address if it begins with a space. */
  address: string,
  /** A text is a SHA-256. */
  hashes: string | Hashes | null,
  requiresPython?: string | null,
  size?: number | null,
  uploadTime?: string | null,
  metadata?: 1 | string | Hashes | null,
  yanked?: string | null,
];

/** Of the format; another one is as good as none. */
const MAGIC = "blast-page-1";

/** The bytes of a page. */
export function encodePage(head: PageHead, releases: readonly Release[]): Buffer {
  const base = commonBase(releases);
  const lines = releases.map((release) => {
    return `${ascii(JSON.stringify(release.files.map((file) => toRow(file, base))))}\n`;
  });
  const whole: Head = {
    ...head,
    base,
    versions: releases.map((release) => release.version.toString()),
    lengths: lines.map((line) => line.length),
  };
  return sealed(Buffer.from(`${ascii(JSON.stringify(whole))}\n${lines.join("")}`, "latin1"));
}

/** The same page, with some things of its head changed. @param bytes as {@link decodePage} took */
export function replaceHead(bytes: Buffer, changes: Partial<PageHead>): Buffer {
  const start = bytes.indexOf(0x0a) + 1;
  const end = bytes.indexOf(0x0a, start);
  const head = JSON.parse(bytes.toString("latin1", start, end)) as Head;
  const line = Buffer.from(ascii(JSON.stringify({ ...head, ...changes })), "latin1");
  return sealed(Buffer.concat([line, bytes.subarray(end)]));
}

function sealed(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${MAGIC} ${checksum(body)}\n`, "latin1"), body]);
}

/** A page that has been read back. */
export interface DecodedPage {
  readonly head: PageHead;
  readonly project: Project;
}

/** Undefined if the bytes are damaged, of another format, or of another page than wanted. */
export function decodePage(
  bytes: Buffer,
  wanted: { readonly index: string; readonly name: PackageName },
): DecodedPage | undefined {
  const firstEnd = bytes.indexOf(0x0a);
  const headEnd = bytes.indexOf(0x0a, firstEnd + 1);
  if (firstEnd === -1 || headEnd === -1) return undefined;
  const body = bytes.subarray(firstEnd + 1);
  if (bytes.toString("latin1", 0, firstEnd) !== `${MAGIC} ${checksum(body)}`) return undefined;
  // The checksum holds, so this is what was written.
  const head = JSON.parse(bytes.toString("latin1", firstEnd + 1, headEnd)) as Head;
  if (head.index !== wanted.index || head.name !== wanted.name) return undefined;
  const versions: PageVersion[] = new Array(head.versions.length);
  let offset = headEnd + 1;
  for (let index = 0; index < versions.length; index += 1) {
    const length = head.lengths[index] ?? 0;
    versions[index] = new PageVersion(head, bytes, offset, length, head.versions[index] ?? "");
    offset += length;
  }
  return { head, project: { name: wanted.name, versions } };
}

class PageVersion implements ProjectVersion {
  readonly #head: Head;
  readonly #bytes: Buffer;
  readonly #offset: number;
  readonly #length: number;
  readonly #text: string;
  #version: Version | undefined;
  #files: readonly IndexFile[] | undefined;

  constructor(head: Head, bytes: Buffer, offset: number, length: number, text: string) {
    this.#head = head;
    this.#bytes = bytes;
    this.#offset = offset;
    this.#length = length;
    this.#text = text;
  }

  get version(): Version {
    this.#version ??= parseVersion(this.#text);
    return this.#version;
  }

  files(): readonly IndexFile[] {
    if (this.#files === undefined) {
      const line = this.#bytes.toString("latin1", this.#offset, this.#offset + this.#length);
      const { base, index } = this.#head;
      this.#files = (JSON.parse(line) as Row[]).map((row) => fromRow(row, base, index));
    }
    return this.#files;
  }
}

function toRow(file: PageFile, base: string): Row {
  const { url, filename, hashes, metadata } = file;
  const isShort = url.startsWith(base) && url.length >= base.length + filename.length;
  const address =
    isShort && url.endsWith(filename) ? url.slice(base.length, -filename.length) : ` ${url}`;
  const row = [
    filename,
    address,
    shortHashes(hashes),
    file.requiresPython ?? null,
    file.size ?? null,
    file.uploadTime ?? null,
    metadata === undefined ? null : metadata === true ? 1 : shortHashes(metadata),
    file.yanked === false ? null : file.yanked,
  ] as const;
  let length: number = row.length;
  while (length > 3 && row[length - 1] === null) length -= 1;
  return row.slice(0, length) as unknown as Row;
}

function shortHashes(hashes: Hashes): string | Hashes | null {
  const names = Object.keys(hashes);
  if (names.length === 0) return null;
  return names.length === 1 && hashes["sha256"] !== undefined ? hashes["sha256"] : hashes;
}

function longHashes(hashes: string | Hashes | null): Hashes {
  return typeof hashes === "string" ? { sha256: hashes } : (hashes ?? {});
}

function fromRow(row: Row, base: string, index: string): IndexFile {
  const [filename, address, hashes, requiresPython, size, uploadTime, metadata, yanked] = row;
  return {
    kind: kindOf(filename) ?? "sdist",
    filename,
    url: address[0] === " " ? address.slice(1) : base + address + filename,
    hashes: longHashes(hashes),
    ...(size == null ? {} : { size }),
    ...(requiresPython == null ? {} : { requiresPython }),
    yanked: yanked ?? false,
    ...(uploadTime == null ? {} : { uploadTime }),
    ...(metadata == null ? {} : { metadata: metadata === 1 ? true : longHashes(metadata) }),
    index,
  };
}

/** What all addresses have in common, up to a slash. */
function commonBase(releases: readonly Release[]): string {
  let base = releases[0]?.files[0]?.url ?? "";
  for (const { files } of releases) {
    for (const { url } of files) {
      let length = Math.min(base.length, url.length);
      if (url.startsWith(base)) continue;
      for (let index = 0; index < length; index += 1) {
        if (base.charCodeAt(index) !== url.charCodeAt(index)) length = index;
      }
      base = base.slice(0, length);
    }
  }
  return base.slice(0, base.lastIndexOf("/") + 1);
}

/** JSON with everything beyond ASCII as escapes. */
function ascii(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function checksum(bytes: Uint8Array): string {
  return Bun.hash.xxHash3(bytes).toString(36);
}
