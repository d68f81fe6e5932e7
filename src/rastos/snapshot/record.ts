import { errno } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { must } from "./fault.ts";
import type { Snapshot } from "./types.ts";

/**
 * The record of a snapshot: what is needed to build the state anew without the state. It is an
 * extended attribute of its root or, where the root was never writable, of the folder of all roots
 * (`user.rastos.snapshot-7`). No file: an attribute is in the same commit as the subvolume that is
 * made after it, while the bytes of a file would have to be waited for.
 */
export type SnapshotRecord = Pick<
  Snapshot,
  "id" | "parent" | "branch" | "description" | "createdMs" | "system"
>;

const NAME = "user.rastos.snapshot";

/** Extended attributes of btrfs fit into one node of 16 KiB; longer system files are left out. */
const VALUE_BYTES_MAX = 12_000;

/**
 * Writes the record; the subvolume must be writable.
 *
 * @param name `user.rastos.snapshot`, or what {@link nameBeside} says for the folder of all roots
 * @throws {Fault}
 */
export function writeRecord(fd: number, record: SnapshotRecord, name = NAME): void {
  let value = Buffer.from(JSON.stringify(record));
  if (value.length > VALUE_BYTES_MAX) {
    value = Buffer.from(JSON.stringify({ ...record, system: undefined }));
  }
  const memory = scratch();
  const at = placeName(memory, name);
  memory.bytes.set(value, at);
  const result = sys.fsetxattr(fd, memory.pointer, memory.pointer + at, value.length, 0);
  must(result, `write the record of snapshot ${record.id}`);
}

/** Reads the record; undefined where there is none, or nothing that is understood. */
export function readRecord(fd: number, name = NAME): SnapshotRecord | undefined {
  const memory = scratch();
  const at = placeName(memory, name);
  const got = sys.fgetxattr(fd, memory.pointer, memory.pointer + at, MEMORY_BYTES - at);
  if (got === -errno.ENODATA || got === -errno.EOPNOTSUPP) return undefined;
  must(got, "read the record of a snapshot");
  return parseRecord(Buffer.from(memory.bytes.slice(at, at + got)).toString("utf8"));
}

/** Whether there is a record, understood or not. @throws {Fault} */
export function hasRecord(fd: number, name: string): boolean {
  const memory = scratch();
  placeName(memory, name);
  const got = sys.fgetxattr(fd, memory.pointer, memory.pointer, 0);
  if (got === -errno.ENODATA || got === -errno.EOPNOTSUPP) return false;
  return must(got, "read the record of a snapshot") >= 0;
}

/** Removes a record; one that is not there is fine. @throws {Fault} */
export function removeRecord(fd: number, name: string): void {
  const memory = scratch();
  placeName(memory, name);
  const result = sys.fremovexattr(fd, memory.pointer);
  if (result !== -errno.ENODATA) must(result, "remove the record of a snapshot");
}

/** The name under which the folder of all roots has the record of one. */
export function nameBeside(id: number): string {
  return `${NAME}-${id}`;
}

/** More than any extended attribute of btrfs can hold. */
const MEMORY_BYTES = 32768;

let block: Memory | undefined;

function scratch(): Memory {
  block ??= new Memory(MEMORY_BYTES);
  return block;
}

function placeName(memory: Memory, name: string): number {
  const bytes = Buffer.from(`${name}\0`);
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
