/** Reading values out of a TOML file with a fault that names file and line of what is wrong. */
import type { SettingsTable } from "../../kit/config/layer.ts";
import { type KeyPath, lineColumnOf } from "../../kit/config/locate.ts";
import { type TomlFile, tomlOrigin } from "../../kit/config/toml.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { PepError } from "../pep/error.ts";

/** A table of a file. */
export interface TomlTable {
  readonly file: TomlFile;
  /** Where the table stands in the file. */
  readonly path: KeyPath;
  readonly values: SettingsTable;
  /** "file:line" of a value of the table. */
  originOf(path: KeyPath): string;
}

/** The file's root as a table. */
export function rootTable(file: TomlFile): TomlTable {
  return tableOf(file, [], file.values);
}

/** A table within a table; undefined when it is absent. */
export function tableAt(above: TomlTable, key: string | number): TomlTable | undefined {
  const value = valueAt(above, key);
  if (value === undefined) return undefined;
  if (!isPlainTable(value)) throw wrongValue(above, [key], "it must be a table");
  return tableOf(above.file, [...above.path, key], value);
}

/** An array of tables; undefined when it is absent. */
export function tablesAt(above: TomlTable, key: string): readonly TomlTable[] | undefined {
  if (valueAt(above, key) === undefined) return undefined;
  const list = listAt(above, [key], isPlainTable, "a table");
  return list.map((values, index) => tableOf(above.file, [...above.path, key, index], values));
}

/** A text; undefined when it is absent. */
export function textAt(table: TomlTable, key: string): string | undefined {
  const value = valueAt(table, key);
  if (value === undefined || typeof value === "string") return value;
  throw wrongValue(table, [key], "it must be text in quotes");
}

/** A text that must be there. */
export function requiredText(table: TomlTable, key: string): string {
  const value = textAt(table, key);
  if (value === undefined) throw missing(table, key);
  return value;
}

/** True or false; undefined when it is absent. */
export function flagAt(table: TomlTable, key: string): boolean | undefined {
  const value = valueAt(table, key);
  if (value === undefined || typeof value === "boolean") return value;
  throw wrongValue(table, [key], "it must be true or false");
}

/** A list of texts; undefined when it is absent. */
export function textsAt(table: TomlTable, key: string): readonly string[] | undefined {
  if (valueAt(table, key) === undefined) return undefined;
  return listAt(table, [key], (one): one is string => typeof one === "string", "text in quotes");
}

/** A list whose entries are all of one kind. */
export function listAt<T>(
  table: TomlTable,
  [key]: readonly [string],
  isRight: (value: unknown) => value is T,
  wanted: string,
): readonly T[] {
  const list = valueAt(table, key);
  if (!Array.isArray(list)) throw wrongValue(table, [key], "it must be a list in [ ]");
  for (const [index, value] of list.entries()) {
    if (!isRight(value)) throw wrongValue(table, [key, index], `it must be ${wanted}`);
  }
  return list;
}

/** What `read` makes of a text; what it refuses is told with file and line. */
export function parsedAt<T>(table: TomlTable, path: KeyPath, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PepError) throw wrongValue(table, path, undefined, error);
    throw error;
  }
}

/** The fault for a key that must be there. */
export function missing(table: TomlTable, key: string): Fault {
  const name = nameOf(table, []);
  return new Fault({
    code: "E_CONFIG",
    message: `Cannot use "${placeText(table, [])}": ${name} has no "${key}"`,
    details: { origin: table.originOf([]) },
  });
}

/** The fault for a value that is not what it must be. */
export function wrongValue(
  table: TomlTable,
  path: KeyPath,
  reason: string | undefined,
  cause?: Error,
): Fault {
  const what = reason === undefined ? "it cannot be read" : reason;
  return new Fault({
    code: "E_CONFIG",
    message: `Cannot use "${placeText(table, path)}": ${nameOf(table, path)}: ${what}`,
    cause,
    details: { origin: table.originOf(path) },
  });
}

/** A table of a file, whose values are at hand. */
export function tableOf(file: TomlFile, path: KeyPath, values: SettingsTable): TomlTable {
  return { file, path, values, originOf: (inner) => tomlOrigin(file, [...path, ...inner]) };
}

function valueAt(table: TomlTable, key: string | number): unknown {
  return Object.hasOwn(table.values, key) ? table.values[key] : undefined;
}

function isPlainTable(value: unknown): value is SettingsTable {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function nameOf(table: TomlTable, path: KeyPath): string {
  const all = [...table.path, ...path];
  if (all.length === 0) return "the file";
  const steps = all.map((step, index) =>
    typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${step}`,
  );
  return `"${steps.join("")}"`;
}

/** "file:line:column" of the value, or of the nearest thing above it. */
function placeText({ file, path: above }: TomlTable, inner: KeyPath): string {
  const path = [...above, ...inner];
  for (let length = path.length; length > 0; length -= 1) {
    const place = file.places.find(path.slice(0, length));
    const span = (length === path.length ? place?.value : undefined) ?? place?.key ?? place?.value;
    if (span === undefined) continue;
    const { line, column } = lineColumnOf(file.text, span.start);
    return `${file.file}:${line}:${column}`;
  }
  return file.file;
}
