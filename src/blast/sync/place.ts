/** Which environment a command works on, and the interpreter in it. */
import { existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import type { Environment } from "../env/environment.ts";
import { openEnvironment } from "../env/environment.ts";
import { projectOfEnvironment, recordEnvironment } from "../env/registry.ts";
import { isRecoveryDue } from "../env/state-folder.ts";
import { baseProblem } from "../python/base-problem.ts";
import { choosePython, type FindOptions, wishedVersion } from "../python/find.ts";
import {
  basePythonOf,
  externallyManaged,
  type Interpreter,
  Prober,
  venvAbove,
} from "../python/probe.ts";
import { readVenvConfig } from "../python/venv-config.ts";
import {
  changedWish,
  checkOurs,
  type Holdings,
  holdingsOf,
  isWantedPython,
  restoreHoldings,
} from "./rebuild.ts";
import type { Session } from "./session.ts";

const MAKING_POLL_MS = 20;

/** An environment to work on. */
export interface Place {
  readonly environment: Environment;
  /** The environment's own python: its markers, tags and paths. */
  readonly interpreter: Interpreter;
  /** It was made just now. */
  readonly created: boolean;
  /** The project's own, so that its files speak for it. */
  readonly isProjects: boolean;
  /** Of a dry run: it is not there, counts as empty, and this would be installed again. */
  readonly planned?: Holdings;
}

/** How to find or make it. */
export interface PlaceOptions {
  /** `--python`. */
  readonly python?: string | undefined;
  /** Make the project's environment where there is none; otherwise that is an error. */
  readonly create: boolean;
  /** Write nothing: what would be made is only told. */
  readonly dryRun?: boolean;
  /** For the prompt of one that is made; otherwise the name that it had, or the project's. */
  readonly name?: string | undefined;
  /** The project's environment, whatever is active; `python` says which Python it is to have. */
  readonly ownOnly?: boolean;
}

/**
 * The environment meant: by `--python`, else the project's, else the active one, else `.venv` in
 * the working folder.
 *
 * @throws {Fault} E_NOT_FOUND no environment and none may be made; E_REFUSED a Python that the
 *   system manages itself
 */
export async function openPlace(session: Session, options: PlaceOptions): Promise<Place> {
  const place = await findPlace(session, options);
  await putInOrder(session, place, options.dryRun === true);
  return place;
}

/**
 * Takes back what a command that was cut short has left in an environment; a dry run tells of it.
 *
 * @throws {Fault} where the system refuses
 */
export async function putInOrder(session: Session, place: Place, dryRun = false): Promise<void> {
  if (!isRecoveryDue(place.environment)) return;
  if (dryRun) {
    (await import("./planned-place.ts")).tellCutShort(session, place);
    return;
  }
  const { recover } = await import("../env/recover.ts");
  const { takenBack, displaced } = recover(place.environment, "blast");
  for (const command of takenBack) {
    session.printer.note(`Taken back, since it was cut short: ${command}`);
  }
  for (const path of displaced) {
    session.printer.warn(`A file that stood in the way was put aside: "${path}"`);
  }
  // What was taken back may have changed the project's files as well.
  if (takenBack.length > 0) await session.reopenProject();
}

async function findPlace(session: Session, options: PlaceOptions): Promise<Place> {
  const { python } = options;
  if (options.ownOnly === true) return openOwn(session, session.project.environmentFolder, options);
  const named = python === undefined ? undefined : environmentAt(python, session.folder);
  if (named !== undefined) return openNamed(session, named);
  if (python !== undefined && isPath(python, session.folder) && !options.create) {
    return openPrefix(session, python);
  }
  const folder = environmentFolder(session);
  return openOwn(session, folder, options);
}

/** The folder of the environment that is meant without `--python`; it need not exist. */
export function environmentFolder(session: Session): string {
  const { project } = session;
  const active = session.environment["VIRTUAL_ENV"];
  const hasActive = active !== undefined && readVenvConfig(active) !== undefined;
  if (!project.exists && hasActive) return resolve(active);
  if (hasActive && existsSync(project.environmentFolder)) {
    const isOther = resolve(active) !== project.environmentFolder;
    if (isOther) {
      session.printer.warn(
        `The active environment "${active}" is not the project's: the project's is used`,
        "--python PATH names another one",
      );
    }
  }
  return project.environmentFolder;
}

/** The environment that `--python` names: its folder, its bin folder, or a python in it. */
function environmentAt(python: string, folder: string): string | undefined {
  if (!isPath(python, folder)) return undefined;
  const path = resolve(folder, python);
  if (readVenvConfig(path) !== undefined) return path;
  return venvAbove(path);
}

function isPath(text: string, folder: string): boolean {
  return (
    /[/\\]/.test(text) || statSync(resolve(folder, text), { throwIfNoEntry: false }) !== undefined
  );
}

async function openNamed(session: Session, folder: string): Promise<Place> {
  const environment = openEnvironment(folder);
  const prober = new Prober(session.environment);
  const interpreter = await prober.require(environment.python);
  prober.save();
  const isProjects = session.project.exists && folder === session.project.environmentFolder;
  return { environment, interpreter, created: false, isProjects };
}

/** Into an installation itself, as pip does without an environment. */
async function openPrefix(session: Session, python: string): Promise<Place> {
  const { interpreter } = await choosePython(python, findOptions(session));
  const managed = externallyManaged(interpreter);
  if (managed !== undefined) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot change "${interpreter.prefix}": the system manages this Python itself`,
      hint: "make an environment with `blast start`, and use that",
    });
  }
  const { purelib, platlib, include, scripts, data } = interpreter.paths;
  const scheme = { purelib, platlib, headers: include, scripts, data };
  const environment = openEnvironment(interpreter.prefix, { path: interpreter.executable, scheme });
  return { environment, interpreter, created: false, isProjects: false };
}

/**
 * An environment outside of the project's folder ([env] path, or a link) is changed only where it
 * was made for this project: a file of a stranger must not lead into somebody else's.
 *
 * @throws {Fault} E_REFUSED
 */
function checkOwned(session: Session, folder: string): void {
  const { project, environment } = session;
  const real = realpathSync(folder);
  if (real.startsWith(realpathSync(project.folder) + sep)) return;
  const owner =
    projectOfEnvironment(environment, folder) ?? projectOfEnvironment(environment, real);
  if (owner === project.folder) return;
  throw new Fault({
    code: "E_REFUSED",
    message:
      `Cannot use "${real}" as the environment of "${project.folder}": it lies outside of it, ` +
      (owner === undefined ? "and blast has not made it for it" : `and belongs to "${owner}"`),
    hint: "correct [env] path, or name the environment with --python",
  });
}

async function openOwn(session: Session, folder: string, options: PlaceOptions): Promise<Place> {
  const { project, printer } = session;
  const { python } = options;
  const isProjects = folder === project.environmentFolder;
  const prober = new Prober(session.environment);
  const find = { ...findOptions(session), prober };
  let holdings: Holdings | undefined;
  let reason: string | undefined;
  const isThere = existsSync(join(folder, "pyvenv.cfg"));
  if (isThere && isProjects && options.create) checkOwned(session, folder);
  if (isThere) {
    const mayGo = python !== undefined;
    const place = await openExisting(folder, prober, { isProjects, mayGo });
    reason = await whyAnew(session, place, { folder, options, find });
    if (place !== undefined && reason === undefined) {
      prober.save();
      return place;
    }
    if (!options.create) throw unusable(folder, place?.interpreter);
    if (python !== undefined || place === undefined) checkOurs(folder, python, place?.interpreter);
    // Before anything is said: with no Python to make it with, nothing is made anew.
    await choosePython(python, find);
    holdings = holdingsOf(folder);
    if (options.dryRun !== true) printer.note(`${reason}: the environment is made anew`);
  } else if (!options.create) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot find an environment: "${folder}" does not exist`,
      hint: "make one with `blast start`",
    });
  }
  if (options.dryRun === true) {
    const { plannedPlace } = await import("./planned-place.ts");
    return plannedPlace(session, { folder, python, find, isProjects, reason, holdings });
  }
  using _alone = await makeAlone(session, folder);
  // What could not be probed a moment ago, half-made, can be now.
  const again = new Prober(session.environment);
  const made = await madeMeanwhile(folder, options, { prober: again, isProjects, find });
  if (made !== undefined) return made;
  const choice = await choosePython(python, find);
  for (const warning of choice.warnings) printer.warn(warning);
  const name = options.name ?? readVenvConfig(folder)?.get("prompt") ?? project.name;
  const { createVenv } = await import("../python/venv.ts");
  createVenv(folder, choice.interpreter, {
    prompt: name,
    systemSitePackages: session.config.values.env.system_site_packages,
    clear: true,
    wish: wishedVersion(find)?.text,
  });
  const environment = openEnvironment(folder);
  // What was asked of the one before must not be answered for this one.
  const anew = isThere ? new Prober(session.environment) : prober;
  const interpreter = await anew.require(environment.python);
  anew.save();
  const { version, path } = interpreter;
  recordEnvironment(session.environment, {
    path: folder,
    name,
    project: project.folder,
    python: { version, path },
  });
  const place = { environment, interpreter, created: true, isProjects };
  if (holdings !== undefined) await restoreHoldings(session, place, holdings);
  return place;
}

