import { Fault } from "../../kit/fault/fault.ts";
import { PATH_BYTES_MAX } from "../wire/frame.ts";

/** What a peer has sent cannot be: the transfer ends. */
export function violation(what: string): Fault {
  return new Fault({
    code: "E_INTEGRITY",
    message: `The other side has sent what the protocol does not allow: ${what}`,
    hint: "are both sides of the same version of blit?",
  });
}

/**
 * A 64-bit number as one that keeps its value.
 *
 * @throws Fault E_INTEGRITY above 2^53 - 1
 */
export function safeNumber(value: bigint, what: string): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw violation(`${what} of ${value}`);
  return Number(value);
}

/** A name or path, one character per byte, as the bytes that go over the wire. */
export function bytesOfPath(path: string): Uint8Array {
  return new Uint8Array(Buffer.from(path, "latin1"));
}

/**
 * A name or path that came over the wire, one character per byte. What it leads to is for those who
 * open it to check.
 *
 * @throws Fault E_INTEGRITY when it is too long or holds a NUL
 */
export function pathOfBytes(bytes: Uint8Array, what: string): string {
  if (bytes.length > PATH_BYTES_MAX) throw violation(`${what} of ${bytes.length} bytes`);
  if (bytes.includes(0)) throw violation(`${what} with a NUL in it`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** @throws Fault E_INTEGRITY unless the list has at most so many members */
export function bounded<T>(list: readonly T[], max: number, what: string): readonly T[] {
  if (list.length > max) throw violation(`${list.length} ${what}`);
  return list;
}
