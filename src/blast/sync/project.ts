/** A project: its files, its settings, and what it asks for. */
import { basename, join, resolve } from "node:path";
import type { Environment as Variables } from "../../kit/config/paths.ts";
import { parseToml, readTomlFile, type TomlFile } from "../../kit/config/toml.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { type BlastConfig, loadBlastConfig } from "../config.ts";
import type { ExtraName } from "../pep/name.ts";
import { parseExtraName } from "../pep/name.ts";
import { findProject, type ProjectFiles, projectAt } from "../project/find-project.ts";
import { normalizeGroup } from "../project/group-name.ts";
import type { Pyproject } from "../project/pyproject.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import type { Inputs } from "./inputs.ts";

/** A part of what a project asks for. */
export interface RequirementSet {
  readonly kind: "base" | "extra" | "group";
  /** Of the extra or group; "" for the base. */
  readonly name: string;
  readonly requirements: readonly ProjectRequirement[];
}

/** A field of [project] that can be dynamic and says what is asked for (PEP 621). */
export type DynamicPart = "dependencies" | "optional-dependencies";

const DYNAMIC_PARTS: readonly DynamicPart[] = ["dependencies", "optional-dependencies"];

/** A project as read. Without any file: the working folder, asking for nothing. */
export interface Project {
  readonly folder: string;
  /** One of its files is there. */
  readonly exists: boolean;
  readonly files: ProjectFiles;
  /** What blast.toml and pyproject.toml held when they were read; by path. */
  readonly texts: ReadonlyMap<string, string>;
  readonly pyproject: Pyproject | undefined;
  readonly config: BlastConfig;
  /** Shown in the prompt. */
  readonly name: string;
  /** Absolute; need not exist. */
  readonly environmentFolder: string;
  readonly requiresPython: { readonly specifier: string; readonly origin: string } | undefined;
  /** It can be built and is installed as a package itself. */
  readonly isPackage: boolean;
  readonly constraints: readonly ProjectRequirement[];
  readonly overrides: readonly ProjectRequirement[];
  /** Parts that only a build of the package can tell; see dynamic-sets.ts. */
  readonly dynamic: readonly DynamicPart[];
  /** The parts that the files tell, the base first. */
  sets(): Promise<readonly RequirementSet[]>;
  /**
   * All that requirements.txt says; undefined where it does not count. Its requirements are in the
   * base, its options are for file-options.ts.
   */
  requirementsFile(): Promise<Inputs | undefined>;
}

/** How to read a project. */
export interface ProjectOptions {
  /** Take the folder as it is, without looking above it. */
  readonly exactly?: boolean;
  /** Texts that take the place of files: of a change that is not made yet; by path. */
  readonly texts?: ReadonlyMap<string, string>;
}

/**
 * Reads the project that a folder belongs to.
 *
 * @throws {Fault} E_CONFIG with file and line of whatever is wrong
 */
export async function openProject(
  folder: string,
  environment: Variables,
  options: ProjectOptions = {},
): Promise<Project> {
  const texts = options.texts ?? new Map<string, string>();
  const there = options.exactly === true ? projectAt(folder) : findProject(folder);
  const files = withTexts(there, texts);
  const read = (path: string | undefined): Promise<TomlFile | undefined> | undefined => {
    const text = path === undefined ? undefined : texts.get(path);
    if (path === undefined) return undefined;
    return text === undefined ? readTomlFile(path, shown(path)) : parseToml(shown(path), text);
  };
  const [blastToml, pyprojectFile] = await Promise.all([
    read(files.blastToml),
    read(files.pyproject),
  ]);
  const config = await loadBlastConfig({ blastToml, pyproject: pyprojectFile, environment });
  const pyproject =
    pyprojectFile === undefined || files.pyproject === undefined
      ? undefined
      : (await import("../project/pyproject.ts")).pyprojectOf(pyprojectFile, files.pyproject);
  const packages = await packagesIn(blastToml, [], files.folder);
  const tool = await packagesIn(pyprojectFile, ["tool", "blast"], files.folder);
  const own = [...packages.dependencies, ...tool.dependencies];
  const { env } = config.values;
  const isPackage = pyproject?.project !== undefined && pyproject.buildSystem !== undefined;
  let listed: Promise<Inputs | undefined> | undefined;
  const requirementsFile = (): Promise<Inputs | undefined> => {
    listed ??= readRequirements(files, pyproject?.project, own, environment);
    return listed;
  };
  return {
    folder: files.folder,
    exists: [files.blastToml, files.pyproject, files.requirements, files.pylock].some(
      (path) => path !== undefined,
    ),
    files,
    texts: new Map([
      ...textOf(files.blastToml, blastToml),
      ...textOf(files.pyproject, pyprojectFile),
    ]),
    pyproject,
    config,
    name: env.name || pyproject?.project?.displayName || basename(files.folder),
    environmentFolder: resolve(files.folder, env.path),
    requiresPython: requiresPythonOf(pyproject),
    isPackage,
    dynamic: isPackage ? dynamicParts(pyproject) : [],
    constraints: [...packages.constraints, ...tool.constraints],
    overrides: [...packages.overrides, ...tool.overrides],
    sets: async () => setsOf(pyproject, own, (await requirementsFile())?.listed ?? []),
    requirementsFile,
  };
}