/** Why an environment that is there cannot be used; undefined where it can. */
async function whyAnew(
  session: Session,
  place: Place | undefined,
  at: {
    readonly folder: string;
    readonly options: PlaceOptions;
    readonly find: FindOptions;
  },
): Promise<string | undefined> {
  const { folder, find } = at;
  const { python, create } = at.options;
  if (place === undefined) return `The Python of "${folder}" is gone or was upgraded`;
  const { interpreter } = place;
  const has = `"${folder}" has Python ${interpreter.version}`;
  if (python !== undefined) {
    return (await isWantedPython(interpreter, python, find)) ? undefined : has;
  }
  if (!create || !place.isProjects) return undefined;
  const wish = changedWish(folder, interpreter, find);
  if (wish === undefined) return undefined;
  const asked = `${has}, and ${wish.origin} asks for ${wish.text}`;
  if (wish.isOurs) return asked;
  session.printer.warn(
    asked,
    "another tool made it; where you remove it, blast makes one that fits",
  );
  return undefined;
}

/** Of several processes that make one environment, the others wait and find it made. */
export async function makeAlone(session: Session, folder: string): Promise<Disposable | undefined> {
  const key = new Bun.CryptoHasher("sha256").update(folder).digest("hex").slice(0, 32);
  const path = join(session.cacheFolder, "locks-v1", key);
  const { isLock, tryLock } = await import("../../kit/store/lock.ts");
  try {
    mkdirSync(dirname(path), { recursive: true });
    for (;;) {
      const result = tryLock(path, "blast");
      if (isLock(result)) return result;
      await Bun.sleep(MAKING_POLL_MS);
    }
  } catch {
    // Where nothing can be written, nobody else could be told.
    return undefined;
  }
}

