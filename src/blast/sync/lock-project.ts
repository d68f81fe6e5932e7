/** The lock file of a project: kept where it fits, made anew where it does not. */
import { join } from "node:path";
import { parseToml } from "../../kit/config/toml.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { evaluateMarker } from "../pep/marker.ts";
import { MarkerSet } from "../pep/marker-algebra.ts";
import type { PackageName } from "../pep/name.ts";
import { pythonRange } from "../pep/specifier.ts";
import type { Version } from "../pep/version.ts";
import { type Pylock, type PylockContent, pylockOf } from "../project/pylock.ts";
import { type SelectedPackage, selectForEnvironment } from "../project/pylock-select.ts";
import { pylockText } from "../project/pylock-write.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import type { Interpreter } from "../python/probe.ts";
import type { PackageIndex, Resolution } from "../resolve/port.ts";
import { setsFor, setsOfLock } from "./dynamic-sets.ts";
import { type FileOptions, useFileOptions } from "./file-options.ts";
import { broughtBy, givenHashes } from "./hashes.ts";
import { isLockAlone } from "./lock-alone.ts";
import { type LockParts, lockContent } from "./lock-content.ts";
import { type LockRoots, lockRoots } from "./lock-roots.ts";
import { isChosen } from "./name-choice.ts";
import type { Project, RequirementSet, Selection } from "./project.ts";
import { ask, type ResolveFlags, rulesOf } from "./question.ts";
import type { RecordEdit } from "./record.ts";
import { rootsOf } from "./roots.ts";
import type { Session } from "./session.ts";
import { targetOf } from "./target.ts";
import type { WantedPackage } from "./wanted.ts";

/** How to lock. */
export interface LockOptions {
  /** Pins to let go of. */
  readonly upgrade: "all" | ReadonlySet<string>;
  readonly flags: ResolveFlags;
  /** Fail where the lock file does not fit. */
  readonly locked: boolean;
  /** Take the lock file as it is. */
  readonly frozen: boolean;
  /** Of the command line, beside the project's own. */
  readonly constraints: readonly ProjectRequirement[];
  readonly overrides: readonly ProjectRequirement[];
  /** This command changes what the project asks for. */
  readonly isEdited?: boolean;
}

/** How to lock, with what the project's files say besides requirements. */
interface LockRun extends LockOptions {
  readonly file: FileOptions;
}

/** A lock that fits the project. */
export interface Locked {
  /** The project's parts that it was made of; of one that is taken as it is, those it knows. */
  readonly sets: readonly RequirementSet[];
  /** Of this run; undefined where the lock file fitted already. */
  readonly resolution: Resolution | undefined;
  /** The lock file that is to be written; undefined where it stays as it is. */
  editFor(project: Project): Promise<RecordEdit | undefined>;
  /** What of it goes into an environment. */
  wanted(interpreter: Interpreter, selection: Selection): Promise<WantedPackage[]>;
}

/** The file, in a project's folder. */
const LOCK_NAME = "pylock.toml";

/**
 * The project's lock. Whether the lock file fits is told by a digest of the requirements that it
 * was made for; one that another tool has written fits where it holds all that is asked for.
 *
 * @throws {Fault} E_REFUSED with `locked` where it does not fit; E_NOT_FOUND with `frozen` where
 *   there is none; E_UNSATISFIABLE
 */
