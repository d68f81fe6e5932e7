/** Opens the builder of sources: what builds need of the engine is plugged in here. */
import type { ChosenPackages, EnvironmentTools, Waiter } from "../build/build-environments.ts";
import { readConfigSettings } from "../build/config-settings.ts";
import type { BuildFlags } from "../build/flags.ts";
import { SourceBuilder, waitKeyOf } from "../build/source-builder.ts";
import { Waits } from "../build/waits.ts";
import { openEnvironment } from "../env/environment.ts";
import { filenameOf } from "../index/page-file.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import { type Interpreter, Prober } from "../python/probe.ts";
import type { PackageIndex, Resolution, RootRequirement } from "../resolve/port.ts";
import { changeEnvironment } from "./change.ts";
import type { Builder } from "./lazy-builder.ts";
import { isChosen } from "./name-choice.ts";
import { rulesOf, unsatisfiable } from "./question.ts";
import { rootsOf } from "./roots.ts";
import type { Session } from "./session.ts";
import { targetOf } from "./target.ts";
import { type WantedPackage, wantedOf } from "./wanted.ts";

/** The builder of sources. */
export async function openBuilder(session: Session, interpreter: Interpreter): Promise<Builder> {
  const flags: BuildFlags = session.flags;
  const { printer } = session;
  const tools = new Tools(session, interpreter, flags);
  const builder = new SourceBuilder({
    interpreter,
    cacheFolder: session.cacheFolder,
    variables: session.environment,
    settings: readConfigSettings(flags["config-setting"] ?? []),
    isIsolated: flags["build-isolation"] !== false,
    offline: session.offline,
    noCache: await session.avoidsCache(),
    tools,
    onLine: printer.level >= 1 ? (_label, line) => printer.verbose(`  ${line}`) : undefined,
    onBuild: (label) => printer.note(`Building ${label}`),
  });
  tools.builder = builder;
  const { cacheKey } = session.builder(interpreter);
  return {
    cacheKey,
    buildMetadata: (file, archivePath) => builder.buildMetadata(file, archivePath),
    buildDirect: (source, archivePath) => builder.buildDirect(source, archivePath),
    buildWheel: (wanted, archivePath) => builder.buildWheel(wanted, archivePath),
  };
}

/** Build environments by the same index, store and transactions as any other. */
class Tools implements EnvironmentTools {
  readonly #session: Session;
  readonly #interpreter: Interpreter;
  readonly #flags: BuildFlags;
  readonly #waits = new Waits();
  #constraints: Promise<readonly RootRequirement[]> | undefined;
  builder: SourceBuilder | undefined;

  constructor(session: Session, interpreter: Interpreter, flags: BuildFlags) {
    this.#session = session;
    this.#interpreter = interpreter;
    this.#flags = flags;
  }

  async choose(
    requirements: readonly ProjectRequirement[],
    waiter: Waiter,
  ): Promise<ChosenPackages> {
    const wanted = requirements.length === 0 ? [] : await this.#chosen(requirements, waiter);
    await Promise.all(wanted.map((one) => this.#buildFirst(one, waiter)));
    return { wanted, install: (folder) => this.#install(folder, wanted) };
  }

  async #chosen(
    requirements: readonly ProjectRequirement[],
    waiter: Waiter,
  ): Promise<readonly WantedPackage[]> {
    const session = this.#session;
    const index = watched(await session.index(this.#interpreter), this.#waits, waiter);
    const target = targetOf(this.#interpreter);
    // Whatever is asked for the user's own packages, tools are best new.
    const rules = { ...(await rulesOf(session, this.#flags)), strategy: "highest" as const };
    this.#constraints ??= this.#readConstraints();
    const { resolve } = await import("../resolve/resolve.ts");
    let resolution: Resolution;
    try {
      resolution = await resolve(
        {
          ...rules,
          target,
          requirements: await rootsOf(requirements, async () => index),
          constraints: await this.#constraints,
          overrides: [],
          preferences: new Map(),
        },
        index,
      );
    } catch (error) {
      throw await unsatisfiable(error, `find what the build of "${waiter.label}" requires`);
    }
    return wantedOf(resolution, {
      choice: {
        tags: target.tags,
        noBinary: (name) => isChosen(rules.noBinary, name),
        onlyBinary: (name) => isChosen(rules.onlyBinary, name),
      },
      requested: new Set(),
    });
  }

  /** What is built itself is built now: installing finds the wheel, and waits for nobody. */
  async #buildFirst(wanted: WantedPackage, waiter: Waiter): Promise<void> {
    const { file, source } = wanted;
    const place = source ?? file;
    const name = source?.kind === "archive" ? filenameOf(source.url) : file?.filename;
    if (place === undefined || this.builder === undefined || name?.endsWith(".whl")) return;
    const built = this.#fetchAndBuild(this.builder, wanted, name);
    await this.#waits.during(waiter, { key: waitKeyOf(place), label: wanted.name }, built);
  }

  async #fetchAndBuild(
    builder: SourceBuilder,
    wanted: WantedPackage,
    filename: string | undefined,
  ): Promise<void> {
    const { file, source } = wanted;
    const index = await this.#session.index(this.#interpreter);
    const remote =
      source?.kind === "archive"
        ? { url: source.url, filename: filename ?? "", hashes: wanted.hashes ?? {} }
        : file;
    const archive = remote === undefined ? undefined : await index.download(remote);
    await builder.buildWheel(wanted, archive?.path);
  }

  async #install(folder: string, wanted: readonly WantedPackage[]): Promise<void> {
    const session = this.#session;
    const environment = openEnvironment(folder);
    const interpreter = await new Prober(session.environment).require(environment.python);
    const place = { environment, interpreter, created: true, isProjects: false };
    await changeEnvironment(session, place, {
      wanted,
      exact: false,
      dryRun: false,
      compileBytecode: false,
      command: "blast (build environment)",
    });
  }

  async #readConstraints(): Promise<readonly RootRequirement[]> {
    const { environment, folder } = this.#session;
    const variable = environment["PIP_BUILD_CONSTRAINT"] ?? "";
    const paths = [
      ...(this.#flags["build-constraint"] ?? []),
      ...variable.split(/\s+/).filter((path) => path !== ""),
    ];
    if (paths.length === 0) return [];
    const { readRequirementsFiles } = await import("../project/requirements-txt.ts");
    const { constraints } = await readRequirementsFiles(
      paths.map((path) => ({ path, constraint: true })),
      { base: folder, environment },
    );
    return rootsOf(constraints, () => this.#session.index(this.#interpreter));
  }
}

/** The index, as a build asks it: who waits for whom is written down. */
function watched(index: PackageIndex, waits: Waits, waiter: Waiter): PackageIndex {
  return {
    project: (name) => index.project(name),
    metadata(file) {
      const answer = index.metadata(file);
      if (file.kind === "wheel" || !(answer instanceof Promise)) return answer;
      return waits.during(waiter, { key: waitKeyOf(file), label: file.filename }, answer);
    },
    direct(source) {
      const answer = index.direct(source);
      if (!(answer instanceof Promise)) return answer;
      const key = waitKeyOf(source);
      return waits.during(waiter, { key, label: key }, answer);
    },
    prefetch: (names) => index.prefetch(names),
    // Of sdists it may be a build, and one that nobody has asked for.
    prefetchMetadata: (file) => {
      if (file.kind === "wheel") index.prefetchMetadata(file);
    },
  };
}
