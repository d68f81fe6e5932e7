import { type BigIntStats, closeSync, lstatSync, openSync, readlinkSync, readSync } from "node:fs";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import type { FileAspect, FileType } from "./file-change.ts";

/** The status of a file, not through a link; undefined where there is none. Path in latin1. */
export function statusOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(Buffer.from(path, "latin1"), { bigint: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** What a status is that of. */
export function typeOf(status: BigIntStats): FileType {
  if (status.isFile()) return "file";
  if (status.isDirectory()) return "folder";
  if (status.isSymbolicLink()) return "link";
  return status.isBlockDevice() || status.isCharacterDevice() ? "device" : "other";
}

/** What of a file differs between two places; times do not count. */
export function compareFile(
  a: { readonly path: string; readonly status: BigIntStats },
  b: { readonly path: string; readonly status: BigIntStats },
): FileAspect[] {
  const type = typeOf(a.status);
  if (type !== typeOf(b.status)) return ["type"];
  const aspects: FileAspect[] = [];
  if (type === "file" && !isSameContent(a, b)) aspects.push("content");
  if (type === "link" && targetOf(a.path) !== targetOf(b.path)) aspects.push("target");
  if (type === "device" && a.status.rdev !== b.status.rdev) aspects.push("device");
  // The bits of a link mean nothing.
  if (type !== "link" && a.status.mode !== b.status.mode) aspects.push("mode");
  const isSameOwner = a.status.uid === b.status.uid && a.status.gid === b.status.gid;
  if (!isSameOwner) aspects.push("owner");
  if (attributesOf(a.path) !== attributesOf(b.path)) aspects.push("attributes");
  return aspects;
}

function targetOf(path: string): string {
  return readlinkSync(Buffer.from(path, "latin1"), { encoding: "buffer" }).toString("latin1");
}

const CHUNK_BYTES = 256 * 1024;
const chunks = { a: Buffer.alloc(0), b: Buffer.alloc(0) };

function isSameContent(
  a: { readonly path: string; readonly status: BigIntStats },
  b: { readonly path: string; readonly status: BigIntStats },
): boolean {
  if (a.status.size !== b.status.size) return false;
  if (chunks.a.length === 0) Object.assign(chunks, { a: chunk(), b: chunk() });
  const first = openSync(Buffer.from(a.path, "latin1"), "r");
  try {
    const second = openSync(Buffer.from(b.path, "latin1"), "r");
    try {
      for (;;) {
        const [got, other] = [readSync(first, chunks.a), readSync(second, chunks.b)];
        // On one file system short reads come only at the end.
        if (got !== other) return false;
        if (got === 0) return true;
        if (!chunks.a.subarray(0, got).equals(chunks.b.subarray(0, got))) return false;
      }
    } finally {
      closeSync(second);
    }
  } finally {
    closeSync(first);
  }
}

function chunk(): Buffer {
  return Buffer.alloc(CHUNK_BYTES);
}

/** The record is the snapshot's, no part of the system in it. */
const OWN_ATTRIBUTE = "user.rastos.snapshot";

let memory: Memory | undefined;

/** All extended attributes as one text that is equal where they are. */
function attributesOf(path: string): string {
  const size = 65536;
  memory ??= new Memory(3 * size);
  const { bytes, pointer, text } = memory;
  const place = (value: string, at: number): number => {
    bytes.set(Buffer.from(`${value}\0`, "latin1"), at);
    return pointer + at;
  };
  const pathAt = place(path, 0);
  const got = sys.llistxattr(pathAt, pointer + size, size);
  if (got <= 0) return "";
  const names = text.latin1Slice(size, size + got - 1).split("\0");
  return names
    .filter((name) => name !== OWN_ATTRIBUTE)
    .sort()
    .map((name) => {
      const nameAt = place(name, size);
      const length = sys.lgetxattr(pathAt, nameAt, pointer + 2 * size, size);
      return `${name}=${text.latin1Slice(2 * size, 2 * size + Math.max(length, 0))}`;
    })
    .join("\0");
}
