/** pyproject.toml: what is said of the project (PEP 621), its groups (PEP 735), its build. */
import { dirname, resolve } from "node:path";
import { readTomlFile, type TomlFile } from "../../kit/config/toml.ts";
import { type ExtraName, type PackageName, parseExtraName, parsePackageName } from "../pep/name.ts";
import { parseSpecifierSet, type SpecifierSet } from "../pep/specifier.ts";
import { parseVersion, type Version } from "../pep/version.ts";
import { type DependencyGroups, readGroups } from "./groups.ts";
import { type ProjectRequirement, readNamedRequirement } from "./requirement-line.ts";
import {
  parsedAt,
  requiredText,
  rootTable,
  type TomlTable,
  tableAt,
  textAt,
  textsAt,
  wrongValue,
} from "./toml-table.ts";

/** A pyproject.toml as read. */
export interface Pyproject {
  readonly file: TomlFile;
  /** Absolute. */
  readonly path: string;
  /** Undefined: the file has no [project]. */
  readonly project?: ProjectTable;
  readonly groups: DependencyGroups;
  /** Undefined: the file has no [build-system]. */
  readonly buildSystem?: BuildSystem;
}

/** [project] (PEP 621). */
export interface ProjectTable {
  readonly name: PackageName;
  /** As written. */
  readonly displayName: string;
  /** Undefined: dynamic, or not said. */
  readonly version?: Version;
  readonly requiresPython?: SpecifierSet;
  readonly dependencies: readonly ProjectRequirement[];
  readonly optionalDependencies: ReadonlyMap<ExtraName, readonly ProjectRequirement[]>;
  /** Fields that the build says: `version`, `dependencies`. */
  readonly dynamic: ReadonlySet<string>;
}

/** [build-system] (PEP 518, PEP 517). */
export interface BuildSystem {
  readonly requires: readonly ProjectRequirement[];
  /** Undefined: setuptools' old way (PEP 517). */
  readonly backend?: string;
  readonly backendPath: readonly string[];
}

/**
 * Reads a project's file.
 *
 * @param shown its name for messages, if that is not the path
 * @returns undefined when there is none
 * @throws {Fault} E_CONFIG with file and line of what is wrong
 */
export async function readPyproject(path: string, shown = path): Promise<Pyproject | undefined> {
  const file = await readTomlFile(path, shown);
  return file === undefined ? undefined : pyprojectOf(file, resolve(path));
}

/** As {@link readPyproject}, of a text at hand. */
export function pyprojectOf(file: TomlFile, path: string): Pyproject {
  const root = rootTable(file);
  const base = dirname(path);
  const project = tableAt(root, "project");
  const build = tableAt(root, "build-system");
  return {
    file,
    path,
    ...(project === undefined ? {} : { project: projectOf(project, base) }),
    groups: readGroups(tableAt(root, "dependency-groups"), base),
    ...(build === undefined ? {} : { buildSystem: buildSystemOf(build, base) }),
  };
}

function projectOf(table: TomlTable, base: string): ProjectTable {
  const displayName = requiredText(table, "name");
  const version = textAt(table, "version");
  const requiresPython = textAt(table, "requires-python");
  const dynamic = new Set(textsAt(table, "dynamic") ?? []);
  for (const key of dynamic) {
    if (!Object.hasOwn(table.values, key)) continue;
    throw wrongValue(table, [key], 'it is here and in "dynamic" (PEP 621)');
  }
  return {
    name: parsedAt(table, ["name"], () => parsePackageName(displayName)),
    displayName,
    ...(version === undefined
      ? {}
      : { version: parsedAt(table, ["version"], () => parseVersion(version)) }),
    ...(requiresPython === undefined
      ? {}
      : {
          requiresPython: parsedAt(table, ["requires-python"], () =>
            parseSpecifierSet(requiresPython),
          ),
        }),
    dependencies: requirementsAt(table, "dependencies", base),
    optionalDependencies: optionalDependencies(table, base),
    dynamic,
  };
}

function optionalDependencies(
  project: TomlTable,
  base: string,
): ReadonlyMap<ExtraName, readonly ProjectRequirement[]> {
  const found = new Map<ExtraName, readonly ProjectRequirement[]>();
  const table = tableAt(project, "optional-dependencies");
  if (table === undefined) return found;
  for (const key of Object.keys(table.values)) {
    const name = parsedAt(table, [key], () => parseExtraName(key));
    if (found.has(name)) throw wrongValue(table, [key], `the extra "${name}" is there twice`);
    found.set(name, requirementsAt(table, key, base));
  }
  return found;
}

function buildSystemOf(table: TomlTable, base: string): BuildSystem {
  const backend = textAt(table, "build-backend");
  return {
    requires: requirementsAt(table, "requires", base),
    ...(backend === undefined ? {} : { backend }),
    backendPath: textsAt(table, "backend-path") ?? [],
  };
}

/** The list of requirements under a key; an absent key is an empty list. */
function requirementsAt(
  table: TomlTable,
  key: string,
  base: string,
): readonly ProjectRequirement[] {
  return (textsAt(table, key) ?? []).map((text, index) =>
    readNamedRequirement(text, {
      get origin() {
        return table.originOf([key, index]);
      },
      base,
    }),
  );
}
