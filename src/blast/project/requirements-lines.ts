/**
 * A requirements file's bytes to logical lines, by pip's rules: encodings, continuation lines,
 * comments, `${VARIABLE}`. Pure.
 */
import type { Environment } from "../../kit/config/paths.ts";
import { PepError, quote } from "../pep/error.ts";
import { isWhitespace, trim } from "../pep/whitespace.ts";

/** A line after joining, without comment. */
export interface LogicalLine {
  /** Of its first physical line, from 1. */
  readonly number: number;
  readonly text: string;
}

/** The places at which Python's `str.splitlines` ends a line. */
const LINE_END =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

/** The lines that say something. Variables that are unset or empty stay as they are written. */
export function logicalLines(text: string, environment: Environment): LogicalLine[] {
  const lines: LogicalLine[] = [];
  for (const { number, text: joined } of joinLines(text.split(LINE_END))) {
    const plain = trim(withoutComment(joined));
    if (plain !== "") lines.push({ number, text: expandVariables(plain, environment) });
  }
  return lines;
}

/** A backslash at the end joins with the next line; comment lines never continue. */
function* joinLines(physical: readonly string[]): Generator<LogicalLine> {
  let parts: string[] = [];
  let first = 0;
  for (const [index, line] of physical.entries()) {
    const isComment = trim(line).startsWith("#");
    if (line.endsWith("\\") && !isComment) {
      if (parts.length === 0) first = index + 1;
      parts.push(line.replace(/^\\+|\\+$/g, ""));
      continue;
    }
    // The blank makes a comment of it wherever it is joined to.
    const piece = isComment ? ` ${line}` : line;
    if (parts.length > 0) yield { number: first, text: [...parts, piece].join("") };
    else yield { number: index + 1, text: piece };
    parts = [];
  }
  if (parts.length > 0) yield { number: first, text: parts.join("") };
}

/** A comment begins at a `#` that starts the line or follows a blank. */
function withoutComment(line: string): string {
  for (let at = line.indexOf("#"); at >= 0; at = line.indexOf("#", at + 1)) {
    if (at === 0 || isWhitespace(line.charCodeAt(at - 1))) return line.slice(0, at);
  }
  return line;
}

function expandVariables(line: string, environment: Environment): string {
  let result = line;
  for (const [whole, name] of line.matchAll(/\$\{([A-Z0-9_]+)\}/g)) {
    const value = environment[name ?? ""];
    if (value) result = result.replaceAll(whole, () => value);
  }
  return result;
}

const MARKS: readonly (readonly [bytes: readonly number[], encoding: string])[] = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xff, 0xfe, 0x00, 0x00], "utf-32le"],
  [[0x00, 0x00, 0xfe, 0xff], "utf-32be"],
  [[0xff, 0xfe], "utf-16le"],
  [[0xfe, 0xff], "utf-16be"],
];

/**
 * The text of a file: a byte order mark decides, then a `coding:` comment in the first two lines
 * (PEP 263), else UTF-8.
 *
 * @throws {PepError} bytes that are no text in that encoding, and encodings that are not known
 */
export function decodeText(bytes: Uint8Array): string {
  for (const [mark, encoding] of MARKS) {
    if (mark.every((byte, index) => bytes[index] === byte)) {
      return decodeAs(bytes.subarray(mark.length), encoding);
    }
  }
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 4096)).split("\n").slice(0, 2);
  const named = head
    .filter((line) => line.startsWith("#"))
    .map((line) => /coding[:=]\s*([-\w.]+)/.exec(line)?.[1])
    .find((name) => name !== undefined);
  return decodeAs(bytes, named === undefined ? "utf-8" : encodingLabel(named));
}

/** Python's name of an encoding to the web's. */
function encodingLabel(name: string): string {
  const plain = name.toLowerCase().replaceAll("_", "-");
  if (/^(?:utf-?8(?:-sig)?|u8)$/.test(plain)) return "utf-8";
  if (/^(?:latin-?1|iso-?8859-1|l1)$/.test(plain)) return "latin1";
  return plain.replace(/^cp(125\d|874)$/, "windows-$1").replace(/^iso8859-/, "iso-8859-");
}

function decodeAs(bytes: Uint8Array, encoding: string): string {
  if (encoding.startsWith("utf-32")) return decodeUtf32(bytes, encoding.endsWith("le"));
  try {
    return new TextDecoder(encoding as "utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new PepError(`Cannot read text in the encoding ${quote(encoding)}`);
    }
    throw new PepError(`Cannot read bytes that are no ${encoding} text`);
  }
}

function decodeUtf32(bytes: Uint8Array, littleEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    const code = at + 4 <= bytes.length ? view.getUint32(at, littleEndian) : 0x110000;
    if (code > 0x10ffff) throw new PepError("Cannot read bytes that are no utf-32 text");
    text += String.fromCodePoint(code);
  }
  return text;
}
