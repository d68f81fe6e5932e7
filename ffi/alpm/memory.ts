import { CString, FFIType, type Pointer, read, toArrayBuffer } from "bun:ffi";
import { openLibc } from "../library.ts";

/** Reading what libalpm hands out, and giving back what it expects to be freed. */

type Address = number | bigint | null;

/** struct __alpm_list_t of alpm_list.h, the same in all versions. */
const LIST = { data: 0, next: 16 } as const;

/** More than any database has packages: a list that is longer is no list. */
const LIST_LENGTH_MAX = 10_000_000;

/** A C string; NULL is "". */
export function cText(address: Address): string {
  const at = Number(address ?? 0);
  return at === 0 ? "" : new CString(at as Pointer).toString();
}

/** The text with its NUL at the end, to hand over; it lives as long as JavaScript refers to it. */
export function cBytes(text: string): Uint8Array {
  if (text.includes("\0")) throw new Error("A text for C holds a NUL");
  return Buffer.from(`${text}\0`);
}

/** The pointer that lies `offset` bytes behind an address. */
export function pointerAt(address: number, offset: number): number {
  return read.ptr(address as Pointer, offset);
}

/** The int that lies `offset` bytes behind an address. */
export function intAt(address: number, offset: number): number {
  return read.i32(address as Pointer, offset);
}

/** The off_t that lies `offset` bytes behind an address. */
export function longAt(address: number, offset: number): number {
  return Number(read.i64(address as Pointer, offset));
}

/** Writes an int `offset` bytes behind an address. */
export function writeInt(address: number, offset: number, value: number): void {
  new DataView(toArrayBuffer(address as Pointer, offset, 4)).setInt32(0, value, true);
}

/** The data of each item of an alpm_list_t; NULL is the empty list. */
export function listItems(list: Address): number[] {
  const items: number[] = [];
  let at = Number(list ?? 0);
  while (at !== 0) {
    items.push(pointerAt(at, LIST.data));
    at = pointerAt(at, LIST.next);
    if (items.length > LIST_LENGTH_MAX) throw new Error("A list of libalpm has no end");
  }
  return items;
}

/** The items of a list of strings. */
export function listTexts(list: Address): string[] {
  return listItems(list).map(cText);
}

const symbols = {
  free: { args: ["ptr"], returns: "void" },
  vsnprintf: { args: ["ptr", FFIType.i64_fast, "ptr", "ptr"], returns: "i32" },
} as const;

let libc: ReturnType<typeof openLibc<typeof symbols>> | undefined;

/** free(3). */
export function freeMemory(address: number): void {
  libc ??= openLibc(symbols);
  if (address !== 0) libc.free(address as Pointer);
}

const MESSAGE_BYTES_MAX = 4096;

/**
 * A message of printf(3) with its arguments. On the platforms that are known a va_list is handed
 * over by its address.
 */
export function formattedText(format: number, variables: number): string {
  libc ??= openLibc(symbols);
  const buffer = Buffer.alloc(MESSAGE_BYTES_MAX);
  const length = libc.vsnprintf(buffer, MESSAGE_BYTES_MAX, format as Pointer, variables as Pointer);
  return buffer.toString("utf8", 0, Math.min(Math.max(length, 0), MESSAGE_BYTES_MAX - 1));
}
