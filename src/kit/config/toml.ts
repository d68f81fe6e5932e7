/**
 * TOML text to values, with the place of every key for messages. Bun's own parser reads what is
 * right (0.3 ms); smol-toml (7 ms to load) is asked only for what it refuses, because it alone can
 * say where. Both follow TOML 1.1.
 */
import { readFileSync } from "node:fs";
import type { TomlError } from "smol-toml";
import { Fault } from "../fault/fault.ts";
import type { SettingsTable } from "./layer.ts";
import { type KeyPath, lineColumnOf, locateToml, type TomlPlaces } from "./locate.ts";

/** A TOML text as read. */
export interface TomlFile {
  /** Name for messages. */
  readonly file: string;
  readonly text: string;
  /** Nested plain objects; dates and times are `Temporal` values, or `Date` from the fallback. */
  readonly values: SettingsTable;
  /** Found out on first use: only messages and edits need it. */
  readonly places: TomlPlaces;
}

/**
 * Reads a file.
 *
 * @param shown its name for messages, if that is not the path
 * @returns undefined when there is no such file
 * @throws {Fault} E_CONFIG when it cannot be read, is no UTF-8, or is no TOML
 */
export async function readTomlFile(path: string, shown = path): Promise<TomlFile | undefined> {
  const text = readTomlText(path, shown);
  return text === undefined ? undefined : parseToml(shown, text);
}

/**
 * Parses a text.
 *
 * @param file its name for messages
 * @throws {Fault} E_CONFIG with line and column
 */
export async function parseToml(file: string, text: string): Promise<TomlFile> {
  return new ParsedToml(file, text, await valuesOf(file, text));
}

/** "file:4" of the path, or of the nearest thing above it; the file alone where nothing is. */
export function tomlOrigin(source: TomlFile, path: KeyPath): string {
  for (let length = path.length; length > 0; length -= 1) {
    const place = source.places.find(path.slice(0, length));
    const span = place?.key ?? place?.value;
    if (span !== undefined) return `${source.file}:${lineColumnOf(source.text, span.start).line}`;
  }
  return source.file;
}

class ParsedToml implements TomlFile {
  readonly file: string;
  readonly text: string;
  readonly values: SettingsTable;
  #places: TomlPlaces | undefined;

  constructor(file: string, text: string, values: SettingsTable) {
    this.file = file;
    this.text = text;
    this.values = values;
  }

  get places(): TomlPlaces {
    this.#places ??= locateToml(this.text);
    return this.#places;
  }
}

async function valuesOf(file: string, text: string): Promise<SettingsTable> {
  const withoutMark = text.replace(/^\uFEFF/, "");
  try {
    return Bun.TOML.parse(withoutMark) as SettingsTable;
  } catch {
    // It cannot say where; if the other parser has no complaint, its answer counts.
  }
  const { parse, TomlError } = await import("smol-toml");
  try {
    return parse(withoutMark, { useLegacyDate: true }) as SettingsTable;
  } catch (error) {
    if (error instanceof TomlError) throw syntaxFault(file, text, error);
    throw error;
  }
}

/** Why a file cannot be read, in words, by the code of the error. */
const REASONS: Readonly<Record<string, string>> = {
  ERR_ENCODING_INVALID_ENCODED_DATA: "it is no UTF-8 text",
  EACCES: "permission denied",
  EISDIR: "it is a folder",
};

/** The first half of {@link readTomlFile}: the text alone. */
export function readTomlText(path: string, shown = path): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    const why = REASONS[errno ?? ""];
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot read "${shown}"${why === undefined ? "" : `: ${why}`}`,
      cause: why === undefined ? error : undefined,
      details: { file: path, errno },
    });
  }
}

function syntaxFault(path: string, text: string, error: TomlError): Fault {
  const { line, column } = error;
  const reason = error.message.split("\n")[0]?.replace("Invalid TOML document: ", "");
  const shown = (text.split(/\r?\n/)[line - 1] ?? "").trim();
  return new Fault({
    code: "E_CONFIG",
    message: `Cannot read "${path}:${line}:${column}": ${reason}, in the line "${shorten(shown)}"`,
    details: { problems: [{ file: path, line, column, message: reason }] },
  });
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
