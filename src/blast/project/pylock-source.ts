/** Where a package of a lock file comes from (PEP 751), read and checked. */
import { PepError, quote } from "../pep/error.ts";
import type { PackageName } from "../pep/name.ts";
import { parseSdistName } from "../pep/sdist-name.ts";
import { compareVersions, type Version } from "../pep/version.ts";
import { parseWheelName } from "../pep/wheel-name.ts";
import type { Hashes } from "../resolve/port.ts";
import type { LockedFile, LockedPlace, LockedSource } from "./pylock.ts";
import {
  flagAt,
  missing,
  parsedAt,
  requiredText,
  type TomlTable,
  tableAt,
  tablesAt,
  textAt,
  wrongValue,
} from "./toml-table.ts";

/**
 * Reads the source of a package.
 *
 * @throws {Fault} E_CONFIG none, more than one, or one that is not as it must be
 */
export function readSource(
  table: TomlTable,
  name: PackageName,
  version: Version | undefined,
): LockedSource {
  const vcs = tableAt(table, "vcs");
  const directory = tableAt(table, "directory");
  const archive = tableAt(table, "archive");
  const sdist = tableAt(table, "sdist");
  const wheels = tablesAt(table, "wheels") ?? [];
  const direct = [vcs, directory, archive].filter((one) => one !== undefined).length;
  const hasFiles = sdist !== undefined || wheels.length > 0;
  if (direct + (hasFiles ? 1 : 0) !== 1) {
    throw wrongValue(table, [], 'it must have one of "vcs", "directory", "archive" and files');
  }
  if (vcs !== undefined) return vcsOf(vcs);
  if (directory !== undefined) return directoryOf(directory);
  if (archive !== undefined) {
    return { kind: "archive", ...placeOf(archive), ...optional(archive, "subdirectory") };
  }
  const locked = { name, version };
  return {
    kind: "files",
    ...(sdist === undefined ? {} : { sdist: sdistOf(sdist, locked) }),
    wheels: wheels.map((wheel) => wheelOf(wheel, locked)),
  };
}

function vcsOf(table: TomlTable): LockedSource {
  const revision = textAt(table, "requested-revision");
  const places = { ...optional(table, "url"), ...optional(table, "path") };
  if (places.url === undefined && places.path === undefined) throw missing(table, "url");
  return {
    kind: "vcs",
    type: requiredText(table, "type"),
    ...places,
    ...(revision === undefined ? {} : { requestedRevision: revision }),
    commit: requiredText(table, "commit-id"),
    ...optional(table, "subdirectory"),
  };
}

function directoryOf(table: TomlTable): LockedSource {
  return {
    kind: "directory",
    path: requiredText(table, "path"),
    editable: flagAt(table, "editable") ?? false,
    ...optional(table, "subdirectory"),
  };
}

/** What the file must be of. */
interface Locked {
  readonly name: PackageName;
  readonly version: Version | undefined;
}

function wheelOf(table: TomlTable, locked: Locked): LockedFile {
  const file = fileOf(table);
  parsedAt(table, [], () => checkFile(file.name, parseWheelName(file.name), locked));
  return file;
}

function sdistOf(table: TomlTable, locked: Locked): LockedFile {
  const file = fileOf(table);
  parsedAt(table, [], () => checkFile(file.name, parseSdistName(file.name, locked.name), locked));
  return file;
}

function checkFile(filename: string, found: Locked, { name, version }: Locked): void {
  if (found.name !== name) {
    throw new PepError(`Cannot take ${quote(filename)} for the package ${quote(name)}`);
  }
  if (version === undefined || found.version === undefined) return;
  if (compareVersions(found.version, version) !== 0) {
    throw new PepError(`Cannot take ${quote(filename)} for the version ${quote(`${version}`)}`);
  }
}

function fileOf(table: TomlTable): LockedFile {
  const place = placeOf(table);
  const name = textAt(table, "name") || nameOfPath(place.path) || nameOfUrl(place.url);
  if (!name) throw missing(table, "name");
  return { name, ...place };
}

function nameOfPath(path: string | undefined): string | undefined {
  return path?.split(path.includes("/") ? "/" : "\\").at(-1);
}

function nameOfUrl(url: string | undefined): string | undefined {
  const last = url
    ?.replace(/[?#].*$/s, "")
    .split("/")
    .at(-1);
  if (last === undefined) return undefined;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

function placeOf(table: TomlTable): LockedPlace {
  const places = { ...optional(table, "url"), ...optional(table, "path") };
  if (places.url === undefined && places.path === undefined) throw missing(table, "url");
  const size = table.values["size"];
  if (size !== undefined && !Number.isSafeInteger(size)) {
    throw wrongValue(table, ["size"], "it must be a whole number");
  }
  const uploadTime = uploadTimeOf(table);
  return {
    ...places,
    ...(typeof size === "number" ? { size } : {}),
    ...(uploadTime === undefined ? {} : { uploadTime }),
    hashes: hashesOf(table),
  };
}

/** A date with time; one without zone is UTC, as PEP 751 has it. */
function uploadTimeOf(table: TomlTable): string | undefined {
  const value = table.values["upload-time"];
  if (value === undefined) return undefined;
  const text = value instanceof Date ? value.toISOString() : String(value);
  if (typeof value === "object" && /^\d{4}-\d\d-\d\dT/.test(text)) {
    return /[Zz]|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`;
  }
  throw wrongValue(table, ["upload-time"], "it must be a date with time, without quotes");
}

function hashesOf(table: TomlTable): Hashes {
  const inner = tableAt(table, "hashes");
  if (inner === undefined) throw missing(table, "hashes");
  const entries = Object.entries(inner.values);
  if (entries.length === 0) throw wrongValue(table, ["hashes"], "there must be at least one hash");
  return Object.fromEntries(
    entries.map(([algorithm, digest]) => {
      if (typeof digest === "string") return [algorithm.toLowerCase(), digest.toLowerCase()];
      throw wrongValue(inner, [algorithm], "it must be text in quotes");
    }),
  );
}

type TextKey = "url" | "path" | "subdirectory";

/** An empty text says nothing. */
function optional<Key extends TextKey>(
  table: TomlTable,
  key: Key,
): { readonly [K in Key]?: string } {
  const value = textAt(table, key);
  return !value ? {} : ({ [key]: value } as { readonly [K in Key]?: string });
}
