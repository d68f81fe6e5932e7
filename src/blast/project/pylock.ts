/**
 * pylock.toml (PEP 751): what a lock file holds, and reading it.
 *
 * @see https://packaging.python.org/en/latest/specifications/pylock-toml/
 */
import { dirname, resolve } from "node:path";
import type { SettingsTable } from "../../kit/config/layer.ts";
import { readTomlFile, type TomlFile } from "../../kit/config/toml.ts";
import { parseMarker } from "../pep/marker.ts";
import { isNormalized, type PackageName } from "../pep/name.ts";
import { parseSpecifierSet } from "../pep/specifier.ts";
import { parseVersion, type Version } from "../pep/version.ts";
import type { Hashes } from "../resolve/port.ts";
import { readSource } from "./pylock-source.ts";
import {
  missing,
  parsedAt,
  requiredText,
  rootTable,
  type TomlTable,
  tableAt,
  tablesAt,
  textAt,
  textsAt,
  wrongValue,
} from "./toml-table.ts";

/** What a lock file says. Markers and specifiers are texts that have been read once. */
export interface PylockContent {
  /** Markers: the lock holds where one of them does; empty: everywhere. */
  readonly environments: readonly string[];
  readonly requiresPython?: string;
  /** In normal form. */
  readonly extras: readonly string[];
  readonly dependencyGroups: readonly string[];
  /** Groups that are installed when nobody says which. */
  readonly defaultGroups: readonly string[];
  readonly packages: readonly LockedPackage[];
  /** [tool], as it was found. */
  readonly tool?: SettingsTable;
}

/** A lock file as read. */
export interface Pylock extends PylockContent {
  /** Folder that its paths start from. */
  readonly folder: string;
  /** Its name for messages. */
  readonly shown: string;
  /** "1.0". */
  readonly lockVersion: string;
  readonly createdBy: string;
  /** Things worth telling: a minor version that is not known. */
  readonly notes: readonly string[];
}

/** A package of a lock file. */
export interface LockedPackage {
  readonly name: PackageName;
  /** Absent for what is built from a folder and has none until then. */
  readonly version?: Version;
  /** Where it is needed; undefined: everywhere. */
  readonly marker?: string;
  readonly requiresPython?: string;
  /** What it needs, as tables that name a package of the lock: name, and more if need be. */
  readonly dependencies: readonly SettingsTable[];
  /** The index that its files come from. */
  readonly index?: string;
  readonly source: LockedSource;
  readonly tool?: SettingsTable;
}

/** Where a locked package comes from. */
export type LockedSource =
  | {
      readonly kind: "vcs";
      /** "git". */
      readonly type: string;
      readonly url?: string;
      readonly path?: string;
      readonly requestedRevision?: string;
      readonly commit: string;
      readonly subdirectory?: string;
    }
  | {
      readonly kind: "directory";
      readonly path: string;
      readonly editable: boolean;
      readonly subdirectory?: string;
    }
  | (LockedPlace & { readonly kind: "archive"; readonly subdirectory?: string })
  | {
      readonly kind: "files";
      readonly sdist?: LockedFile;
      readonly wheels: readonly LockedFile[];
    };

/** A file by address or path, with what it must be. */
export interface LockedPlace {
  readonly url?: string;
  /** Relative to the lock file, `/` between folders. */
  readonly path?: string;
  /** In bytes. */
  readonly size?: number;
  /** RFC 3339. */
  readonly uploadTime?: string;
  readonly hashes: Hashes;
}

/** A wheel or source archive. */
export interface LockedFile extends LockedPlace {
  readonly name: string;
}

/** True for `pylock.toml` and `pylock.NAME.toml`. */
export function isPylockName(filename: string): boolean {
  return /^pylock\.(?:[^.]+\.)?toml$/.test(filename);
}

/**
 * Reads a lock file. The sources of its packages are read when they are asked for:
 * {@link checkPylock} asks for all.
 *
 * @param shown its name for messages, if that is not the path
 * @returns undefined when there is none
 * @throws {Fault} E_CONFIG with file and line of what PEP 751 does not allow
 */
