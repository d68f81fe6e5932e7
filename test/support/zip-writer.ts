import { deflateRawSync } from "node:zlib";

/** A member of an archive that a test makes; every number of its headers can be made a lie. */
export interface ZipEntry {
  readonly name: string | Uint8Array;
  readonly content?: string | Uint8Array;
  /** Default: deflated. */
  readonly stored?: boolean;
  /** Unix permission bits, with a type if it matters. Default 0o100644. */
  readonly mode?: number;
  /** The sizes stand behind the data, as streaming writers do it. */
  readonly descriptor?: boolean;
  /** Sizes and offset in zip64 fields. */
  readonly zip64?: boolean;
  /** Stands right before the local header, unknown to the directory. */
  readonly before?: Uint8Array;
  /** Fields as they stand in both headers. */
  readonly fields?: Partial<HeaderFields>;
  /** Fields as they stand in the local header only, and in the central one only. */
  readonly local?: Partial<HeaderFields>;
  readonly central?: Partial<HeaderFields>;
}

export interface HeaderFields {
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  readonly name: Uint8Array;
  readonly extra: Uint8Array;
  readonly offset: number;
  readonly disk: number;
  readonly externalAttributes: number;
}

export interface ZipOptions {
  readonly prefix?: Uint8Array;
  readonly suffix?: Uint8Array;
  readonly comment?: Uint8Array;
  /** An end record of zip64, with its locator. */
  readonly zip64?: boolean;
  /** Changes the end record's bytes before they are written. */
  readonly end?: (record: DataView) => void;
  readonly end64?: (record: DataView) => void;
}

const UTF8_FLAG = 0x800;
const DESCRIPTOR_FLAG = 8;
const LIMIT_32 = 0xffffffff;

/** The bytes of a zip archive. */
export function writeZip(entries: readonly ZipEntry[], options: ZipOptions = {}): Buffer {
  const parts: Uint8Array[] = [options.prefix ?? Buffer.alloc(0)];
  const central: Uint8Array[] = [];
  let offset = parts[0]?.length ?? 0;
  for (const entry of entries) {
    if (entry.before !== undefined) {
      parts.push(entry.before);
      offset += entry.before.length;
    }
    const content = bytesOf(entry.content ?? "");
    const data = entry.stored === true ? content : deflateRawSync(content);
    const name = bytesOf(entry.name);
    const fields: HeaderFields = {
      flags: flagsOf(entry, name),
      method: entry.stored === true ? 0 : 8,
      crc32: Bun.hash.crc32(content),
      compressedBytes: data.length,
      sizeBytes: content.length,
      name,
      extra: Buffer.alloc(0),
      offset,
      disk: 0,
      externalAttributes: ((entry.mode ?? 0o100644) << 16) >>> 0,
      ...entry.fields,
    };
    const hidden = entry.descriptor === true ? { crc32: 0, compressedBytes: 0, sizeBytes: 0 } : {};
    const header = localHeader({ ...fields, ...hidden, ...entry.local });
    const behind = entry.descriptor === true ? descriptorOf(fields) : Buffer.alloc(0);
    parts.push(header, data, behind);
    offset += header.length + data.length + behind.length;
    central.push(centralHeader({ ...fields, ...entry.central }, entry.zip64 === true));
  }
  const directory = Buffer.concat(central);
  const end = endRecords(entries.length, directory.length, offset, options);
  return Buffer.concat([...parts, directory, ...end, options.suffix ?? Buffer.alloc(0)]);
}

function flagsOf(entry: ZipEntry, name: Uint8Array): number {
  const isText = typeof entry.name === "string" && name.some((byte) => byte > 127);
  return (isText ? UTF8_FLAG : 0) | (entry.descriptor === true ? DESCRIPTOR_FLAG : 0);
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? Buffer.from(content) : content;
}

function localHeader(fields: HeaderFields): Buffer {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(20, 4);
  writeCommon(head, 6, fields);
  return Buffer.concat([head, fields.name, fields.extra]);
}

/** What both headers have in the same order. */
function writeCommon(head: Buffer, at: number, fields: HeaderFields): void {
  head.writeUInt16LE(fields.flags, at);
  head.writeUInt16LE(fields.method, at + 2);
  head.writeUInt32LE(fields.crc32, at + 8);
  head.writeUInt32LE(fields.compressedBytes, at + 12);
  head.writeUInt32LE(fields.sizeBytes, at + 16);
  head.writeUInt16LE(fields.name.length, at + 20);
  head.writeUInt16LE(fields.extra.length, at + 22);
}

function centralHeader(fields: HeaderFields, zip64: boolean): Buffer {
  const head = Buffer.alloc(46);
  let { extra } = fields;
  if (zip64) {
    const field = Buffer.alloc(28);
    field.writeUInt16LE(1, 0);
    field.writeUInt16LE(24, 2);
    field.writeBigUInt64LE(BigInt(fields.sizeBytes), 4);
    field.writeBigUInt64LE(BigInt(fields.compressedBytes), 12);
    field.writeBigUInt64LE(BigInt(fields.offset), 20);
    extra = Buffer.concat([fields.extra, field]);
  }
  const limit = zip64 ? { compressedBytes: LIMIT_32, sizeBytes: LIMIT_32, offset: LIMIT_32 } : {};
  const written = { ...fields, ...limit, extra };
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE(0x0314, 4);
  head.writeUInt16LE(20, 6);
  writeCommon(head, 8, written);
  head.writeUInt16LE(fields.disk, 34);
  head.writeUInt32LE(fields.externalAttributes, 38);
  head.writeUInt32LE(written.offset, 42);
  return Buffer.concat([head, fields.name, extra]);
}

function descriptorOf(fields: HeaderFields): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(0x08074b50, 0);
  bytes.writeUInt32LE(fields.crc32, 4);
  bytes.writeUInt32LE(fields.compressedBytes, 8);
  bytes.writeUInt32LE(fields.sizeBytes, 12);
  return bytes;
}

function endRecords(
  entries: number,
  lengthBytes: number,
  offset: number,
  options: ZipOptions,
): Buffer[] {
  const comment = options.comment ?? Buffer.alloc(0);
  const end = Buffer.alloc(22);
  const isLarge = options.zip64 === true;
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(isLarge ? 0xffff : entries, 8);
  end.writeUInt16LE(isLarge ? 0xffff : entries, 10);
  end.writeUInt32LE(isLarge ? LIMIT_32 : lengthBytes, 12);
  end.writeUInt32LE(isLarge ? LIMIT_32 : offset, 16);
  end.writeUInt16LE(comment.length, 20);
  options.end?.(viewOf(end));
  const tail = [end, Buffer.from(comment)];
  if (!isLarge) return tail;
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(BigInt(entries), 24);
  end64.writeBigUInt64LE(BigInt(entries), 32);
  end64.writeBigUInt64LE(BigInt(lengthBytes), 40);
  end64.writeBigUInt64LE(BigInt(offset), 48);
  options.end64?.(viewOf(end64));
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + lengthBytes), 8);
  locator.writeUInt32LE(1, 16);
  return [end64, locator, ...tail];
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
