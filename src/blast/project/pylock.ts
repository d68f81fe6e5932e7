/**
 * pylock.toml (PEP 751): what a lock file holds, and reading it.
 *
 * @see https://packaging.python.org/en/latest/specifications/pylock-toml/
 */
import { dirname, resolve } from "node:path";
import type { SettingsTable } from "../../kit/config/layer.ts";
import { parseToml, readTomlText, type TomlFile } from "../../kit/config/toml.ts";
import type { PackageName } from "../pep/name.ts";
import type { Version } from "../pep/version.ts";
import type { Hashes } from "../resolve/port.ts";
import { headOf, packageOf, versionOf } from "./pylock-entry.ts";
import { readOwnPylock } from "./pylock-own.ts";
import { missing, rootTable, tablesAt } from "./toml-table.ts";

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
  const text = readTomlText(path, shown);
  if (text === undefined) return undefined;
  const folder = dirname(resolve(path));
  return readOwnPylock(text, shown, folder) ?? pylockOf(await parseToml(shown, text), folder);
}

/** As {@link readPylock}, of a text at hand. */
export function pylockOf(file: TomlFile, folder: string): Pylock {
  const root = rootTable(file);
  const packages = tablesAt(root, "packages");
  const { lockVersion, notes } = versionOf(root);
  if (packages === undefined) throw missing(root, "packages");
  return {
    ...headOf(root),
    lockVersion,
    notes,
    folder,
    packages: packages.map((one) => packageOf(one)),
  };
}

/**
 * Reads everything that is read late otherwise.
 *
 * @throws {Fault} E_CONFIG with file and line of what PEP 751 does not allow
 */
export function checkPylock(lock: Pylock): void {
  for (const { source } of lock.packages) void source;
}
