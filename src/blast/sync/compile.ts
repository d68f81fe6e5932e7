/** `blast compile`: loose requirements to pinned ones, as text. */

import { basename, dirname, resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import type { PackageName } from "../pep/name.ts";
import { pythonRange, type SpecifierSet } from "../pep/specifier.ts";
import type { Version } from "../pep/version.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import { choosePython } from "../python/find.ts";
import type { Interpreter } from "../python/probe.ts";
import type { PackageIndex, Resolution, ResolvedPackage, Target } from "../resolve/port.ts";
import { setsFor } from "./dynamic-sets.ts";
import { useFileOptions } from "./file-options.ts";
import { type Inputs, readInputs } from "./inputs.ts";
import { findOptions } from "./place.ts";
import { isSelected, openProject, type Project, selectionOf } from "./project.ts";
import { ask, type ResolveFlags } from "./question.ts";
import { urlOf } from "./recorded.ts";
import { rootsOf } from "./roots.ts";
import type { Session } from "./session.ts";
import { type TargetFlags, targetOf } from "./target.ts";

/** What to compile, and how to print it. */
export interface CompileRequest {
  readonly files: readonly string[];
  readonly flags: ResolveFlags &
    TargetFlags & {
      readonly constraint: readonly string[];
      readonly override: readonly string[];
      readonly extra: readonly string[];
      readonly group: readonly string[];
    };
  readonly universal: boolean;
  readonly hashes: boolean;
  readonly annotate: boolean;
  readonly header: boolean;
  readonly noDependencies: boolean;
  readonly upgrade: boolean;
  readonly output: string | undefined;
  readonly python: string | undefined;
  readonly command: string;
}

/**
 * The pinned requirements.
 *
 * @throws {Fault} E_UNSATISFIABLE, and whatever reading and asking can throw
 */
export async function compile(session: Session, request: CompileRequest): Promise<string> {
  const { interpreter } = await choosePython(request.python, findOptions(session));
  const inputs = await gather(session, interpreter, request);
  const at = async (): Promise<PackageIndex> => {
    const index = await session.index(interpreter);
    if (!request.noDependencies) return index;
    return (await import("./without-dependencies.ts")).withoutDependencies(index);
  };
  const [requirements, constraints, overrides] = await Promise.all([
    rootsOf([...inputs.named, ...inputs.listed], at),
    rootsOf([...inputs.constraints, ...session.project.constraints], at),
    rootsOf([...inputs.overrides, ...session.project.overrides], at),
  ]);
  const { flags } = request;
  const resolution = await ask(
    session,
    {
      interpreter,
      isPlain: !request.noDependencies,
      target: targetFor(session.project, interpreter, request),
      requirements,
      constraints,
      overrides,
      preferences: await pinsOf(session, request),
      flags: {
        ...flags,
        pre: flags.pre === true || inputs.pre,
        "no-binary": [...inputs.noBinary, ...(flags["no-binary"] ?? [])],
        "only-binary": [...inputs.onlyBinary, ...(flags["only-binary"] ?? [])],
      },
    },
    at,
  );
  return render(resolution, [...inputs.named, ...inputs.listed], request);
}

function targetFor(project: Project, interpreter: Interpreter, request: CompileRequest): Target {
  if (!request.universal) return targetOf(interpreter, request.flags);
  const lower = request.flags["python-version"];
  const said = project.requiresPython?.specifier;
  return {
    kind: "universal",
    requiresPython:
      lower !== undefined
        ? pythonRange(`>=${lower}`)
        : said !== undefined
          ? pythonRange(said)
          : pythonRange(`>=${interpreter.markers.python_version}`),
    python: interpreter.version,
  };
}

/** Files that stand for the project in their folder. */
const PROJECT_FILES: ReadonlySet<string> = new Set(["pyproject.toml", "blast.toml"]);

/** The files' requirements; a pyproject.toml or blast.toml gives its project's. */
async function gather(
  session: Session,
  interpreter: Interpreter,
  request: CompileRequest,
): Promise<Inputs> {
  const { flags } = request;
  const tomls = request.files.filter((file) => PROJECT_FILES.has(basename(file)));
  const lists = request.files.filter((file) => !tomls.includes(file));
  const inputs = await readInputs(
    { words: [], requirement: lists, constraint: flags.constraint, override: flags.override },
    { folder: session.folder, environment: session.environment, pip: await session.pip() },
  );
  for (const note of inputs.notes) session.printer.warn(note);
  session.addFlags(inputs.index);
  const folders = [...new Set(tomls.map((file) => dirname(resolve(session.folder, file))))];
  const projects = await Promise.all(folders.map((folder) => projectIn(session, folder)));
  // Before anything is asked of an index.
  for (const project of projects) await useFileOptions(session, project);
  const named = await Promise.all(
    projects.map((project) => requirementsOf(session, interpreter, project, flags)),
  );
  const files = await Promise.all(projects.map((project) => project.requirementsFile()));
  const read = files.filter((file) => file !== undefined);
  return {
    ...inputs,
    named: named.flat(),
    constraints: [...inputs.constraints, ...read.flatMap((file) => file.constraints)],
    noBinary: [...inputs.noBinary, ...read.flatMap((file) => file.noBinary)],
    onlyBinary: [...inputs.onlyBinary, ...read.flatMap((file) => file.onlyBinary)],
    pre: inputs.pre || read.some((file) => file.pre),
  };
}

async function projectIn(session: Session, folder: string): Promise<Project> {
  const isHere = folder === session.project.folder;
  const project = isHere
    ? session.project
    : await openProject(folder, session.environment, { exactly: true });
  if (project.files.pyproject === undefined && project.files.blastToml === undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot read the project in "${folder}": no such file`,
    });
  }
  return project;
}

async function requirementsOf(
  session: Session,
  interpreter: Interpreter,
  project: Project,
  flags: CompileRequest["flags"],
): Promise<readonly ProjectRequirement[]> {
  const sets = await setsFor(session, interpreter, project);
  const selection = selectionOf(sets, {
    extra: flags.extra,
    // As uv and pip-compile have it: groups only where they are named.
    group: flags.group,
  });
  const chosen = sets.filter(
    (set) => isSelected(set, selection) && (set.kind !== "group" || flags.group.length > 0),
  );
  return chosen.flatMap((set) => set.requirements);
}

/** What the output file pins is kept where it fits. */
async function pinsOf(
  session: Session,
  request: CompileRequest,
): Promise<ReadonlyMap<PackageName, readonly Version[]>> {
  const pins = new Map<PackageName, Version[]>();
  const { output } = request;
  if (output === undefined || request.upgrade || !(await Bun.file(output).exists())) return pins;
  const { folder, environment } = session;
  const { listed } = await readInputs(
    { words: [], requirement: [output] },
    { folder, environment },
  );
  for (const { requirement } of listed) {
    const pinned = requirement === undefined ? undefined : pinnedVersion(requirement.specifier);
    if (requirement === undefined || pinned === undefined) continue;
    pins.set(requirement.name, [...(pins.get(requirement.name) ?? []), pinned]);
  }
  return pins;
}

function pinnedVersion({ specifiers }: SpecifierSet): Version | undefined {
  const [only] = specifiers;
  const isPin = specifiers.length === 1 && only?.operator === "==" && !only.wildcard;
  return isPin ? only.version : undefined;
}

function render(
  resolution: Resolution,
  roots: readonly ProjectRequirement[],
  request: CompileRequest,
): string {
  const needers = neededBy(resolution, roots);
  const lines: string[] = [];
  if (request.header) {
    lines.push("# Made by blast with the command:", `#    ${request.command}`);
  }
  for (const resolved of resolution.packages) {
    const first = pinOf(resolved);
    const hashes = request.hashes ? hashesOf(resolved) : [];
    lines.push([first, ...hashes.map((hash) => `    --hash=${hash}`)].join(" \\\n"));
    if (!request.annotate) continue;
    const names = needers.get(resolved.name) ?? [];
    if (names.length === 1) lines.push(`    # via ${names[0]}`);
    else if (names.length > 1) lines.push("    # via", ...names.map((name) => `    #   ${name}`));
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function pinOf(resolved: ResolvedPackage): string {
  const { name, version, source, marker } = resolved;
  const where = marker === undefined || marker.isTrue() ? "" : ` ; ${marker.toMarkerString()}`;
  if (source === undefined) return `${name}==${version}${where}`;
  const url = urlOf(source);
  if (source.kind === "directory" && source.editable) return `-e ${url}${where}`;
  return `${name} @ ${url}${where}`;
}

function hashesOf(resolved: ResolvedPackage): string[] {
  const hashes = resolved.files.flatMap((file) => {
    const sha256 = file.hashes["sha256"];
    return sha256 === undefined ? [] : [`sha256:${sha256}`];
  });
  return [...new Set(hashes)].sort();
}

/** Who asks for each package: packages by name, files as `-r FILE`. */
function neededBy(
  resolution: Resolution,
  roots: readonly ProjectRequirement[],
): ReadonlyMap<PackageName, readonly string[]> {
  const needers = new Map<PackageName, Set<string>>();
  const add = (name: PackageName, by: string): void => {
    const known = needers.get(name);
    if (known === undefined) needers.set(name, new Set([by]));
    else known.add(by);
  };
  for (const { name, origin } of roots) {
    if (name !== undefined) add(name, `-r ${origin.replace(/:\d+$/, "")}`);
  }
  for (const { name, dependencies } of resolution.packages) {
    for (const dependency of dependencies) {
      if (dependency.name !== name) add(dependency.name, name);
    }
  }
  return new Map([...needers].map(([name, by]) => [name, [...by].sort()]));
}