export async function readPylock(path: string, shown = path): Promise<Pylock | undefined> {
  const file = await readTomlFile(path, shown);
  return file === undefined ? undefined : pylockOf(file, dirname(resolve(path)));
}

/** As {@link readPylock}, of a text at hand. */
export function pylockOf(file: TomlFile, folder: string): Pylock {
  const root = rootTable(file);
  const packages = tablesAt(root, "packages");
  const { lockVersion, notes } = versionOf(root);
  if (packages === undefined) throw missing(root, "packages");
  return { ...headOf(root), lockVersion, notes, folder, packages: packages.map(packageOf) };
}

/**
 * Reads everything that is read late otherwise.
 *
 * @throws {Fault} E_CONFIG with file and line of what PEP 751 does not allow
 */
export function checkPylock(lock: Pylock): void {
  for (const { source } of lock.packages) void source;
}

/** Everything but the packages. */
export function headOf(root: TomlTable): Omit<Pylock, "packages" | "folder" | "notes"> {
  const requiresPython = specifierAt(root, "requires-python");
  const environments = textsAt(root, "environments") ?? [];
  for (const [index, text] of environments.entries()) {
    parsedAt(root, ["environments", index], () => parseMarker(text));
  }
  const extras = textsAt(root, "extras") ?? [];
  for (const [index, extra] of extras.entries()) {
    if (!isNormalized(extra)) throw notNormal(root, ["extras", index], extra);
  }
  const tool = tableAt(root, "tool")?.values;
  return {
    shown: root.file.file,
    lockVersion: requiredText(root, "lock-version"),
    createdBy: requiredText(root, "created-by"),
    environments,
    ...(requiresPython === undefined ? {} : { requiresPython }),
    extras,
    dependencyGroups: textsAt(root, "dependency-groups") ?? [],
    defaultGroups: textsAt(root, "default-groups") ?? [],
    ...(tool === undefined ? {} : { tool }),
  };
}

/** Of another major version nothing can be said, of a later minor one nearly everything. */
export function versionOf(root: TomlTable): Pick<Pylock, "lockVersion" | "notes"> {
  const lockVersion = requiredText(root, "lock-version");
  const { release } = parsedAt(root, ["lock-version"], () => parseVersion(lockVersion));
  if (release[0] !== 1) {
    throw wrongValue(root, ["lock-version"], `version "${lockVersion}" is not known, only "1.0"`);
  }
  const isLater = release.slice(1).some((part) => part !== 0);
  const note = `"${root.file.file}" has the format "${lockVersion}", of which only "1.0" is known`;
  return { lockVersion, notes: isLater ? [note] : [] };
}

/** One entry of [[packages]]. */
export function packageOf(table: TomlTable): LockedPackage {
  const name = requiredText(table, "name");
  if (!isNormalized(name)) throw notNormal(table, ["name"], name);
  const versionText = textAt(table, "version");
  const version =
    versionText === undefined
      ? undefined
      : parsedAt(table, ["version"], () => parseVersion(versionText));
  const marker = textAt(table, "marker");
  if (marker !== undefined) parsedAt(table, ["marker"], () => parseMarker(marker));
  const requiresPython = specifierAt(table, "requires-python");
  const index = textAt(table, "index");
  const tool = tableAt(table, "tool")?.values;
  let source: LockedSource | undefined;
  return {
    name,
    ...(version === undefined ? {} : { version }),
    ...(marker === undefined ? {} : { marker }),
    ...(requiresPython === undefined ? {} : { requiresPython }),
    dependencies: (tablesAt(table, "dependencies") ?? []).map(({ values }) => values),
    ...(index === undefined ? {} : { index }),
    ...(tool === undefined ? {} : { tool }),
    get source() {
      source ??= readSource(table, name, version);
      return source;
    },
  };
}

function specifierAt(table: TomlTable, key: string): string | undefined {
  const text = textAt(table, key);
  if (text !== undefined) parsedAt(table, [key], () => parseSpecifierSet(text));
  return text;
}

function notNormal(
  table: TomlTable,
  path: readonly (string | number)[],
  name: string,
): ReturnType<typeof wrongValue> {
  return wrongValue(table, path, `"${name}" is not in its normal form (lower case, "-")`);
}
