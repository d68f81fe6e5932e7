/**
 * Reads tar archives as they arrive: ustar, GNU's long names, pax headers (POSIX.1-2001). Checks
 * what it reads and trusts nothing; what to do with the names is for the caller.
 */

/** One thing in an archive. */
export interface TarMember {
  /** As the archive says it: may be absolute, or lead outside. */
  readonly path: string;
  readonly kind: "file" | "folder" | "symlink" | "hardlink" | "other";
  /** Permission bits, with set-id and sticky. */
  readonly mode: number;
  readonly sizeBytes: number;
  /** Seconds since 1970; 0 where the archive does not say it. */
  readonly modifiedSeconds: number;
  /** Of links. */
  readonly target: string;
  /** The bytes of a file; may be left unread, but not after the next member was asked for. */
  content(): AsyncGenerator<Uint8Array>;
}

/** An archive that is cut short, damaged or not tar at all. */
export class TarError extends Error {
  override name = "TarError";
}

const BLOCK = 512;
/** Of names and pax headers: more is an attack. */
const HEADER_BYTES_MAX = 1024 * 1024;

const KINDS: Readonly<Record<string, TarMember["kind"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "5": "folder",
};

/**
 * The members of an archive, in its order.
 *
 * @param chunks the archive, not compressed
 * @throws {TarError}
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember> {
  const reader = new BlockReader(chunks[Symbol.asyncIterator]());
  let global: Extra = {};
  let extra: Extra = {};
  for (;;) {
    const header = await reader.take(BLOCK);
    if (header === undefined || header.every((byte) => byte === 0)) return;
    checkSum(header);
    const type = String.fromCharCode(header[156] ?? 0);
    const sizeBytes = numberAt(header, 124, 12);
    if (type === "g" || type === "x") {
      const read = paxHeader(await reader.text(sizeBytes));
      if (type === "g") global = { ...global, ...read };
      else extra = { ...extra, ...read };
      continue;
    }
    if (type === "L" || type === "K") {
      const name = (await reader.text(sizeBytes)).toString("utf8").replace(/\0.*$/s, "");
      extra = { ...extra, [type === "L" ? "path" : "linkpath"]: name };
      continue;
    }
    const member = memberOf(header, type, { ...global, ...extra }, reader);
    extra = {};
    yield member;
    await reader.skipRest();
  }
}

interface Extra {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: string;
  readonly mtime?: string;
}

function memberOf(header: Buffer, type: string, extra: Extra, reader: BlockReader): TarMember {
  const prefix = textAt(header, 257, 5) === "ustar" ? textAt(header, 345, 155) : "";
  const name = textAt(header, 0, 100);
  const path = extra.path ?? (prefix === "" ? name : `${prefix}/${name}`);
  const oldFolder = type === "\0" && path.endsWith("/");
  const kind = oldFolder ? "folder" : (KINDS[type] ?? "other");
  const size = extra.size === undefined ? numberAt(header, 124, 12) : Number(extra.size);
  if (!Number.isSafeInteger(size) || size < 0) throw new TarError("a size is no number");
  // Only files have content; some writers give links the size of their target.
  const sizeBytes = kind === "file" || kind === "other" ? size : 0;
  reader.begin(sizeBytes);
  return {
    path,
    kind,
    mode: numberAt(header, 100, 8) & 0o7777,
    sizeBytes: kind === "file" ? sizeBytes : 0,
    modifiedSeconds: Math.max(0, Number(extra.mtime ?? numberAt(header, 136, 12)) || 0),
    target: extra.linkpath ?? textAt(header, 157, 100),
    content: () => reader.content(),
  };
}

/** Records of the form `<length> <key>=<value>\n`, the length in bytes. */
function paxHeader(bytes: Buffer): Extra {
  const found: Record<string, string> = {};
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString("latin1", at, space));
    if (space === -1 || !Number.isSafeInteger(length) || length <= space - at) {
      throw new TarError("a pax header is damaged");
    }
    const record = bytes.toString("utf8", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    const key = record.slice(0, equals);
    if (["path", "linkpath", "size", "mtime"].includes(key)) {
      found[key] = record.slice(equals + 1);
    }
    at += length;
  }
  return found;
}

/** The sum of all bytes, the sum's own field taken as spaces; old writers added signed bytes. */
function checkSum(header: Buffer): void {
  const wanted = numberAt(header, 148, 8);
  let sum = 0;
  let signed = 0;
  for (const [index, byte] of header.entries()) {
    const counted = index >= 148 && index < 156 ? 0x20 : byte;
    sum += counted;
    signed += counted > 127 ? counted - 256 : counted;
  }
  if (wanted !== sum && wanted !== signed) {
    throw new TarError("it is no tar archive, or it is damaged");
  }
}

/** Octal digits, or GNU's base 256 when the first bit is set. */
function numberAt(header: Buffer, offset: number, length: number): number {
  const field = header.subarray(offset, offset + length);
  if (((field[0] ?? 0) & 0x80) !== 0) {
    // A negative one: a time before 1970.
    if (field[0] === 0xff) return 0;
    let value = (field[0] ?? 0) & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return value;
  }
  const digits = field
    .toString("latin1")
    .replace(/[\0 ]+$/, "")
    .trimStart();
  if (!/^[0-7]*$/.test(digits)) throw new TarError("a number in a header is damaged");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function textAt(header: Buffer, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? length : end);
}

/** Whole blocks out of pieces of any size. */
class BlockReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #buffer: Buffer = Buffer.alloc(0);
  #restBytes = 0;
  #paddingBytes = 0;

  constructor(source: AsyncIterator<Uint8Array>) {
    this.#source = source;
  }

  /** Exactly so many bytes; undefined at the end of the archive. */
  async take(length: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const part = await this.#some(missing);
      if (part === undefined) {
        if (missing === length) return undefined;
        throw new TarError("it ends too early");
      }
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  /** The content of a header's own data, padding taken off. */
  async text(sizeBytes: number): Promise<Buffer> {
    if (sizeBytes > HEADER_BYTES_MAX) throw new TarError("a header is absurdly long");
    this.begin(sizeBytes);
    const parts: Uint8Array[] = [];
    for await (const part of this.content()) parts.push(part);
    await this.skipRest();
    return Buffer.concat(parts);
  }

  begin(sizeBytes: number): void {
    this.#restBytes = sizeBytes;
    this.#paddingBytes = (BLOCK - (sizeBytes % BLOCK)) % BLOCK;
  }

  async *content(): AsyncGenerator<Uint8Array> {
    while (this.#restBytes > 0) {
      const part = await this.#some(this.#restBytes);
      if (part === undefined) throw new TarError("it ends too early");
      this.#restBytes -= part.length;
      yield part;
    }
  }

  async skipRest(): Promise<void> {
    for await (const _ of this.content()) {
      // What nobody wanted.
    }
    // Some writers leave the padding of the very last member out.
    let padding = this.#paddingBytes;
    this.#paddingBytes = 0;
    while (padding > 0) {
      const part = await this.#some(padding);
      if (part === undefined) return;
      padding -= part.length;
    }
  }

  async #some(lengthMax: number): Promise<Buffer | undefined> {
    while (this.#buffer.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      this.#buffer = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    const part = this.#buffer.subarray(0, lengthMax);
    this.#buffer = this.#buffer.subarray(part.length);
    return part;
  }
}
