/**
 * File names are bytes; patterns are typed as text. This turns the byte strings of the engine
 * (latin1: one char per byte) into text without ever losing a byte: what is valid UTF-8 is
 * decoded, and each byte that is not becomes one lone surrogate U+DC80..U+DCFF, as Python's
 * "surrogateescape" does. Text that a user can type never holds a lone surrogate, so an invalid
 * byte only ever matches a wildcard, and two different names never become the same text.
 */

const ESCAPE_BASE = 0xdc00;
const ENCODER = new TextEncoder();
// biome-ignore lint/suspicious/noControlCharactersInRegex: every byte below 0x80 is ASCII
const ASCII_ONLY = /^[\x00-\x7f]*$/;

/** The text of a name or path given as latin1 string (one char per byte). Never throws. */
export function textOfName(latin1: string): string {
  if (ASCII_ONLY.test(latin1)) return latin1;
  let text = "";
  let index = 0;
  while (index < latin1.length) {
    const byte = latin1.charCodeAt(index);
    if (byte < 0x80) {
      text += latin1[index];
      index += 1;
      continue;
    }
    const length = sequenceLength(latin1, index, byte);
    if (length === 0) {
      text += String.fromCharCode(ESCAPE_BASE + byte);
      index += 1;
      continue;
    }
    text += String.fromCodePoint(codePointAt(latin1, index, length, byte));
    index += length;
  }
  return text;
}

/** The text of the bytes of a file, with the same treatment of invalid UTF-8. Never throws. */
export function textOfBytes(bytes: Uint8Array): string {
  let latin1 = "";
  const step = 8192; // fromCharCode takes its characters as arguments: a bounded number of them
  for (let at = 0; at < bytes.length; at += step) {
    latin1 += String.fromCharCode(...bytes.subarray(at, at + step));
  }
  return textOfName(latin1);
}

/** Length of the valid UTF-8 sequence at `index`, or 0 (RFC 3629, table 3-7 of Unicode). */
function sequenceLength(latin1: string, index: number, lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 0; // a stray continuation, overlong, or beyond U+10FFFF
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (index + length > latin1.length) return 0;
  const second = latin1.charCodeAt(index + 1);
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let at = index + 2; at < index + length; at += 1) {
    if ((latin1.charCodeAt(at) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

function codePointAt(latin1: string, index: number, length: number, lead: number): number {
  let point = lead & (0x7f >> length);
  for (let at = index + 1; at < index + length; at += 1) {
    point = (point << 6) | (latin1.charCodeAt(at) & 0x3f);
  }
  return point;
}

/** The bytes of a text as latin1 string: the inverse of `textOfName`. */
export function nameOfText(text: string): string {
  let latin1 = "";
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x80) latin1 += char;
    else if (code >= ESCAPE_BASE + 0x80 && code <= ESCAPE_BASE + 0xff) {
      latin1 += String.fromCharCode(code - ESCAPE_BASE);
    } else latin1 += String.fromCharCode(...ENCODER.encode(char));
  }
  return latin1;
}