export async function lockProject(
  session: Session,
  interpreter: Interpreter,
  project: Project,
  request: LockOptions,
): Promise<Locked> {
  const file = await useFileOptions(session, project);
  const options: LockRun = { ...request, flags: file.over(request.flags), file };
  const path = join(project.folder, LOCK_NAME);
  const before = project.files.pylock === undefined ? null : await Bun.file(path).text();
  const previous =
    before === null ? undefined : pylockOf(await parseToml(LOCK_NAME, before), project.folder);
  for (const note of previous?.notes ?? []) session.printer.warn(note);
  if (options.frozen) {
    if (previous === undefined) throw absent(project);
    return kept(session, previous, options, setsOfLock(await project.sets(), previous));
  }
  const sets = await setsFor(session, interpreter, project);
  const inputs = await inputsOf(session, interpreter, project, sets, options);
  const isBound = options.constraints.length + options.overrides.length > 0;
  const isWanted = options.upgrade !== "all" && options.upgrade.size === 0 && !isBound;
  const isAlone = isLockAlone(project);
  const fitting: Fitting = { inputs, sets, interpreter, isEdited: options.isEdited === true };
  if (previous !== undefined && isWanted && (isAlone || fits(previous, fitting))) {
    return kept(session, previous, options, sets);
  }
  if (isAlone) throw alone(project);
  const asksNothing = !project.isPackage && sets.every((set) => set.requirements.length === 0);
  // A project that asks for nothing has no lock file, and none is missing.
  if (options.locked && (previous !== undefined || !asksNothing)) {
    throw stale(project, previous !== undefined);
  }
  return lockAnew({ session, interpreter, project, sets, options, path, before, previous });
}

/**
 * Whether the lock file that is there fits the project, without a question to any server.
 * Undefined: only a build of the project could tell.
 */
export async function isLockFitting(
  session: Session,
  interpreter: Interpreter,
): Promise<boolean | undefined> {
  const { project } = session;
  const { readPylock } = await import("../project/pylock.ts");
  const lock =
    project.files.pylock === undefined ? undefined : await readPylock(project.files.pylock);
  if (lock === undefined) return false;
  if (isLockAlone(project)) return true;
  if (project.dynamic.length > 0) return undefined;
  const sets = await project.sets();
  const file = await useFileOptions(session);
  const options: LockRun = {
    file,
    upgrade: new Set<string>(),
    flags: file.over({}),
    locked: false,
    frozen: false,
    constraints: [],
    overrides: [],
  };
  const inputs = await inputsOf(session, interpreter, project, sets, options);
  return fits(lock, { inputs, sets, interpreter, isEdited: false });
}

/** What a lock file has to fit. */
interface Fitting {
  readonly inputs: string;
  readonly sets: readonly RequirementSet[];
  readonly interpreter: Interpreter;
  readonly isEdited: boolean;
}

/** Whether the project's lock file can be used as it is. */
function fits(lock: Pylock, { inputs, sets, interpreter, isEdited }: Fitting): boolean {
  const blast = lock.tool?.["blast"] as { readonly inputs?: unknown } | undefined;
  if (blast !== undefined) return blast.inputs === inputs;
  // It does not tell what it was made for: it would hold what is not asked for any more.
  if (isEdited) return false;
  const versions = new Map<PackageName, Version[]>();
  for (const { name, version } of lock.packages) {
    versions.set(name, [
      ...(versions.get(name) ?? []),
      ...(version === undefined ? [] : [version]),
    ]);
  }
  // Of another tool's lock file only what it was asked for can be checked.
  return (
    sets
      .filter(({ kind }) => kind === "base")
      .flatMap(({ requirements }) => requirements)
      // It may have been made for this platform and Python alone.
      .filter(({ marker }) => marker === undefined || evaluateMarker(marker, interpreter.markers))
      .every(({ name, requirement, source }) => {
        const found = name === undefined ? undefined : versions.get(name);
        if (found === undefined) return false;
        if (source !== undefined || requirement === undefined) return true;
        return found.some((version) => requirement.specifier.contains(version));
      })
  );
}

interface LockJob {
  readonly session: Session;
  readonly interpreter: Interpreter;
  readonly project: Project;
  readonly sets: readonly RequirementSet[];
  readonly options: LockRun;
  readonly path: string;
  readonly before: string | null;
  readonly previous: Pylock | undefined;
}

