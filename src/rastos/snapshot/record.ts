import { errno } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { must } from "./fault.ts";
import type { Snapshot } from "./types.ts";

/**
 * The record that a snapshot carries in itself, as an extended attribute of its root: what is
 * needed to build the state anew without the state.
 */
export type SnapshotRecord = Pick<
  Snapshot,
  "id" | "parent" | "branch" | "description" | "createdMs" | "system"
>;

const NAME = "user.rastos.snapshot";

/** Extended attributes of btrfs fit into one node of 16 KiB; longer system files are left out. */
const VALUE_BYTES_MAX = 12_000;

/** Writes the record; the subvolume must be writable. @throws {Fault} */
export function writeRecord(fd: number, record: SnapshotRecord): void {
  let value = Buffer.from(JSON.stringify(record));
  if (value.length > VALUE_BYTES_MAX) {
    value = Buffer.from(JSON.stringify({ ...record, system: undefined }));
  }
  const memory = scratch();
  const name = placeName(memory);
  memory.bytes.set(value, name);
  const result = sys.fsetxattr(fd, memory.pointer, memory.pointer + name, value.length, 0);
  must(result, `write the record of snapshot ${record.id}`);
}

/** Reads the record; undefined where there is none, or nothing that is understood. */
export function readRecord(fd: number): SnapshotRecord | undefined {
  const memory = scratch();
  const name = placeName(memory);
  const room = MEMORY_BYTES - name;
  const got = sys.fgetxattr(fd, memory.pointer, memory.pointer + name, room);
  if (got === -errno.ENODATA || got === -errno.EOPNOTSUPP) return undefined;
  must(got, "read the record of a snapshot");
  return parseRecord(Buffer.from(memory.bytes.slice(name, name + got)).toString("utf8"));
}

/** More than any extended attribute of btrfs can hold. */
const MEMORY_BYTES = 32768;

let block: Memory | undefined;

function scratch(): Memory {
  block ??= new Memory(MEMORY_BYTES);
  return block;
}

function placeName(memory: Memory): number {
  const bytes = Buffer.from(`${NAME}\0`);
  memory.bytes.set(bytes);
  return bytes.length;
}

/** A record from its text; it may come from another machine, so nothing in it is believed. */
export function parseRecord(text: string): SnapshotRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { id, parent, branch, description, createdMs, system } = value as Record<string, unknown>;
  if (!isId(id) || typeof createdMs !== "number" || !Number.isFinite(createdMs)) return undefined;
  return {
    id,
    parent: isId(parent) ? parent : undefined,
    branch: typeof branch === "string" ? branch : undefined,
    description: typeof description === "string" ? description : "",
    createdMs,
    system: typeof system === "string" ? system : undefined,
  };
}

/** Whether this is the number of a snapshot or a deployment. */
export function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 1e9;
}
