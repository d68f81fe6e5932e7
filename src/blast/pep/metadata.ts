/**
 * Core metadata: the METADATA file of a wheel, the PKG-INFO of an sdist.
 *
 * @see https://packaging.python.org/en/latest/specifications/core-metadata/
 */
import type { CoreMetadata } from "../resolve/port.ts";
import { PepError, quote } from "./error.ts";
import { parseLenientRequirement } from "./lenient.ts";
import { type ExtraName, parseExtraName, parsePackageName } from "./name.ts";
import { parseVersion } from "./version.ts";

/** The latest major version of the format; a later one may mean anything. */
const MAJOR_MAX = 2;

/** The header fields that resolving and installing need, as they were written. */
interface Fields {
  version?: string;
  name?: string;
  metadataVersion?: string;
  requiresPython?: string;
  readonly requiresDist: string[];
  readonly providesExtra: string[];
  readonly dynamic: string[];
}

/**
 * Reads the header; the description is never looked at. Requirements of old packages that break
 * PEP 508 in a known way are mended, names of extras that are none are left out.
 *
 * @param source bytes are UTF-8; wrong ones are replaced
 * @throws PepError for metadata of no use: no name or version, a requirement that nobody can read,
 *   a format version that is still to come
 */
export function parseCoreMetadata(source: string | Uint8Array): CoreMetadata {
  const fields = readFields(typeof source === "string" ? source : headerText(source));
  checkFormat(fields.metadataVersion);
  const { name, version, requiresPython } = fields;
  if (name === undefined) throw new PepError("Cannot read metadata: it has no Name");
  if (version === undefined) throw new PepError("Cannot read metadata: it has no Version");
  return {
    name: parsePackageName(name),
    version: parseVersion(version),
    // "UNKNOWN" is what setuptools once wrote for nothing.
    ...(requiresPython === undefined || requiresPython === "" || requiresPython === "UNKNOWN"
      ? {}
      : { requiresPython }),
    requiresDist: fields.requiresDist.map(parseLenientRequirement),
    providesExtra: readExtras(fields.providesExtra),
    dynamic: fields.dynamic.map((field) => field.toLowerCase()),
  };
}

/** Decodes as much as the header can be: most of a file is its description. */
function headerText(bytes: Uint8Array): string {
  const end = headerEnd(bytes);
  return new TextDecoder().decode(bytes.subarray(0, end));
}

/** Where the first empty line begins. */
function headerEnd(bytes: Uint8Array): number {
  const newline = 0x0a;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) {
    const next = bytes[at + 1];
    if (next === newline || (next === 0x0d && bytes[at + 2] === newline)) return at + 1;
  }
  return bytes.length;
}

/** Fields that are kept begin with one of these letters. */
const FIRST_LETTERS = /^[dmnprv]/i;

function readFields(source: string): Fields {
  const fields: Fields = { requiresDist: [], providesExtra: [], dynamic: [] };
  const text = source.includes("\r") ? source.replace(/\r\n?/g, "\n") : source;
  let name = "";
  let value = "";
  let start = text.startsWith("\ufeff") ? 1 : 0;
  while (start < text.length) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(start, end);
    start = end + 1;
    if (line === "") break;
    if (line.startsWith(" ") || line.startsWith("\t")) {
      if (name !== "") value += ` ${line.trim()}`;
      continue;
    }
    const colon = line.indexOf(":");
    // As mail readers do: what is no field begins the body, but for the line of a mailbox.
    if (colon < 1 || /[^!-9;-~]/.test(line.slice(0, colon))) {
      if (line.startsWith("From ")) continue;
      break;
    }
    if (name !== "") addField(fields, name, value);
    name = FIRST_LETTERS.test(line) ? line.slice(0, colon).toLowerCase() : "";
    value = line.slice(colon + 1);
  }
  if (name !== "") addField(fields, name, value);
  return fields;
}

function addField(fields: Fields, name: string, written: string): void {
  const value = written.trim();
  switch (name) {
    case "metadata-version":
      fields.metadataVersion ??= value;
      break;
    case "name":
      fields.name ??= value;
      break;
    case "version":
      fields.version ??= value;
      break;
    case "requires-python":
      fields.requiresPython ??= value;
      break;
    case "requires-dist":
      if (value !== "" && value !== "UNKNOWN") fields.requiresDist.push(value);
      break;
    case "provides-extra":
      fields.providesExtra.push(value);
      break;
    case "dynamic":
      fields.dynamic.push(value);
      break;
    default:
      break;
  }
}

function checkFormat(version: string | undefined): void {
  const major = Number(version?.split(".")[0] ?? "1");
  if (major <= MAJOR_MAX) return;
  const what = Number.isNaN(major) ? "it is no version" : "only 1 and 2 are known";
  throw new PepError(`Cannot read metadata of format ${quote(version ?? "")}: ${what}`);
}

function readExtras(texts: readonly string[]): readonly ExtraName[] {
  const extras = new Set<ExtraName>();
  for (const text of texts) {
    try {
      extras.add(parseExtraName(text));
    } catch (error) {
      if (!(error instanceof PepError)) throw error;
    }
  }
  return [...extras];
}
