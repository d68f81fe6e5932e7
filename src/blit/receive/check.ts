import { Fault } from "../../kit/fault/fault.ts";
import { NAME_BYTES_MAX, PATH_BYTES_MAX } from "../wire/frame.ts";

/** What comes from the other side is looked at here before it is used. */

/** Ends the session: the other side does not keep the protocol. @throws Fault E_INTEGRITY */
export function broken(what: string): never {
  throw new Fault({
    code: "E_INTEGRITY",
    message: `Cannot go on with the transfer: the source sent ${what}`,
    hint: "what was complete stays; both sides should have the same version of blit",
  });
}

const slash = 47;
const dot = 46;

/** Whether bytes are the name of one entry: no way up, no way down, nothing after a NUL. */
export function isNameAt(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length < 1 || length > NAME_BYTES_MAX) return false;
  const isDot = bytes[offset] === dot;
  if (isDot && (length === 1 || (length === 2 && bytes[offset + 1] === dot))) return false;
  for (let i = offset; i < offset + length; i++) {
    const byte = bytes[i] as number;
    if (byte === 0 || byte === slash) return false;
  }
  return true;
}

/** The same for text, latin1. */
export function isName(name: string): boolean {
  if (name.length < 1 || name.length > NAME_BYTES_MAX || name === "." || name === "..")
    return false;
  return !name.includes("/") && !name.includes("\0");
}

/** Whether a path leads from a root to a folder below it, by plain names; "" is the root. */
export function isPathBelow(path: string): boolean {
  if (path === "") return true;
  return path.length <= PATH_BYTES_MAX && path.split("/").every(isName);
}

/** An unsigned 64-bit number, which has to be one that JavaScript can tell apart from others. */
export function readU64(view: DataView, offset: number): number {
  const value = view.getUint32(offset + 4, true) * 4294967296 + view.getUint32(offset, true);
  if (value > Number.MAX_SAFE_INTEGER) broken("a number above 2^53");
  return value;
}
