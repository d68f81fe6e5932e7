/** What a Python interpreter says of itself: asked once, then taken from the cache. */
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Environment } from "../../kit/config/paths.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { MarkerEnvironment } from "../pep/marker-environment.ts";
import type { InterpreterTags } from "../pep/tag.ts";
import { type FileIdentity, fileIdentity, ProbeCache, probeCachePath } from "./probe-cache.ts";
import { ANSWER_MARK, PROBE_SCRIPT } from "./probe-script.ts";
import { type Answer, machineFacts, tagsOf } from "./probe-tags.ts";
import { readVenvConfig } from "./venv-config.ts";

/** Where packages and programs go; absolute paths. */
export interface SchemePaths {
  readonly stdlib: string;
  readonly purelib: string;
  readonly platlib: string;
  readonly include: string;
  readonly scripts: string;
  readonly data: string;
}

/** A Python that can be used. */
export interface Interpreter {
  /** The base executable: absolute, of no environment, nor a shim. */
  readonly path: string;
  /** What was asked about: of an environment its own python, otherwise as `path`. */
  readonly executable: string;
  /** In full, as PEP 440: `3.12.1`, `3.13.0rc2`. */
  readonly version: string;
  /** `cpython`, `pypy`, `graalpy`. */
  readonly implementation: string;
  readonly markers: MarkerEnvironment;
  readonly tags: InterpreterTags;
  /** Of the environment, where it is one. */
  readonly prefix: string;
  readonly basePrefix: string;
  readonly isVirtual: boolean;
  /** Of this prefix. */
  readonly paths: SchemePaths;
  /** What an environment of this Python has, relative to its root: `lib/python3.12/…`. */
  readonly venvPaths: Omit<SchemePaths, "stdlib" | "data">;
  readonly pointerBits: 32 | 64;
  /** Without the global interpreter lock (3.13t). */
  readonly isFreeThreaded: boolean;
  readonly isDebug: boolean;
}

/** An interpreter, or why it is none that could be used. */
export type ProbeResult = Interpreter | { readonly problem: string };

const TIMEOUT_MS = 30_000;
const PROBLEM_CHARACTERS_MAX = 300;

/** Asks interpreters; one per command. Call {@link Prober.save} when all is found. */
export class Prober {
  readonly #environment: Environment;
  readonly #cache: ProbeCache;
  readonly #known = new Map<string, ProbeResult>();
  /** Of this run: its answers are no older. */
  readonly #asked = new Set<string>();
  /** How many processes were started: none on a warm run. */
  started = 0;

  constructor(environment: Environment, cachePath = probeCachePath(environment)) {
    this.#environment = environment;
    this.#cache = new ProbeCache(cachePath);
  }

  /**
   * The interpreter at a path; undefined when no executable file is there.
   *
   * @param again ask one that has failed in an earlier run: the reason may be gone, though its file
   *   is the same (a library that was missing, a variable that was not set)
   */
  async probe(path: string, again = false): Promise<ProbeResult | undefined> {
    const known = this.cached(path);
    if (known !== "unknown" && !(again && this.#isOldProblem(path, known))) return known;
    const venv = venvAbove(path);
    if (venv !== undefined) return this.#virtual(venv, path, again);
    const asked = inPlace(path);
    const identity = fileIdentity(asked);
    if (identity === undefined) return undefined;
    const answer = await this.#ask(asked);
    if (answer.keep) this.#cache.put(asked, identity, answer.value);
    return this.#remember(path, interpreterOf(asked, identity, answer.value));
  }

  /** What is known without starting anything. */
  cached(path: string): ProbeResult | undefined | "unknown" {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const found = fileIdentity(path);
    if (found === undefined) return undefined;
    if (venvAbove(path) !== undefined) return "unknown";
    const asked = inPlace(path, found);
    const identity = asked === path ? found : fileIdentity(asked);
    const answer = identity === undefined ? undefined : this.#cache.get(asked, identity);
    if (identity === undefined || !isAnswer(answer)) return "unknown";
    return this.#remember(path, interpreterOf(asked, identity, answer));
  }

  /**
   * The interpreter at a path that somebody named.
   *
   * @throws {Fault} E_NOT_FOUND when there is none, or none that works
   */
  async require(path: string): Promise<Interpreter> {
    const result = await this.probe(path, true);
    if (result === undefined) {
      throw new Fault({
        code: "E_NOT_FOUND",
        message: `Cannot use Python "${path}": no executable file is there`,
      });
    }
    if ("problem" in result) {
      throw new Fault({
        code: "E_NOT_FOUND",
        message: `Cannot use Python "${path}": ${result.problem}`,
      });
    }
    return result;
  }

  /** Keeps what was asked for the next run. */
  save(): void {
    this.#cache.save();
  }

  /** The python of an environment is its base's, with other places. */
  async #virtual(folder: string, path: string, again: boolean): Promise<ProbeResult> {
    const base = basePythonOf(folder, path);
    const result = base === undefined ? undefined : await this.probe(base, again);
    if (result === undefined) {
      return { problem: `the base Python of the environment "${folder}" is gone` };
    }
    return this.#remember(path, "problem" in result ? result : inVenv(result, folder, path));
  }

  #isOldProblem(path: string, known: ProbeResult | undefined): boolean {
    return known !== undefined && "problem" in known && !this.#asked.has(inPlace(path));
  }

