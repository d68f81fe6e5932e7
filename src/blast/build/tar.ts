/**
 * Members of a tar archive one after the other: POSIX ustar with the extensions of pax and GNU.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */

/** A member as its header tells of it. */
export interface TarMember {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "same" | "other";
  /** Of a link. */
  readonly target: string;
  readonly sizeBytes: number;
  /** Permission bits. */
  readonly mode: number;
  readonly modifiedSeconds: number;
}

/** Told of each member; gets the content of files. */
export interface TarSink {
  /** @returns who takes the content; undefined: nobody */
  member(member: TarMember): { write(bytes: Uint8Array): void; close(): void } | undefined;
}

const BLOCK = 512;
/** A header of names and times; nobody needs more. */
const HEADER_BYTES_MAX = 1024 * 1024;

/** The archive is not what a tar archive looks like. */
export class TarError extends Error {}

/**
 * Goes through an archive.
 *
 * @throws {TarError} and whatever the stream and the sink throw
 */
export async function readTarMembers(
  stream: ReadableStream<Uint8Array>,
  sink: TarSink,
): Promise<void> {
  const reader = new BlockReader(stream);
  try {
    await readAll(reader, sink);
  } finally {
    await reader.close();
  }
}

async function readAll(reader: BlockReader, sink: TarSink): Promise<void> {
  let global: Extensions = {};
  let extensions: Extensions = {};
  for (let isFirst = true; ; isFirst = false) {
    const header = await reader.take(BLOCK);
    if (header === undefined) {
      // GNU tar itself only warns when the two empty blocks at the end are missing.
      if (isFirst) throw new TarError("it is empty");
      return;
    }
    if (header.every((byte) => byte === 0)) return;
    checkSum(header);
    const type = String.fromCharCode(header[156] ?? 0);
    const ownBytes = numberAt(header, 124, 12);
    if (/[xgLK]/.test(type)) {
      const text = await headerText(reader, ownBytes);
      if (type === "g") global = { ...global, ...paxFields(text) };
      else if (type === "x") extensions = { ...extensions, ...paxFields(text) };
      else extensions = { ...extensions, [type === "L" ? "path" : "linkpath"]: beforeZero(text) };
      continue;
    }
    const member = memberOf(header, type, { ...global, ...extensions });
    extensions = {};
    const content = sink.member(member);
    await copyContent(reader, member.sizeBytes, content);
  }
}

type Extensions = Readonly<Record<string, string>>;

function memberOf(header: Uint8Array, type: string, extensions: Extensions): TarMember {
  const ownName = textAt(header, 0, 100);
  const prefix = textAt(header, 257, 5) === "ustar" ? textAt(header, 345, 155) : "";
  // GNU's own format has times where POSIX has the prefix; it says "ustar  ".
  const isGnu = textAt(header, 257, 8).startsWith("ustar  ");
  const name = extensions["path"] ?? (prefix === "" || isGnu ? ownName : `${prefix}/${ownName}`);
  const size = extensions["size"];
  const modified = extensions["mtime"];
  const sizeBytes = size === undefined ? numberAt(header, 124, 12) : Number(size);
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw new TarError("a size is no number");
  const isSparse = Object.keys(extensions).some((key) => key.startsWith("GNU.sparse."));
  const kind = isSparse ? "other" : kindOf(type, name);
  return {
    name: name.replace(/\/+$/, ""),
    kind,
    target: extensions["linkpath"] ?? textAt(header, 157, 100),
    sizeBytes: kind === "file" || kind === "other" ? sizeBytes : 0,
    mode: numberAt(header, 100, 8) & 0o7777,
    modifiedSeconds: modified === undefined ? numberAt(header, 136, 12) : Number(modified) || 0,
  };
}

function kindOf(type: string, name: string): TarMember["kind"] {
  switch (type) {
    case "0":
    case "7":
      return "file";
    case "\0":
      // Before POSIX, a slash at the end made a folder.
      return name.endsWith("/") ? "folder" : "file";
    case "1":
      return "same";
    case "2":
      return "link";
    case "5":
      return "folder";
    default:
      return "other";
  }
}