async function lockAnew(job: LockJob): Promise<Locked> {
  const { session, interpreter, project, sets, options } = job;
  const index = (): Promise<PackageIndex> => session.index(interpreter);
  const requiresPython = pythonsOf(project, interpreter);
  const pythons = pythonRange(requiresPython);
  const [roots, constraints, overrides] = await Promise.all([
    lockRoots(project, sets, index),
    rootsOf([...boundsOf(project, options.file), ...options.constraints], index),
    rootsOf([...project.overrides, ...options.overrides], index),
  ]);
  const resolution = await ask(
    session,
    {
      interpreter,
      target: { kind: "universal", requiresPython: pythons, python: interpreter.version },
      requirements: roots.roots,
      constraints,
      overrides,
      preferences: preferencesOf(job.previous, options.upgrade),
      flags: options.flags,
    },
    index,
  );
  const contentFor = contentMaker(job, { resolution, roots, requiresPython });
  return {
    sets,
    resolution,
    editFor: async (final) => {
      const content = await contentFor(final);
      // A project that asks for nothing needs no file that says so.
      if (job.before === null && content.packages.length === 0) return undefined;
      const after = pylockText(content);
      return after === job.before ? undefined : { path: job.path, before: job.before, after };
    },
    wanted: async (at, selection) => {
      const content = await contentFor(project);
      const lock: Pylock = {
        ...content,
        folder: project.folder,
        shown: LOCK_NAME,
        lockVersion: "1.0",
        createdBy: "blast",
        notes: [],
      };
      return wantedOfLock(session, lock, at, selection, options.flags, roots);
    },
  };
}

/** The content for a project; only its digest differs between two edits of the same project. */
function contentMaker(
  job: LockJob,
  found: {
    readonly resolution: Resolution;
    readonly roots: LockRoots;
    readonly requiresPython: string;
  },
): (project: Project) => Promise<PylockContent> {
  const { session, interpreter, options, sets } = job;
  let made: Promise<PylockContent> | undefined;
  return async (project) => {
    made ??= lockContent({
      project: job.project,
      sets,
      resolution: found.resolution,
      roots: found.roots.conditional,
      requiresPython: found.requiresPython,
      pythons: MarkerSet.ofPython(pythonRange(found.requiresPython)),
      inputs: "",
      ...hashRule(found.resolution, found.roots, sets, options.file),
      index: () => session.index(interpreter),
    });
    const now = await setsFor(session, interpreter, project);
    const inputs = await inputsOf(session, interpreter, project, now, options);
    return { ...(await made), tool: { blast: { inputs } } };
  };
}

/** Which hashes files must have, where requirements.txt says so. */
function hashRule(
  { packages }: Resolution,
  { conditional }: LockRoots,
  sets: readonly RequirementSet[],
  { hashed }: FileOptions,
): Pick<LockParts, "hashes"> {
  if (hashed === undefined) return {};
  const names = hashed.flatMap(({ name }) => name ?? []);
  // What has no name of its own got it from its source; only the base has what the file lists.
  const nameless = hashed.length > names.length;
  const brought = broughtBy(
    nameless ? conditional.map(({ requirement }) => requirement.name) : names,
    packages,
  );
  const given = givenHashes(sets.flatMap(({ requirements }) => requirements));
  return { hashes: { given, isNeeded: (name) => brought.has(name) } };
}

/** Constraints of the project's files. */
function boundsOf(project: Project, file: FileOptions): readonly ProjectRequirement[] {
  return [...file.constraints, ...project.constraints];
}

function kept(
  session: Session,
  lock: Pylock,
  options: LockOptions,
  sets: readonly RequirementSet[],
): Locked {
  return {
    sets,
    resolution: undefined,
    editFor: async () => undefined,
    wanted: (interpreter, selection) =>
      wantedOfLock(session, lock, interpreter, selection, options.flags, sets),
  };
}

async function wantedOfLock(
  session: Session,
  lock: Pylock,
  interpreter: Interpreter,
  selection: Selection,
  flags: ResolveFlags,
  asked: LockRoots | readonly RequirementSet[],
): Promise<WantedPackage[]> {
  const { markers, tags } = targetOf(interpreter);
  const rules = await rulesOf(session, flags);
  const selected = selectForEnvironment(lock, {
    markers,
    tags,
    extras: selection.extras,
    groups: selection.groups,
    noBinary: (name) => isChosen(rules.noBinary, name),
    onlyBinary: (name) => isChosen(rules.onlyBinary, name),
  });
  const named =
    "roots" in asked
      ? asked.roots.map(({ requirement }) => requirement.name)
      : asked.flatMap(({ requirements }) => requirements.flatMap(({ name }) => name ?? []));
  const requested = new Set<PackageName>(named);
  return selected.map((one) => wantedPackage(one, requested));
}