  async #ask(path: string): Promise<{ value: Answer | { problem: string }; keep: boolean }> {
    this.started += 1;
    this.#asked.add(path);
    try {
      return await askInterpreter(path, this.#environment);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      return { value: { problem: `it cannot be started (${reason})` }, keep: false };
    }
  }

  #remember(path: string, result: ProbeResult): ProbeResult {
    this.#known.set(path, result);
    return result;
  }
}

async function askInterpreter(
  path: string,
  environment: Environment,
): Promise<{ value: Answer | { problem: string }; keep: boolean }> {
  const child = Bun.spawn([path, "-I", "-S", "-B", "-c", PROBE_SCRIPT], {
    cwd: "/",
    // macOS tells programs an old version of itself unless they ask not to be told so.
    env: { ...environment, SYSTEM_VERSION_COMPAT: "0", __PYVENV_LAUNCHER__: undefined },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  clearTimeout(timer);
  const at = stdout.lastIndexOf(ANSWER_MARK);
  if (code === 0 && at !== -1) {
    const [line = ""] = stdout.slice(at + ANSWER_MARK.length).split("\n");
    const value: unknown = JSON.parse(line);
    if (isAnswer(value)) return { value: { ...value, ...(await machineFacts(path)) }, keep: true };
  }
  if (child.signalCode === "SIGKILL") {
    return { value: { problem: `it gave no answer in ${TIMEOUT_MS / 1000} s` }, keep: false };
  }
  const [first = ""] = stderr.trim().split("\n").slice(-1);
  const said = first === "" ? `exit code ${code}` : first.slice(0, PROBLEM_CHARACTERS_MAX);
  const tooOld = /unknown option:? -I/i.test(stderr) || /Unknown option: -I/i.test(first);
  const problem = tooOld ? "it is older than Python 3.6" : `it does not answer: ${said}`;
  return { value: { problem }, keep: true };
}

function interpreterOf(
  path: string,
  identity: FileIdentity,
  answer: Answer | { problem: string },
): ProbeResult {
  if ("problem" in answer) return answer;
  const executable = answer.executable || path;
  const base = baseExecutable(executable, identity.realPath, answer);
  return {
    path: base,
    executable,
    version: answer.version,
    implementation: answer.implementation,
    markers: withSystem(answer.markers),
    tags: tagsOf(answer),
    prefix: answer.prefix,
    basePrefix: answer.basePrefix,
    isVirtual: false,
    paths: answer.paths,
    venvPaths: relativePaths(answer.venvPaths),
    pointerBits: answer.pointerBits,
    isFreeThreaded: answer.freeThreaded,
    isDebug: answer.debug,
  };
}

/** The kernel may have been replaced since the interpreter was asked; few markers look at it. */
function withSystem(markers: MarkerEnvironment): MarkerEnvironment {
  if (process.platform === "win32") return markers;
  const system = () => process.getBuiltinModule("node:os");
  return {
    ...markers,
    get platform_release() {
      return system().release();
    },
    get platform_version() {
      return system().version();
    },
  };
}

/**
 * The path that an environment names as its base: as found, if Python's own files lie beside it
 * (a distribution keeps that path through updates), otherwise what it leads to.
 */
function baseExecutable(executable: string, realPath: string, answer: Answer): string {
  const isAtHome = (path: string): boolean => {
    const folder = dirname(path);
    const prefix = process.platform === "win32" ? folder : dirname(folder);
    return prefix === answer.basePrefix || prefix === answer.baseExecPrefix;
  };
  const beside = join(answer.basePrefix, "bin", basename(realPath));
  if (isAtHome(executable)) return executable;
  if (!isAtHome(realPath) && existsSync(beside)) return beside;
  return realPath;
}

/** `python3` → `python3.12` in the same folder: one answer serves all of its names. */
function inPlace(path: string, identity = fileIdentity(path)): string {
  const real = identity?.realPath;
  return real !== undefined && dirname(real) === dirname(path) ? real : path;
}

/** The environment that a python belongs to, by the pyvenv.cfg above it (PEP 405). */
export function venvAbove(python: string): string | undefined {
  const folder = dirname(dirname(resolve(python)));
  return existsSync(join(folder, "pyvenv.cfg")) ? folder : undefined;
}

/** The base executable of an environment, by its link, else by `home`; undefined when gone. */
export function basePythonOf(folder: string, python: string): string | undefined {
  const home = readVenvConfig(folder)?.get("home");
  let path = resolve(python);
  for (let hops = 0; hops < 16; hops += 1) {
    let target: string;
    try {
      target = readlinkSync(path);
    } catch {
      break;
    }
    path = resolve(dirname(path), target);
    if (venvAbove(path) === undefined && fileIdentity(path) !== undefined) return path;
  }
  if (home === undefined) return undefined;
  const names = [basename(python), "python3", "python", "pypy3", "python.exe"];
  return names.map((name) => join(home, name)).find((name) => fileIdentity(name) !== undefined);
}

function inVenv(base: Interpreter, folder: string, executable: string): Interpreter {
  const { venvPaths } = base;
  return {
    ...base,
    executable: resolve(executable),
    prefix: folder,
    isVirtual: true,
    paths: {
      stdlib: base.paths.stdlib,
      purelib: join(folder, venvPaths.purelib),
      platlib: join(folder, venvPaths.platlib),
      include: join(folder, venvPaths.include),
      scripts: join(folder, venvPaths.scripts),
      data: folder,
    },
  };
}

function relativePaths(paths: SchemePaths): Interpreter["venvPaths"] {
  const relative = (path: string): string => path.replace(/^@[/\\]?/, "");
  return {
    purelib: relative(paths.purelib),
    platlib: relative(paths.platlib),
    include: relative(paths.include),
    scripts: relative(paths.scripts),
  };
}

function isAnswer(value: unknown): value is Answer | { problem: string } {
  if (typeof value !== "object" || value === null) return false;
  return "problem" in value || ("version" in value && "markers" in value && "paths" in value);
}

/**
 * What a Python that is managed by the system says to those who would install into it; undefined
 * where installing is fine.
 *
 * @see https://peps.python.org/pep-0668/
 */
export function externallyManaged(interpreter: Interpreter): string | undefined {
  if (interpreter.isVirtual) return undefined;
  let text: string;
  try {
    text = readFileSync(join(interpreter.paths.stdlib, "EXTERNALLY-MANAGED"), "utf8");
  } catch {
    return undefined;
  }
  const error = /^Error(?:-\w+)?\s*=\s*(.*(?:\n[ \t]+.*|\n(?=\n[ \t]))*)/m.exec(text)?.[1];
  return (error ?? "").replace(/\n[ \t]+/g, "\n").trim() || "it is managed by the system";
}
