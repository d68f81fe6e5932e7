import { Fault } from "../../kit/fault/fault.ts";
import { PARTS, type Part } from "./layout.ts";
import { isId, parseRecord, type SnapshotRecord } from "./record.ts";

/**
 * A snapshot on its way: MAGIC, the length of the header (u32, little endian), the header as JSON,
 * then for each part its stream of `btrfs send` in chunks (u32 length, bytes), ended by a length of
 * 0, and at last SHA-256 over everything before it.
 */
export const MAGIC = Buffer.from("rastos-stream/1\n");

/** Order of the parts in a stream; the root, which makes a snapshot count, comes last. */
export const STREAM_PARTS = ["etc", "var", "root"] as const satisfies readonly Part[];

/** What a part is known by on every machine: the UUID of the subvolume it was first sent from. */
export type PartKeys = Readonly<Record<Part, string>>;

/** What a stream says of itself. */
export interface StreamHeader {
  readonly snapshot: SnapshotRecord;
  readonly keys: PartKeys;
  /** What the receiver must have; undefined: the stream holds everything. */
  readonly parent: PartKeys | undefined;
}

export const HEADER_BYTES_MAX = 1024 * 1024;
export const CHUNK_BYTES_MAX = 4 * 1024 * 1024;

/** The beginning of a stream. */
export function formatHeader(header: StreamHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  return Buffer.concat([MAGIC, lengthBytes(json.length), json]);
}

/** A length as it stands in a stream. */
export function lengthBytes(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(length);
  return bytes;
}

/** @throws {Fault} E_INTEGRITY */
export function parseHeader(text: string): StreamHeader {
  try {
    const { snapshot, keys, parent } = JSON.parse(text) as Record<keyof StreamHeader, unknown>;
    const record = parseRecord(JSON.stringify(snapshot));
    if (record !== undefined && isId(record.id) && areKeys(keys)) {
      if (parent === undefined || areKeys(parent)) return { snapshot: record, keys, parent };
    }
  } catch {
    // Told below.
  }
  throw brokenStream("its header is not understood");
}

function areKeys(value: unknown): value is PartKeys {
  if (typeof value !== "object" || value === null) return false;
  return PARTS.every((part) => /^[0-9a-f-]{36}$/.test(String((value as PartKeys)[part])));
}

/** The fault for a stream that is not what it should be. */
export function brokenStream(why: string): Fault {
  return new Fault({
    code: "E_INTEGRITY",
    message: `Cannot receive the snapshot: ${why}`,
    hint: "send it again; nothing was kept of it",
  });
}