async function copyContent(
  reader: BlockReader,
  sizeBytes: number,
  content: ReturnType<TarSink["member"]>,
): Promise<void> {
  try {
    await reader.copy(sizeBytes, (bytes) => content?.write(bytes));
  } finally {
    content?.close();
  }
  const padding = (BLOCK - (sizeBytes % BLOCK)) % BLOCK;
  await reader.copy(padding, () => undefined);
}

async function headerText(reader: BlockReader, sizeBytes: number): Promise<string> {
  if (sizeBytes > HEADER_BYTES_MAX) throw new TarError("a header is too large");
  const bytes = await reader.take(Math.ceil(sizeBytes / BLOCK) * BLOCK);
  if (bytes === undefined) throw new TarError("it is cut off");
  return new TextDecoder().decode(bytes.subarray(0, sizeBytes));
}

/** Lines of "<length> <key>=<value>"; the length counts bytes, itself included. */
function paxFields(text: string): Extensions {
  const bytes = Buffer.from(text);
  const fields: Record<string, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString("latin1", at, space));
    if (space === -1 || !Number.isInteger(length) || length <= 0 || at + length > bytes.length) {
      throw new TarError("a pax header cannot be read");
    }
    const record = bytes.toString("utf8", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    if (equals > 0) fields[record.slice(0, equals)] = record.slice(equals + 1);
    at += length;
  }
  return fields;
}

/** The sum of the header's bytes, with its own field as spaces; some count them as signed. */
function checkSum(header: Uint8Array): void {
  const expected = numberAt(header, 148, 8);
  let unsigned = 0;
  let signed = 0;
  for (let index = 0; index < BLOCK; index += 1) {
    const byte = index >= 148 && index < 156 ? 0x20 : (header[index] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  if (expected !== unsigned && expected !== signed) throw new TarError("a header is damaged");
}

/** Octal digits, or base 256 after a set top bit (GNU). */
function numberAt(header: Uint8Array, offset: number, length: number): number {
  const field = header.subarray(offset, offset + length);
  const first = field[0] ?? 0;
  // Negative: a time before 1970.
  if (first === 0xff) return 0;
  if ((first & 0x80) !== 0) {
    let value = first & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new TarError("a number is too large");
    return value;
  }
  const text = textAt(header, offset, length).trim();
  if (!/^[0-7]*$/.test(text)) throw new TarError("a number cannot be read");
  return Number.parseInt(text || "0", 8);
}

function textAt(header: Uint8Array, offset: number, length: number): string {
  return beforeZero(new TextDecoder().decode(header.subarray(offset, offset + length)));
}

function beforeZero(text: string): string {
  const end = text.indexOf("\0");
  return end === -1 ? text : text.slice(0, end);
}

/** Bytes of a stream in the portions that are wanted. */
class BlockReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #pending: Uint8Array = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  }

  /** All of them, or undefined at the end of the stream. */
  async take(lengthBytes: number): Promise<Uint8Array | undefined> {
    if (this.#pending.length >= lengthBytes) return this.#cut(lengthBytes);
    const pieces: Uint8Array[] = [];
    let have = 0;
    while (have < lengthBytes) {
      if (this.#pending.length === 0 && !(await this.#fill())) {
        if (have === 0) return undefined;
        throw new TarError("it is cut off");
      }
      const piece = this.#cut(Math.min(this.#pending.length, lengthBytes - have));
      pieces.push(piece);
      have += piece.length;
    }
    return Buffer.concat(pieces);
  }

  async copy(lengthBytes: number, sink: (bytes: Uint8Array) => void): Promise<void> {
    for (let left = lengthBytes; left > 0; ) {
      if (this.#pending.length === 0 && !(await this.#fill())) throw new TarError("it is cut off");
      const piece = this.#cut(Math.min(this.#pending.length, left));
      sink(piece);
      left -= piece.length;
    }
  }

  async close(): Promise<void> {
    try {
      await this.#reader.cancel();
    } catch {
      // What was wanted has been read.
    }
  }

  #cut(lengthBytes: number): Uint8Array {
    const piece = this.#pending.subarray(0, lengthBytes);
    this.#pending = this.#pending.subarray(lengthBytes);
    return piece;
  }

  async #fill(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (done || value === undefined) return false;
    this.#pending = value;
    return true;
  }
}
