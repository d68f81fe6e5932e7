/**
 * Writes pylock.toml (PEP 751). The same content gives the same bytes: everything is sorted, keys
 * stand in one order, each file has a line of its own, lines end in LF.
 */
import type { SettingsTable } from "../../kit/config/layer.ts";
import { compareVersions } from "../pep/version.ts";
import type { Hashes } from "../resolve/port.ts";
import type {
  LockedFile,
  LockedPackage,
  LockedPlace,
  LockedSource,
  PylockContent,
} from "./pylock.ts";

/** The text of a lock file. */
export function pylockText(content: PylockContent): string {
  const head = [
    'lock-version = "1.0"',
    ...list("environments", content.environments),
    ...pair("requires-python", content.requiresPython),
    ...list("extras", [...content.extras].sort()),
    ...list("dependency-groups", [...content.dependencyGroups].sort()),
    ...list("default-groups", [...content.defaultGroups].sort()),
    'created-by = "blast"',
  ];
  // Without any package the key must be there all the same; it comes before the first table.
  if (content.packages.length === 0) head.push("packages = []");
  const packages = content.packages.toSorted(comparePackages).map(packageText);
  const tools = Object.entries(content.tool ?? {}).map(([name, value]) => toolText(name, value));
  return `${[head.join("\n"), ...packages, ...tools].join("\n\n")}\n`;
}

function comparePackages(left: LockedPackage, right: LockedPackage): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  const byVersion =
    left.version === undefined || right.version === undefined
      ? Number(left.version !== undefined) - Number(right.version !== undefined)
      : compareVersions(left.version, right.version);
  return byVersion || compareTexts(left.marker ?? "", right.marker ?? "");
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function packageText(one: LockedPackage): string {
  const dependencies = one.dependencies.map((table) => inline(table)).sort();
  return [
    "[[packages]]",
    ...pair("name", one.name),
    ...pair("version", one.version?.toString()),
    ...pair("marker", one.marker),
    ...pair("requires-python", one.requiresPython),
    ...lines("dependencies", dependencies),
    ...pair("index", one.index),
    ...sourceLines(one.source),
    ...(one.tool === undefined ? [] : [`tool = ${inline(one.tool)}`]),
  ].join("\n");
}

function sourceLines(source: LockedSource): string[] {
  switch (source.kind) {
    case "vcs":
      return [
        `vcs = ${table([
          ...pair("type", source.type),
          ...pair("url", source.url),
          ...pair("path", source.path),
          ...pair("requested-revision", source.requestedRevision),
          ...pair("commit-id", source.commit),
          ...pair("subdirectory", source.subdirectory),
        ])}`,
      ];
    case "directory":
      return [
        `directory = ${table([
          ...pair("path", source.path),
          ...(source.editable ? ["editable = true"] : []),
          ...pair("subdirectory", source.subdirectory),
        ])}`,
      ];
    case "archive":
      return [
        `archive = ${table([...placePairs(source), ...pair("subdirectory", source.subdirectory)])}`,
      ];
    case "files": {
      const wheels = source.wheels.toSorted((a, b) => compareTexts(a.name, b.name));
      return [
        ...(source.sdist === undefined ? [] : [`sdist = ${fileText(source.sdist)}`]),
        ...lines("wheels", wheels.map(fileText)),
      ];
    }
  }
}

function fileText(file: LockedFile): string {
  return table([...pair("name", file.name), ...placePairs(file)]);
}

function placePairs(place: LockedPlace): string[] {
  return [
    ...(place.uploadTime === undefined ? [] : [`upload-time = ${dateTime(place.uploadTime)}`]),
    ...pair("url", place.url),
    ...pair("path", place.path),
    ...(place.size === undefined ? [] : [`size = ${place.size}`]),
    `hashes = ${hashesText(place.hashes)}`,
  ];
}

function hashesText(hashes: Hashes): string {
  const sorted = Object.entries(hashes).sort(([a], [b]) => compareTexts(a, b));
  return table(sorted.flatMap(([name, digest]) => pair(key(name), digest)));
}

/** The moment in UTC, as TOML writes dates. */
function dateTime(text: string): string {
  const utc = Temporal.Instant.from(text).toString();
  return utc.replace(/(\.\d{6})\d+Z$/, "$1Z");
}

function toolText(name: string, value: unknown): string {
  if (!isTable(value)) return `[tool]\n${key(name)} = ${inline(value)}`;
  const pairs = Object.entries(value).map(([inner, one]) => `${key(inner)} = ${inline(one)}`);
  return [`[tool.${key(name)}]`, ...pairs].join("\n");
}

function pair(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`${name} = ${quoted(value)}`];
}

function list(name: string, values: readonly string[]): string[] {
  if (values.length === 0) return [];
  const short = `${name} = [${values.map(quoted).join(", ")}]`;
  return short.length <= 100 ? [short] : lines(name, values.map(quoted));
}

function lines(name: string, values: readonly string[]): string[] {
  if (values.length === 0) return [];
  return [`${name} = [`, ...values.map((value) => `    ${value},`), "]"];
}

function table(pairs: readonly string[]): string {
  return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
}

/** Any value on one line. */
function inline(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (isTable(value)) {
    return table(Object.entries(value).map(([name, one]) => `${key(name)} = ${inline(one)}`));
  }
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "number" && !Number.isFinite(value)) {
    return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  }
  return String(value);
}

function key(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : quoted(name);
}

function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}

function isTable(value: unknown): value is SettingsTable {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
