/** Environments that builds run in: made once for a set of requirements, and used again. */
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { removeTree } from "../../kit/fs/remove-tree.ts";
import { isLock, tryLock } from "../../kit/store/lock.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import type { Interpreter } from "../python/probe.ts";
import { createVenv } from "../python/venv.ts";
import type { WantedPackage } from "../sync/wanted.ts";
import type { BackendPlace } from "./backend.ts";
import { buildVariables } from "./build-variables.ts";

/** What it takes to fill an environment; src/blast/sync has it. */
export interface EnvironmentTools {
  /**
   * Chooses versions, and builds what of them has to be built.
   *
   * @param waiter the build that they are for
   * @throws {Fault} E_UNSATISFIABLE, E_BUILD for a circle, and whatever the index throws
   */
  choose(requirements: readonly ProjectRequirement[], waiter: Waiter): Promise<ChosenPackages>;
}

/** A build that asks for tools. */
export interface Waiter {
  readonly key: string;
  /** For messages. */
  readonly label: string;
}

/** What was chosen. */
export interface ChosenPackages {
  readonly wanted: readonly WantedPackage[];
  /** Installs all of it into an environment without anything. */
  install(folder: string): Promise<void>;
}

/** Written last: without it the environment is not finished. */
const MARK = ".complete";
const POLL_MS = 50;

/** What environments are made of. */
export interface BuildEnvironmentsOptions {
  /** Where they are kept. */
  readonly folder: string;
  readonly interpreter: Interpreter;
  /** The user's variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly tools: EnvironmentTools;
  /** False: the interpreter itself is used as it is, and nothing is installed. */
  readonly isIsolated: boolean;
}

/** @see PEP 517, PEP 518 */
export class BuildEnvironments {
  readonly #options: BuildEnvironmentsOptions;
  readonly #making = new Map<string, Promise<BackendPlace>>();

  constructor(options: BuildEnvironmentsOptions) {
    this.#options = options;
  }

  /** An environment with these packages. Nobody may change it: others use it too. */
  async with(requirements: readonly ProjectRequirement[], waiter: Waiter): Promise<BackendPlace> {
    const { interpreter, isIsolated, variables } = this.#options;
    if (!isIsolated) {
      const python = {
        executable: interpreter.executable,
        scripts: interpreter.paths.scripts,
        environment: interpreter.isVirtual ? interpreter.prefix : undefined,
      };
      return { executable: python.executable, variables: buildVariables(variables, python) };
    }
    const chosen = await this.#options.tools.choose(requirements, waiter);
    const digest = this.#digestOf(chosen.wanted);
    let making = this.#making.get(digest);
    if (making === undefined) {
      making = this.#make(join(this.#options.folder, digest), chosen);
      this.#making.set(digest, making);
    }
    return making;
  }

  #digestOf(wanted: readonly WantedPackage[]): string {
    const { path, version, tags } = this.#options.interpreter;
    const packages = wanted.map(({ name, version: of, file, source }) => [
      name,
      of?.toString(),
      file?.hashes["sha256"] ?? file?.url,
      source,
    ]);
    const parts = JSON.stringify([path, version, tags, packages.sort()]);
    return new Bun.CryptoHasher("sha256").update(parts).digest("hex").slice(0, 32);
  }

  async #make(folder: string, chosen: ChosenPackages): Promise<BackendPlace> {
    const mark = join(folder, MARK);
    if (!isUsable(folder)) {
      mkdirSync(dirname(folder), { recursive: true });
      using _lock = await lockOf(folder);
      if (!isUsable(folder)) {
        removeTree(folder);
        createVenv(folder, this.#options.interpreter, { prompt: basename(folder) });
        await chosen.install(folder);
        writeFileSync(mark, "");
      }
    }
    touch(mark);
    return this.#placeOf(folder);
  }

  #placeOf(folder: string): BackendPlace {
    const { interpreter, variables } = this.#options;
    const scripts = join(folder, interpreter.venvPaths.scripts);
    const executable = join(scripts, process.platform === "win32" ? "python.exe" : "python");
    const python = { executable, scripts, environment: folder };
    return { executable, variables: buildVariables(variables, python) };
  }
}

/** Finished, and its base Python is still there. */
function isUsable(folder: string): boolean {
  const python = process.platform === "win32" ? "Scripts/python.exe" : "bin/python";
  return existsSync(join(folder, MARK)) && existsSync(join(folder, python));
}

/** For `blast clean`: the last use. */
function touch(path: string): void {
  try {
    const now = Date.now() / 1000;
    utimesSync(path, now, now);
  } catch {
    // A cache that cannot be written can be used all the same.
  }
}

async function lockOf(folder: string): Promise<Disposable> {
  for (;;) {
    const lock = tryLock(`${folder}.lock`, "blast");
    if (isLock(lock)) return lock;
    await Bun.sleep(POLL_MS);
  }
}