async function madeMeanwhile(
  folder: string,
  { python }: PlaceOptions,
  how: {
    readonly prober: Prober;
    readonly isProjects: boolean;
    readonly find: FindOptions;
  },
): Promise<Place | undefined> {
  if (!existsSync(join(folder, "pyvenv.cfg"))) return undefined;
  const place = await openExisting(folder, how.prober, {
    isProjects: how.isProjects,
    mayGo: python !== undefined,
  });
  if (place === undefined) return undefined;
  if (python !== undefined && !(await isWantedPython(place.interpreter, python, how.find))) {
    return undefined;
  }
  const isOurs = python === undefined && how.isProjects;
  if (isOurs && changedWish(folder, place.interpreter, how.find)?.isOurs) return undefined;
  how.prober.save();
  return place;
}

function unusable(folder: string, has: Interpreter | undefined): Fault {
  const config = readVenvConfig(folder);
  const home = config?.get("home") ?? "";
  const problem =
    has === undefined
      ? `its Python${home === "" ? "" : `, of "${home}",`} is gone or was upgraded`
      : `it has Python ${has.version}, which is not the one asked for`;
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot use the environment "${folder}": ${problem}`,
    hint:
      has !== undefined
        ? "leave --python away, or name another one"
        : config?.has("blast") === true
          ? "`blast sync` makes it anew"
          : "another tool made it: remove it, and `blast sync` makes one",
  });
}

/** What may work again in a moment is no reason to throw away what somebody has installed. */
function silent(folder: string, python: string, problem: string): Fault {
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot use the environment "${folder}": its Python "${python}" fails: ${problem}`,
    hint: "put that Python in order; or remove the environment, and blast makes it anew",
  });
}

/**
 * Undefined when its base Python is not what it was made from any more. `mayGo`: the user has named
 * another one.
 *
 * @throws {Fault} E_NOT_FOUND where that is there, and does not answer
 */
async function openExisting(
  folder: string,
  prober: Prober,
  { isProjects, mayGo }: { readonly isProjects: boolean; readonly mayGo: boolean },
): Promise<Place | undefined> {
  const environment = openEnvironment(folder);
  const found = await prober.probe(environment.python, true);
  if (found === undefined || "problem" in found) {
    const path = basePythonOf(folder, environment.python);
    if (mayGo || found === undefined || path === undefined) return undefined;
    throw silent(folder, path, found.problem);
  }
  const base = await prober.probe(found.path);
  const usable = base === undefined || "problem" in base ? undefined : base;
  if (baseProblem(folder, usable) !== undefined) return undefined;
  return { environment, interpreter: found, created: false, isProjects };
}

/** Where the project says which Python it wants. */
export function findOptions(session: Session): FindOptions {
  const { project, config } = session;
  const request = config.values.env.python_version;
  const { requiresPython } = project;
  return {
    environment: session.environment,
    folder: project.folder,
    ...(request === ""
      ? {}
      : { configured: { request, origin: config.originOf(["env", "python_version"]) } }),
    ...(requiresPython === undefined ? {} : { requiresPython }),
  };
}
