/**
 * blast's settings: blast.toml, [tool.blast] of pyproject.toml and the user's config.toml, all
 * with the same keys. A correct file is read without zod; only what is wrong loads it, to be told.
 */
import { join } from "node:path";
import { type Layer, mergeLayers, type SettingsTable } from "../kit/config/layer.ts";
import type { KeyPath } from "../kit/config/locate.ts";
import { type Environment, xdgPaths } from "../kit/config/paths.ts";
import { readTomlFile, type TomlFile, tomlOrigin } from "../kit/config/toml.ts";
import { type BlastSettings, type KeySpec, parseSize, TABLE_SPECS } from "./config-keys.ts";

/** Where settings are read from; what is undefined or absent does not count. */
export interface BlastConfigSources {
  /** blast.toml as read. */
  readonly blastToml?: TomlFile | undefined;
  /** pyproject.toml as read, for its [tool.blast]; blast.toml comes before it. */
  readonly pyproject?: TomlFile | undefined;
  /** For `$XDG_CONFIG_HOME/blast/config.toml`; undefined: no user's file is read. */
  readonly environment?: Environment | undefined;
  /** Flags as nested tables, `{ resolver: { strategy } }`; undefined is a flag not given. */
  readonly flags?: SettingsTable | undefined;
}

/** Settings and where they come from. */
export interface BlastConfig {
  readonly values: BlastSettings;
  /** "blast.toml:4", a flag, or "default". */
  originOf(path: KeyPath): string;
  /** Keys that files set and that have no effect yet. */
  readonly ineffective: readonly { readonly key: string; readonly origin: string }[];
}

/** A part of a file that holds settings. */
interface Part {
  readonly name: "user" | "project";
  readonly file: TomlFile;
  readonly table: readonly string[];
  readonly values: SettingsTable;
}

/**
 * Reads and checks the settings.
 *
 * @throws {Fault} E_CONFIG with file and line of every key that is unknown or wrong
 */
export async function loadBlastConfig(sources: BlastConfigSources): Promise<BlastConfig> {
  const { environment } = sources;
  const userFile =
    environment === undefined ? undefined : await readTomlFile(blastUserConfigPath(environment));
  const parts = [
    ...partOf("user", userFile, []),
    ...partOf("project", sources.pyproject, ["tool", "blast"]),
    ...partOf("project", sources.blastToml, []),
  ];
  if (!parts.every((part) => isCorrect(part.values))) await tellProblems(parts);
  const layers = parts.map(layerOf);
  if (sources.flags !== undefined) layers.push(flagsLayer(sources.flags));
  const merged = mergeLayers(layers);
  return {
    values: overDefaults(merged.values),
    originOf: (path) => (isGiven(merged.values, path) && merged.originOf(path)) || "default",
    ineffective: parts.flatMap((part) =>
      ineffectiveKeys(part.values).map((key) => ({
        key,
        origin: tomlOrigin(part.file, [...part.table, ...key.split(".")]),
      })),
    ),
  };
}

/** Where the user's own file would lie. */
export function blastUserConfigPath(environment: Environment): string {
  return join(xdgPaths(environment).config, "blast", "config.toml");
}

/** What holds without any file. */
export function blastDefaults(): BlastSettings {
  return overDefaults({});
}

function flagsLayer(values: SettingsTable): Layer {
  const originOf = (path: KeyPath): string => `--${String(path.at(-1)).replaceAll("_", "-")}`;
  return { name: "flags", values, originOf };
}

function isGiven(values: SettingsTable, [table = "", key]: KeyPath): boolean {
  const own = values[table];
  return isTable(own) && (key === undefined || Object.hasOwn(own, key));
}

/**
 * The defaults have no layer of their own: their origin is known, and they are many: every
 * command comes by here, in cold code, so nothing is called for each of them.
 */
function overDefaults(given: SettingsTable): BlastSettings {
  const settings: Record<string, object> = {};
  for (const [name, { keys }] of TABLE_SPECS) {
    const table: Record<string, unknown> = {};
    for (const key of Object.keys(keys)) table[key] = keys[key]?.default;
    settings[name] = Object.assign(table, given[name]);
  }
  return settings as BlastSettings;
}

/** The keys of a file's settings that have no effect yet: `container.isolation_level`. */
export function ineffectiveKeys(values: SettingsTable): string[] {
  return Object.entries(values).flatMap(([table, inner]) =>
    Object.keys(inner as object)
      .filter((key) => specOf(table, key)?.effect === false)
      .map((key) => `${table}.${key}`),
  );
}

/** [cache] max_size in bytes; undefined: no limit. */
export function cacheSizeMax(settings: BlastSettings): number | undefined {
  return parseSize(settings.cache.max_size) || undefined;
}

function partOf(
  name: Part["name"],
  file: TomlFile | undefined,
  table: readonly string[],
): readonly Part[] {
  if (file === undefined) return [];
  let values: unknown = file.values;
  for (const key of table) {
    if (!isTable(values) || !Object.hasOwn(values, key)) return [];
    values = values[key];
  }
  return [{ name, file, table, values: values as SettingsTable }];
}

function layerOf({ name, file, table, values }: Part): Layer {
  return { name, values, originOf: (path) => tomlOrigin(file, [...table, ...path]) };
}

/** True only where zod would agree; what zod does besides is to say what is wrong. */
function isCorrect(values: unknown): boolean {
  if (!isTable(values)) return false;
  return Object.entries(values).every(
    ([table, inner]) =>
      TABLE_SPECS.has(table) &&
      isTable(inner) &&
      Object.entries(inner).every(([key, value]) => accepts(specOf(table, key), value)),
  );
}

function accepts(spec: KeySpec | undefined, value: unknown): boolean {
  switch (spec?.kind) {
    case undefined:
      return false;
    case "text":
      return typeof value === "string";
    case "flag":
      return typeof value === "boolean";
    case "count":
      return Number.isSafeInteger(value) && (value as number) >= spec.min;
    case "choice":
      return spec.of.some((word) => word === value);
    case "list":
      return Array.isArray(value) && value.every((one) => typeof one === "string");
    case "size":
      return typeof value === "string" && parseSize(value) !== undefined;
  }
}

async function tellProblems(parts: readonly Part[]): Promise<void> {
  const { loadConfig } = await import("../kit/config/load.ts");
  const { blastConfigSchema } = await import("./config-schema.ts");
  await loadConfig({
    schema: blastConfigSchema,
    files: parts.map(({ name, file, table }) => ({ name, path: file.file, table, read: file })),
  });
}

function specOf(table: string, key: string): KeySpec | undefined {
  const keys = TABLE_SPECS.get(table)?.keys;
  return keys !== undefined && Object.hasOwn(keys, key) ? keys[key] : undefined;
}

function isTable(value: unknown): value is SettingsTable {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
