import { brokenStream } from "./stream-format.ts";

/** The beginning of a stream of `btrfs send` (linux/btrfs send.h): magic, version. */
const STREAM_MAGIC = Buffer.from("btrfs-stream\0");
const STREAM_HEADER_BYTES = STREAM_MAGIC.length + 4;

/** A command: length of its attributes (u32), its kind (u16), CRC-32C over all of it (u32). */
const COMMAND_HEADER_BYTES = 10;
const COMMAND_KINDS: readonly number[] = [1, 2];
const COMMAND_BYTES_MAX = 64 * 1024;
const PATH_ATTRIBUTE = 15;

/** How many bytes {@link renameStream} needs at least; more where it says so. */
export const RENAME_BYTES_MIN = STREAM_HEADER_BYTES + COMMAND_HEADER_BYTES;

/** How many bytes the first command ends at. @throws {Fault} E_INTEGRITY */
export function firstCommandEnd(start: Buffer): number {
  const isStream = start.subarray(0, STREAM_MAGIC.length).equals(STREAM_MAGIC);
  if (start.length < RENAME_BYTES_MIN || !isStream) throw brokenStream("it holds no btrfs stream");
  const kind = start.readUInt16LE(STREAM_HEADER_BYTES + 4);
  const length = start.readUInt32LE(STREAM_HEADER_BYTES);
  if (!COMMAND_KINDS.includes(kind) || length > COMMAND_BYTES_MAX) {
    throw brokenStream("its btrfs stream does not begin with a subvolume");
  }
  return RENAME_BYTES_MIN + length;
}

/**
 * The beginning of a stream with another name for the subvolume that it makes: the sender's names
 * mean something else here.
 *
 * @param start up to {@link firstCommandEnd}
 * @throws {Fault} E_INTEGRITY
 */
export function renameStream(start: Buffer, name: string): Buffer {
  const attributes: Buffer[] = [];
  let hasPath = false;
  for (let at = RENAME_BYTES_MIN; at < start.length; ) {
    if (at + 4 > start.length) throw brokenStream("its btrfs stream is damaged");
    const kind = start.readUInt16LE(at);
    const end = at + 4 + start.readUInt16LE(at + 2);
    if (end > start.length) throw brokenStream("its btrfs stream is damaged");
    if (kind === PATH_ATTRIBUTE) {
      const header = Buffer.alloc(4);
      header.writeUInt16LE(PATH_ATTRIBUTE, 0);
      header.writeUInt16LE(Buffer.byteLength(name), 2);
      attributes.push(header, Buffer.from(name));
      hasPath = true;
    } else attributes.push(start.subarray(at, end));
    at = end;
  }
  if (!hasPath) throw brokenStream("its btrfs stream names no subvolume");
  const body = Buffer.concat(attributes);
  const header = Buffer.from(start.subarray(STREAM_HEADER_BYTES, RENAME_BYTES_MIN));
  header.writeUInt32LE(body.length, 0);
  header.writeUInt32LE(0, 6);
  header.writeUInt32LE(crc32c(Buffer.concat([header, body])), 6);
  return Buffer.concat([start.subarray(0, STREAM_HEADER_BYTES), header, body]);
}

const POLYNOMIAL = 0x82f63b78;

/** CRC-32C as the kernel's `crc32c(0, …)`: neither inverted before nor after. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : POLYNOMIAL);
  }
  return crc >>> 0;
}
