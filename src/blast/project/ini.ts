/** INI files as Python's `configparser.RawConfigParser` reads them, without interpolation. Pure. */
import { PepError, quote } from "../pep/error.ts";
import { trim } from "../pep/whitespace.ts";

/** A value of a file. */
export interface IniValue {
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

/** Values by section and option; option names are in lower case. */
export type IniSections = ReadonlyMap<string, ReadonlyMap<string, IniValue>>;

/** A text that is no INI file. */
export class IniError extends PepError {
  /** From 1. */
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.name = "IniError";
    this.line = line;
  }
}

/** Its values hold in every section that does not set them itself. */
const DEFAULT_SECTION = "DEFAULT";

/** An option that lines may still be added to. */
interface OpenOption {
  readonly lines: string[];
  readonly line: number;
}

/**
 * Reads a text: `[section]`, `key = value` or `key: value`, deeper indented lines continue a
 * value, lines that begin with `#` or `;` are comments.
 *
 * @throws {IniError} a value before any section, a line that is none of these, a double option
 */
export function parseIni(text: string): IniSections {
  const sections = new Map<string, Map<string, OpenOption>>();
  let section: Map<string, OpenOption> | undefined;
  let option: OpenOption | undefined;
  let indent = 0;
  for (const [index, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = index + 1;
    const value = trim(raw);
    if (value.startsWith("#") || value.startsWith(";")) continue;
    if (value === "") {
      option?.lines.push("");
      continue;
    }
    const ownIndent = raw.length - raw.trimStart().length;
    if (option !== undefined && ownIndent > indent) {
      option.lines.push(value);
      continue;
    }
    indent = ownIndent;
    const header = /^\[(.+)\]/.exec(value)?.[1];
    if (header !== undefined) {
      if (sections.has(header) && header !== DEFAULT_SECTION) {
        throw new IniError(`Cannot use the section ${quote(header)} twice`, line);
      }
      section = sections.get(header) ?? new Map();
      sections.set(header, section);
      option = undefined;
    } else {
      option = addOption(section, value, line);
    }
  }
  return finished(sections);
}

function addOption(
  section: Map<string, OpenOption> | undefined,
  text: string,
  line: number,
): OpenOption {
  if (section === undefined) {
    throw new IniError(`Cannot use ${quote(text)} before the first [section]`, line);
  }
  const delimiter = text.search(/[=:]/);
  const name = trim(text.slice(0, Math.max(delimiter, 0))).toLowerCase();
  if (name === "") throw new IniError(`Cannot read ${quote(text)}: it is no "key = value"`, line);
  if (section.has(name)) throw new IniError(`Cannot use the key ${quote(name)} twice`, line);
  const option = { lines: [trim(text.slice(delimiter + 1))], line };
  section.set(name, option);
  return option;
}

function finished(sections: ReadonlyMap<string, ReadonlyMap<string, OpenOption>>): IniSections {
  const defaults = [...(sections.get(DEFAULT_SECTION) ?? [])];
  const result = new Map<string, ReadonlyMap<string, IniValue>>();
  for (const [name, options] of sections) {
    if (name === DEFAULT_SECTION) continue;
    const values = new Map<string, IniValue>();
    for (const [key, { lines, line }] of [...defaults, ...options]) {
      values.set(key, { value: lines.join("\n").trimEnd(), line });
    }
    result.set(name, values);
  }
  return result;
}
