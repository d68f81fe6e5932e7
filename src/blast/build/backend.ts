/** The hooks of one source's build backend, each called in a process of its own. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import type { BuildLog } from "./build-log.ts";
import type { SourceSystem } from "./build-system.ts";
import type { ConfigSettings } from "./config-settings.ts";
import { HOOK_SCRIPT, type HookAnswer, type HookRequest } from "./hook-script.ts";
import { type BuildExit, runBuildProcess } from "./run-build-process.ts";
import type { Slots } from "./slots.ts";

/** Which wheel is meant: one with the files, or one that leads to the sources (PEP 660). */
export type WheelKind = "wheel" | "editable";

/** What a backend needs to run. */
export interface BackendOptions {
  /** For messages. */
  readonly label: string;
  /** Of the source: hooks run in it. */
  readonly folder: string;
  readonly system: SourceSystem;
  readonly kind: WheelKind;
  readonly settings: ConfigSettings;
  readonly log: BuildLog;
  /** A new empty folder for our own files. */
  readonly makeFolder: (name: string) => string;
  readonly slots: Slots;
}

/** Where the hooks run. */
export interface BackendPlace {
  readonly executable: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** What PEP 660 added is not everywhere. */
const UNSUPPORTED = "does not support editable installs (PEP 660)";

/** @see PEP 517, PEP 660 */
export class Backend {
  readonly #options: BackendOptions;

  constructor(options: BackendOptions) {
    this.#options = options;
  }

  /** What the build needs besides what the source itself says. @throws {Fault} E_BUILD */
  async requires(place: BackendPlace): Promise<readonly string[]> {
    const hook = `get_requires_for_build_${this.#options.kind}`;
    const answer = await this.#call(place, hook, [this.#settings()]);
    if (answer.kind === "missing") return [];
    const list = answer.value;
    const isList = Array.isArray(list) && list.every((one) => typeof one === "string");
    if (!isList) throw this.#wrong(hook, "its answer is no list of requirements");
    return list as string[];
  }

  /**
   * The folder of the metadata; undefined where only a build can tell.
   *
   * @throws {Fault} E_BUILD
   */
  async prepareMetadata(place: BackendPlace): Promise<string | undefined> {
    const hook = `prepare_metadata_for_build_${this.#options.kind}`;
    const folder = this.#options.makeFolder("metadata");
    const answer = await this.#call(place, hook, [folder, this.#settings()]);
    if (answer.kind === "missing") return undefined;
    return join(folder, this.#nameOf(hook, answer.value, ".dist-info"));
  }

  /**
   * Builds.
   *
   * @param metadata what {@link prepareMetadata} has made
   * @returns the path of the wheel
   * @throws {Fault} E_BUILD
   */
  async build(place: BackendPlace, metadata: string | undefined): Promise<string> {
    const hook = `build_${this.#options.kind}`;
    const folder = this.#options.makeFolder("wheel");
    const args = [folder, this.#settings(), metadata ?? null];
    const answer = await this.#call(place, hook, args);
    if (answer.kind === "missing") {
      const { backend } = this.#options.system;
      const reason =
        this.#options.kind === "editable" ? UNSUPPORTED : `has no hook "${hook}" (PEP 517)`;
      throw this.#fault(`its build backend "${backend}" ${reason}`);
    }
    const path = join(folder, this.#nameOf(hook, answer.value, ".whl"));
    if (!(await Bun.file(path).exists())) {
      throw this.#wrong(hook, `there is no "${basename(path)}"`);
    }
    return path;
  }

  #settings(): ConfigSettings | null {
    const { settings } = this.#options;
    return Object.keys(settings).length === 0 ? null : settings;
  }

  /** A hook answers with the name of what it has made in the folder that it was given. */
  #nameOf(hook: string, value: unknown, ending: string): string {
    if (typeof value !== "string" || !value.endsWith(ending) || /[/\\\0]/.test(value)) {
      throw this.#wrong(hook, `its answer is no name of a ${ending}`);
    }
    return value;
  }

  async #call(
    place: BackendPlace,
    hook: string,
    args: readonly unknown[],
  ): Promise<Exclude<HookAnswer, { kind: "unusable" }>> {
    const { slots, system, folder, log, makeFolder } = this.#options;
    const own = makeFolder("hook");
    const request: HookRequest = {
      hook,
      backend: system.backend,
      backendPath: system.backendPath,
      arguments: args,
      answer: join(own, "answer.json"),
    };
    const requestPath = join(own, "request.json");
    writeFileSync(requestPath, JSON.stringify(request));
    log.say(`# ${system.backend}: ${hook}`);
    const exit = await slots.during(() =>
      runBuildProcess({
        command: [place.executable, "-c", HOOK_SCRIPT, requestPath],
        folder,
        environment: place.variables,
        onOutput: (bytes) => log.write(bytes),
      }),
    );
    const answer = readAnswer(request.answer);
    if (answer?.kind === "unusable") {
      throw this.#fault(
        `its build backend "${system.backend}" cannot be imported: ${answer.reason}`,
      );
    }
    const isFine = exit.exitCode === 0 && answer !== undefined;
    if (!isFine) throw this.#fault(`"${hook}" of "${system.backend}" ${endOf(exit)}`);
    return answer;
  }

  #wrong(hook: string, reason: string): Fault {
    return this.#fault(`"${hook}" of "${this.#options.system.backend}": ${reason}`);
  }

  #fault(reason: string): Fault {
    return buildFault(this.#options.label, reason, this.#options.log);
  }
}

/** A build that has failed: with the end of what it printed, and where all of it is. */
export function buildFault(label: string, reason: string, log: BuildLog): Fault {
  // The others are ours.
  const excerpt = log.lines().filter((line) => !line.startsWith("# "));
  const isTold = excerpt.length > 0 && existsSync(log.path);
  return new Fault({
    code: "E_BUILD",
    message: `Cannot build "${label}": ${reason}`,
    excerpt,
    hint: isTold ? `all of its output is in ${log.path}` : undefined,
    details: isTold ? { label, log: log.path } : { label },
  });
}

function endOf({ exitCode, signal }: BuildExit): string {
  if (signal !== undefined) return `was ended by ${signal}`;
  return exitCode === 0 ? "ended without an answer" : `failed with exit code ${exitCode}`;
}

function readAnswer(path: string): HookAnswer | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as HookAnswer;
  } catch {
    return undefined;
  }
}