function wantedPackage(
  { locked, from }: SelectedPackage,
  requested: ReadonlySet<PackageName>,
): WantedPackage {
  const { name, version } = locked;
  const common = {
    name,
    ...(version === undefined ? {} : { version }),
    requested: requested.has(name),
  };
  if (from.kind === "file") return { ...common, file: from.file };
  const { source, requestedRevision, hashes } = from;
  // A folder's version is what its files say now, not what they said when it was locked.
  const known = source.kind === "directory" ? withoutVersion(common) : common;
  return {
    ...known,
    source,
    hashes,
    ...(requestedRevision === undefined ? {} : { requestedRevision }),
  };
}

function withoutVersion({ version: _, ...rest }: Omit<WantedPackage, "file" | "source">) {
  return rest;
}

/** The pins of the lock file, but for those to let go of. */
function preferencesOf(
  previous: Pylock | undefined,
  upgrade: LockOptions["upgrade"],
): ReadonlyMap<PackageName, readonly Version[]> {
  const pins = new Map<PackageName, Version[]>();
  if (previous === undefined || upgrade === "all") return pins;
  for (const { name, version } of previous.packages) {
    if (version === undefined || upgrade.has(name)) continue;
    // Newest first: a fork that cannot have it takes the next one.
    pins.set(name, [version, ...(pins.get(name) ?? [])]);
  }
  return pins;
}

/**
 * The Pythons that a project is for: requires-python; of blast.toml the line that it names; else
 * the interpreter's and everything after.
 */
function pythonsOf(project: Project, interpreter: Interpreter): string {
  const said = project.requiresPython?.specifier;
  if (said !== undefined) return said;
  const wish = project.config.values.env.python_version;
  const line = /^(?:cpython@?)?(\d+\.\d+)(?:\.\d+)?$/.exec(wish)?.[1];
  if (line !== undefined) return `==${line}.*`;
  if (/^[<>=!~]/.test(wish)) return wish;
  return `>=${interpreter.markers.python_version}`;
}

/** A digest of all that the answer depends on, but for what the index has. */
async function inputsOf(
  session: Session,
  interpreter: Interpreter,
  project: Project,
  sets: readonly RequirementSet[],
  options: LockRun,
): Promise<string> {
  const texts = (entries: readonly ProjectRequirement[]): string[] =>
    entries.map(({ text, editable }) => (editable ? `-e ${text}` : text)).sort();
  const rules = await rulesOf(session, options.flags);
  const described = {
    // A change of what is written into the file, or why, gets another number.
    format: 1,
    python: pythonsOf(project, interpreter),
    package: project.isPackage ? project.pyproject?.project?.name : undefined,
    sets: sets.map(({ kind, name, requirements }) => [kind, name, texts(requirements)]),
    // Those of the command line count once; the pins that they led to are kept afterwards.
    constraints: texts(boundsOf(project, options.file)),
    // Undefined, and so not in the text, where requirements.txt has no such options.
    file: options.file.described,
    overrides: texts(project.overrides),
    strategy: rules.strategy,
    preReleases: rules.preReleases,
    excludeNewer: rules.excludeNewerMs,
  };
  const digest = new Bun.CryptoHasher("sha256").update(JSON.stringify(described)).digest("hex");
  return `sha256:${digest.slice(0, 32)}`;
}

function absent(project: Project): Fault {
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot use the lock file: there is no ${LOCK_NAME} in "${project.folder}"`,
    hint: "`blast lock` writes it",
  });
}

function alone(project: Project): Fault {
  return new Fault({
    code: "E_REFUSED",
    message: `Cannot change ${LOCK_NAME}: no file in "${project.folder}" says what was asked for`,
    hint: "pyproject.toml, blast.toml or requirements.txt would say it",
  });
}

function stale(project: Project, isThere: boolean): Fault {
  return new Fault({
    code: "E_REFUSED",
    message: isThere
      ? `Cannot use ${LOCK_NAME}: it does not fit the project in "${project.folder}" any more`
      : `Cannot use ${LOCK_NAME}: there is none in "${project.folder}"`,
    hint: "`blast lock` brings it up to date",
  });
}
