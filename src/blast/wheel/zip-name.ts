import { DEPTH_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX } from "./limits.ts";

/**
 * Names of zip members: their two encodings (APPNOTE.TXT, appendix D), and which of them may become
 * paths below a folder.
 */

/** Characters 128 to 255 of IBM code page 437. */
const CP437_HIGH =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
  "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A member's name, from the bytes `start` to `end`, as text. `isUtf8` is bit 11 of its flags;
 * without it the name is code page 437. Undefined: the bytes are no UTF-8.
 */
export function decodeName(
  bytes: Buffer,
  start: number,
  end: number,
  isUtf8: boolean,
): string | undefined {
  if (isAscii(bytes, start, end)) return bytes.toString("latin1", start, end);
  if (isUtf8) {
    try {
      return utf8.decode(bytes.subarray(start, end));
    } catch {
      return undefined;
    }
  }
  return Array.from(bytes.subarray(start, end), (byte) =>
    byte < 128 ? String.fromCharCode(byte) : CP437_HIGH[byte - 128],
  ).join("");
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((bytes[i] as number) > 127) return false;
  return true;
}

// C0, DEL and C1: no file needs them, and every listing would suffer from them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Why a member's path (without the slash that marks a folder) must not be made below a folder;
 * undefined where it may. Only the plainest form is taken, so that no two programs can read one
 * name in two ways.
 */
export function nameProblem(path: string): string | undefined {
  if (path === "") return "it has no name";
  if (CONTROL.test(path)) return "its name holds a control character";
  if (path.includes("\\")) return "its name holds a backslash";
  if (path.startsWith("/")) return "its path is absolute";
  if (/^[A-Za-z]:/.test(path)) return "its path starts with a drive letter";
  const parts = path.split("/");
  if (parts.includes("..")) return 'its path leads out by ".."';
  if (parts.includes("") || parts.includes(".")) return "its path is not in its plainest form";
  if (parts.length > DEPTH_MAX) return `it lies more than ${DEPTH_MAX} folders deep`;
  // Most paths are so short that even as four-byte characters they fit.
  if (path.length * 4 <= NAME_BYTES_MAX) return undefined;
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) return "its path is too long";
  if (parts.some((part) => Buffer.byteLength(part) > NAME_BYTES_MAX)) {
    return "a name of its path is too long";
  }
  return undefined;
}