function textOf(path: string | undefined, file: TomlFile | undefined): [string, string][] {
  return path === undefined || file === undefined ? [] : [[path, file.text]];
}

type Packages = Pick<Project, "constraints" | "overrides"> & {
  readonly dependencies: readonly ProjectRequirement[];
};

/** What reads requirements is loaded where there are some. */
async function packagesIn(
  file: TomlFile | undefined,
  table: readonly string[],
  folder: string,
): Promise<Packages> {
  if (file === undefined) return { dependencies: [], constraints: [], overrides: [] };
  const { packagesOf } = await import("../project/blast-toml.ts");
  return packagesOf(file, table, folder);
}

/** Files that a change is about to make count as there. */
function withTexts(files: ProjectFiles, texts: ReadonlyMap<string, string>): ProjectFiles {
  const blastToml = join(files.folder, "blast.toml");
  return files.blastToml === undefined && texts.has(blastToml) ? { ...files, blastToml } : files;
}

/** For messages: the file's name is enough, the folder is known. */
function shown(path: string): string {
  return basename(path);
}

function requiresPythonOf(pyproject: Pyproject | undefined): Project["requiresPython"] {
  const specifier = pyproject?.project?.requiresPython;
  if (pyproject === undefined || specifier === undefined) return undefined;
  return { specifier: specifier.toString(), origin: "requires-python of pyproject.toml" };
}

/**
 * requirements.txt counts until [project] says what is asked for. What is recorded in blast.toml
 * comes on top of it, unless the file itself was made from the lock file.
 */
async function usesRequirements(
  path: string,
  project: Pyproject["project"],
  own: readonly ProjectRequirement[],
): Promise<boolean> {
  if (project !== undefined) return false;
  if (own.length === 0) return true;
  const { isExported } = await import("./export.ts");
  return !isExported(await Bun.file(path).text());
}

/** As `blast install -r` reads it: with what it includes, and with its options. */
async function readRequirements(
  { requirements: path, folder }: ProjectFiles,
  project: Pyproject["project"],
  own: readonly ProjectRequirement[],
  environment: Variables,
): Promise<Inputs | undefined> {
  if (path === undefined || !(await usesRequirements(path, project, own))) return undefined;
  const { readInputs } = await import("./inputs.ts");
  return readInputs({ words: [], requirement: [path] }, { folder, environment });
}

/** The parts of [project] that it leaves to its build. */
export function dynamicParts(pyproject: Pyproject | undefined): DynamicPart[] {
  return DYNAMIC_PARTS.filter((part) => pyproject?.project?.dynamic.has(part));
}

function setsOf(
  pyproject: Pyproject | undefined,
  own: readonly ProjectRequirement[],
  listed: readonly ProjectRequirement[],
): readonly RequirementSet[] {
  const project = pyproject?.project;
  const base = [...(project?.dependencies ?? []), ...own, ...listed];
  const sets: RequirementSet[] = [{ kind: "base", name: "", requirements: base }];
  for (const [name, requirements] of project?.optionalDependencies ?? []) {
    sets.push({ kind: "extra", name, requirements });
  }
  for (const name of pyproject?.groups.names ?? []) {
    const requirements = pyproject?.groups.requirements(name) ?? [];
    sets.push({ kind: "group", name, requirements });
  }
  return sets;
}

/** Which parts are wanted. */
export interface Selection {
  readonly extras: ReadonlySet<ExtraName>;
  readonly groups: ReadonlySet<string>;
}

/** Flags that choose parts. */
export interface SelectionFlags {
  readonly extra?: readonly string[];
  readonly group?: readonly string[];
}

/**
 * What the flags choose: the named ones; without `--group`, "dev" where there is one.
 *
 * @throws {Fault} E_NOT_FOUND for what the project does not have
 */
export function selectionOf(sets: readonly RequirementSet[], flags: SelectionFlags): Selection {
  const namesOf = (kind: RequirementSet["kind"]): string[] =>
    sets.filter((set) => set.kind === kind).map(({ name }) => name);
  const extras = (flags.extra ?? []).map((name) => parseExtraName(name));
  const groups = (flags.group ?? []).map(normalizeGroup);
  refuseUnknown("extra", extras, namesOf("extra"));
  refuseUnknown("dependency group", groups, namesOf("group"));
  const usual = groups.length === 0 && namesOf("group").includes("dev") ? ["dev"] : groups;
  return { extras: new Set(extras), groups: new Set(usual) };
}

function refuseUnknown(what: string, wanted: readonly string[], there: readonly string[]): void {
  const unknown = wanted.find((name) => !there.includes(name));
  if (unknown === undefined) return;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot select the ${what} "${unknown}": the project has none of that name`,
    hint: there.length === 0 ? "it has none at all" : `there are ${there.join(", ")}`,
  });
}

/** Whether a part is selected. */
export function isSelected(set: RequirementSet, selection: Selection): boolean {
  switch (set.kind) {
    case "base":
      return true;
    case "extra":
      return selection.extras.has(set.name as ExtraName);
    case "group":
      return selection.groups.has(set.name);
  }
}
