/**
 * A project's page as it is kept: a line with sizes and a checksum, a line of JSON with the
 * versions, then one line of JSON per version with its files, newest first. Only the first two
 * lines are read at once; a version's line when somebody asks for it, which is rare: most
 * resolutions look at the newest few of thousands.
 *
 *     blast-page-3 <bytes of the second line> <bytes of all> <checksum of the second line>
 *     {"index": …, "versions": ["2.0", "1.9", …], "lengths": [512, 498, …], …}
 *     <checksum> [[<file>], …]
 */
import { Fault } from "../../kit/fault/fault.ts";
import type { PackageName } from "../pep/name.ts";
import type { Version } from "../pep/version.ts";
import { parseVersion } from "../pep/version.ts";
import type { Hashes, IndexFile, Project, ProjectVersion } from "../resolve/port.ts";
import type { PageFile } from "./page-file.ts";
import type { Release } from "./release-files.ts";

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

/** A file in a version's line. */
type Row = readonly [
  filename: string,
  /** Between base and filename; a whole address if it begins with a space. */
  address: string,
  /** A text is a SHA-256. */
  hashes: string | Hashes | null,
  requiresPython: string | null,
  size: number | null,
  uploadTime: string | null,
  metadata: 1 | string | Hashes | null,
  yanked: string | null,
];

/** Of the format; another one is as good as none. */
const MAGIC = "blast-page-3";

/** The bytes of a page. */
export function encodePage(head: PageHead, releases: readonly Release[]): Buffer {
  const base = commonBase(releases);
  const lines = releases.map((release) => {
    const line = JSON.stringify(release.files.map((file) => toRow(file, base)));
    return `${checksum(line)} ${line}\n`;
  });
  const whole: Head = {
    ...head,
    base,
    versions: releases.map((release) => release.version.toString()),
    lengths: lines.map((line) => Buffer.byteLength(line)),
  };
  return withTop(JSON.stringify(whole), Buffer.from(lines.join("")));
}

/** The same page, with some things of its head changed. @param bytes all of it */
export function replaceHead(bytes: Buffer, changes: Partial<PageHead>): Buffer {
  const start = bytes.indexOf(0x0a) + 1;
  const end = bytes.indexOf(0x0a, start);
  const head = JSON.parse(bytes.toString("utf8", start, end)) as Head;
  return withTop(JSON.stringify({ ...head, ...changes }), bytes.subarray(end + 1));
}

function withTop(head: string, lines: Buffer): Buffer {
  const headBytes = Buffer.byteLength(head);
  const sizes = `${headBytes} ${headBytes + 1 + lines.length}`;
  const top = Buffer.from(`${MAGIC} ${sizes} ${checksum(head)}\n${head}\n`);
  return Buffer.concat([top, lines]);
}

/** Where the bytes of a page are. */
export interface PageBytes {
  readonly sizeBytes: number;
  /** Fewer where there are no more. */
  read(offset: number, lengthBytes: number): Buffer;
  /** Called once the bytes have turned out to be wrong. */
  discard(): void;
}

/** A page that has been read back. */
export interface DecodedPage {
  readonly head: PageHead;
  readonly project: Project;
}

/** Most pages as a whole; of the large ones the newest versions. */
const FIRST_BYTES = 32 * 1024;
const TOP_BYTES_MAX = 80;

/** Undefined if the bytes are damaged, of another format, or of another page than wanted. */
export function decodePage(
  bytes: PageBytes,
  wanted: { readonly index: string; readonly name: PackageName },
): DecodedPage | undefined {
  const first = bytes.read(0, FIRST_BYTES);
  const topEnd = first.subarray(0, TOP_BYTES_MAX).indexOf(0x0a) + 1;
  const [magic, headText, bodyText, sum] = first.toString("utf8", 0, topEnd).trim().split(" ");
  const [headBytes, bodyBytes] = [Number(headText), Number(bodyText)];
  if (magic !== MAGIC || topEnd + bodyBytes !== bytes.sizeBytes) return undefined;
  const headEnd = topEnd + headBytes;
  const start = headEnd <= first.length ? first : bytes.read(0, headEnd);
  const text = start.toString("utf8", topEnd, headEnd);
  if (checksum(text) !== sum) return undefined;
  // The checksum holds, so this is what was written.
  const head = JSON.parse(text) as Head;
  if (head.index !== wanted.index || head.name !== wanted.name) return undefined;
  return { head, project: new PageProject(wanted.name, head, bytes, start, headEnd + 1) };
}

/** A page in memory, to be decoded. */
export function pageInMemory(bytes: Buffer): PageBytes {
  return {
    sizeBytes: bytes.length,
    read: (offset, lengthBytes) => bytes.subarray(offset, offset + lengthBytes),
    discard: () => undefined,
  };
}

class PageProject implements Project {
  readonly name: PackageName;
  readonly head: Head;
  private readonly bytes: PageBytes;
  /** The beginning of the page, already read. */
  private readonly start: Buffer;
  private readonly linesStart: number;
  private list: readonly PageVersion[] | undefined = undefined;
  /** Of the beginning of each line, once a line is wanted. */
  private offsets: readonly number[] | undefined = undefined;

  constructor(name: PackageName, head: Head, bytes: PageBytes, start: Buffer, linesStart: number) {
    this.name = name;
    this.head = head;
    this.bytes = bytes;
    this.start = start;
    this.linesStart = linesStart;
  }

  get versions(): readonly PageVersion[] {
    this.list ??= this.head.versions.map((_, index) => new PageVersion(this, index));
    return this.list;
  }

  /** @throws {Fault} E_IO when the line is damaged */
  rows(index: number): readonly Row[] {
    this.offsets ??= offsetsOf(this.head.lengths, this.linesStart);
    const offset = this.offsets[index] ?? 0;
    const length = this.head.lengths[index] ?? 0;
    const isHere = offset + length <= this.start.length;
    const line = isHere
      ? this.start.toString("utf8", offset, offset + length)
      : this.bytes.read(offset, length).toString("utf8");
    const space = line.indexOf(" ");
    const json = line.slice(space + 1, -1);
    if (checksum(json) !== line.slice(0, Math.max(0, space))) {
      this.bytes.discard();
      throw damagedFault(this.name);
    }
    return JSON.parse(json) as Row[];
  }
}

// Thousands of these are made for one that is looked at: two fields, and no private names.
class PageVersion implements ProjectVersion {
  private readonly page: PageProject;
  private readonly index: number;
  private known: Version | undefined = undefined;
  private list: readonly IndexFile[] | undefined = undefined;

  constructor(page: PageProject, index: number) {
    this.page = page;
    this.index = index;
  }

  get version(): Version {
    this.known ??= parseVersion(this.page.head.versions[this.index] ?? "");
    return this.known;
  }

  files(): readonly IndexFile[] {
    const { base, index } = this.page.head;
    this.list ??= this.page.rows(this.index).map((row) => fromRow(row, base, index));
    return this.list;
  }
}

function offsetsOf(lengths: readonly number[], start: number): readonly number[] {
  let offset = start;
  return lengths.map((length) => {
    offset += length;
    return offset - length;
  });
}

function damagedFault(name: string): Fault {
  return new Fault({
    code: "E_IO",
    message: `Cannot read the page of "${name}" from the cache: it is damaged`,
    hint: "it was removed from the cache: run the command again",
  });
}

function toRow(file: PageFile, base: string): Row {
  const { url, filename, hashes, metadata } = file;
  const isShort = url.startsWith(base) && url.length >= base.length + filename.length;
  const address =
    isShort && url.endsWith(filename) ? url.slice(base.length, -filename.length) : ` ${url}`;
  return [
    filename,
    address,
    shortHashes(hashes),
    file.requiresPython ?? null,
    file.size ?? null,
    file.uploadTime ?? null,
    metadata === undefined ? null : metadata === true ? 1 : (shortHashes(metadata) ?? 1),
    file.yanked === false ? null : file.yanked,
  ];
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
  const address = row[1];
  const metadata = row[6];
  // Thousands of these are made where versions have many wheels: one shape, and nothing copied.
  return {
    kind: row[0].endsWith(".whl") ? "wheel" : "sdist",
    filename: row[0],
    url: address[0] === " " ? address.slice(1) : base + address + row[0],
    hashes: longHashes(row[2]),
    requiresPython: row[3] ?? undefined,
    size: row[4] ?? undefined,
    uploadTime: row[5] ?? undefined,
    metadata: metadata == null ? undefined : metadata === 1 ? true : longHashes(metadata),
    yanked: row[7] ?? false,
    index,
  } as IndexFile;
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

function checksum(text: string): string {
  return Bun.hash.crc32(text).toString(36);
}
