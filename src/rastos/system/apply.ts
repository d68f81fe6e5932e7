import { mkdirSync } from "node:fs";
import { basename } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import { openPackageManager } from "../package/open.ts";
import type { RootPackageOptions } from "../package/root-options.ts";
import type {
  PackageEvent,
  PackageManager,
  PackageRecord,
  TransactionPlan,
  TransactionRequest,
} from "../package/types.ts";
import type { SnapshotTree, TemporaryClone } from "../snapshot/tree.ts";
import type { Snapshot } from "../snapshot/types.ts";
import { Configuration } from "./configure.ts";
import { markReason } from "./install-reason.ts";
import { missingOf, planPackages } from "./package-plan.ts";
import { packageRootOf } from "./package-root.ts";
import { planSystem, type SystemPlan } from "./plan.ts";
import { recordText } from "./record-text.ts";
import { runInRoot } from "./run-in-root.ts";
import { sharedFolders } from "./shared-folders.ts";
import type { SystemConfig, SystemFile } from "./types.ts";

/** What happens while a declaration is applied. */
export type ApplyEvent =
  | { readonly kind: "begin"; readonly what: string }
  | { readonly kind: "package"; readonly event: PackageEvent }
  | { readonly kind: "line"; readonly line: string }
  | { readonly kind: "note"; readonly text: string };

/** What is applied, and how. */
export interface ApplyRequest {
  readonly file: SystemFile;
  /** The snapshot to begin from. */
  readonly from: Snapshot;
  /** Brings every package up to date, also where nothing else differs. */
  readonly isUpgrade: boolean;
  /** Finds out what would be done, and does nothing. */
  readonly isDryRun: boolean;
  /** Shown with the new snapshot. Default: what has changed. */
  readonly description?: string | undefined;
  /** Is shown the plan, and throws where it is not to be done. */
  readonly agree: (plan: ApplyPlan) => Promise<void>;
  readonly onEvent: (event: ApplyEvent) => void;
  /** Builds packages of the AUR for a root: files to be installed. */
  readonly buildAur?: AurBuilder | undefined;
  /** Builds the kernel of a profile: the file of a package. */
  readonly buildKernel?: KernelBuilder | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Builds packages of the AUR (`name`, `name#commit`); returns the files of packages. */
export type AurBuilder = (
  names: readonly string[],
  place: RootPackageOptions,
) => Promise<readonly string[]>;

/** Builds a kernel by a profile from a folder of sources; returns the file of its package. */
export type KernelBuilder = (profile: string, source: string) => Promise<string>;

/** The whole difference, packages by version. */
export interface ApplyPlan extends SystemPlan {
  /** What the package manager would do. */
  readonly transaction: TransactionPlan;
}

/** How it has ended. */
export type ApplyOutcome =
  | { readonly kind: "nothing"; readonly plan: ApplyPlan }
  | { readonly kind: "planned"; readonly plan: ApplyPlan }
  /** Only home folders that all snapshots share were changed. */
  | { readonly kind: "homes"; readonly plan: ApplyPlan }
  | { readonly kind: "applied"; readonly plan: ApplyPlan; readonly snapshot: Snapshot };

/**
 * Makes a new snapshot that is what a file declares: all of it in a temporary clone, which is kept
 * only if everything has gone well, hooks included.
 *
 * @throws {Fault} of the first thing that fails; the tree is as it was then
 */
export async function applySystem(
  tree: SnapshotTree,
  request: ApplyRequest,
): Promise<ApplyOutcome> {
  using clone = tree.temporary(request.from.id);
  using root = RootFolder.open(clone.path);
  return await new Application({ tree, clone, root, request }).run();
}

const NO_TRANSACTION: TransactionPlan = { changes: [], notes: [] };

class Application {
  readonly #tree: SnapshotTree;
  readonly #clone: TemporaryClone;
  readonly #root: RootFolder;
  readonly #request: ApplyRequest;
  readonly #config: SystemConfig;
  #available: readonly PackageRecord[] | undefined;

  constructor(parts: {
    readonly tree: SnapshotTree;
    readonly clone: TemporaryClone;
    readonly root: RootFolder;
    readonly request: ApplyRequest;
  }) {
    this.#tree = parts.tree;
    this.#clone = parts.clone;
    this.#root = parts.root;
    this.#request = parts.request;
    this.#config = parts.request.file.config;
  }

  async run(): Promise<ApplyOutcome> {
    const plan = await this.#plan();
    if (plan.isEmpty && plan.transaction.changes.length === 0) return { kind: "nothing", plan };
    if (this.#request.isDryRun) return { kind: "planned", plan };
    this.#refuseUnable(plan);
    await this.#request.agree(plan);
    if (this.#isOnlySharedHomes(plan)) {
      using configuration = await this.#configuration();
      configuration.carryOutHomes("shared");
      return { kind: "homes", plan };
    }
    const files = [...(await this.#buildAur(plan)), ...(await this.#buildKernel(plan))];
    await this.#hooks("pre_install");
    await this.#changePackages(plan, files);
    using configuration = await this.#configuration();
    this.#begin("settings");
    configuration.carryOutSettings();
    configuration.carryOutHomes("own");
    for (const argv of configuration.plan.programs) await this.#program(argv);
    await this.#hooks("post_install");
    this.#begin("snapshot");
    const { file, description } = this.#request;
    const snapshot = this.#clone.keep({
      description: description ?? descriptionOf(file, plan),
      system: recordText(file),
    });
    configuration.carryOutHomes("shared");
    return { kind: "applied", plan, snapshot };
  }

  /** Looks at the clone; fetches the databases only where packages are to be had. */
  async #plan(): Promise<ApplyPlan> {
    const first = await this.#compare();
    const needsPackages = this.#isAdding(first);
    if (!needsPackages && first.packages.remove.length === 0) {
      return { ...first, transaction: NO_TRANSACTION };
    }
    using manager = this.#manager();
    if (needsPackages) {
      this.#requireRepositories(first);
      this.#begin("databases");
      await manager.sync((event) => this.#request.onEvent({ kind: "package", event }));
      this.#available = await manager.search([]);
    }
    const plan = needsPackages ? await this.#compare() : first;
    const transaction = await manager.plan(this.#transactionOf(plan));
    return { ...plan, transaction };
  }

  async #compare(): Promise<SystemPlan> {
    using manager = this.#manager();
    const installed = await manager.installed();
    using configuration = await this.#configuration();
    const available = await this.#repositories(manager);
    return planSystem(
      { installed, available, previous: configuration.previous },
      { config: this.#config, configuration: configuration.plan },
    );
  }

  /** What the repositories hold: a declared group needs it, and so does a removal. */
  async #repositories(manager: PackageManager): Promise<readonly PackageRecord[]> {
    if (this.#available !== undefined) return this.#available;
    if (this.#config.packages.groups.length === 0) return [];
    try {
      this.#available = await manager.search([]);
    } catch (error) {
      // Not fetched yet: then the group is not installed either, and is asked for by its name.
      if (!(error instanceof Fault) || error.code !== "E_NOT_FOUND") throw error;
      return [];
    }
    return this.#available;
  }

  #isAdding({ packages }: SystemPlan): boolean {
    return packages.add.length + packages.addAur.length > 0 || this.#request.isUpgrade;
  }

  #transactionOf(plan: SystemPlan): TransactionRequest {
    const { packages } = plan;
    // New packages with an old system are what Arch calls a partial upgrade: it breaks.
    return {
      install: packages.add,
      remove: packages.remove,
      upgrade: this.#isAdding(plan),
      onlyNeeded: true,
      ignored: [...this.#config.packages.ignored, ...this.#packageRoot().ignored],
    };
  }

  async #buildAur({ packages }: ApplyPlan): Promise<readonly string[]> {
    const { buildAur } = this.#request;
    if (packages.addAur.length === 0 || buildAur === undefined) return [];
    return await this.#build("aur", () => buildAur(packages.addAur, this.#packageRoot()));
  }

  async #buildKernel({ packages }: ApplyPlan): Promise<readonly string[]> {
    const { buildKernel } = this.#request;
    const { profile, source } = this.#config.kernel;
    if (packages.addKernel === undefined || profile === undefined || buildKernel === undefined) {
      return [];
    }
    return [await this.#build("kernel", () => buildKernel(profile, source))];
  }

  /** A build may take hours: others may have the tree meanwhile, the clone stays ours. */
  async #build<T>(what: string, build: () => Promise<T>): Promise<T> {
    this.#begin(what);
    this.#tree.pause();
    try {
      return await build();
    } finally {
      await this.#tree.resume(this.#request.signal);
    }
  }

  async #changePackages(plan: ApplyPlan, files: readonly string[]): Promise<void> {
    using manager = this.#manager();
    const onEvent = (event: PackageEvent): void =>
      this.#request.onEvent({ kind: "package", event });
    const { changes } = plan.transaction;
    if (changes.length + files.length > 0) this.#begin("packages");
    if (changes.length > 0) await manager.run(this.#transactionOf(plan), onEvent);
    const built =
      files.length === 0 ? [] : (await manager.run({ files, onlyNeeded: true }, onEvent)).changes;
    const installed = await manager.installed();
    const { markExplicit, markDependency } = planPackages(
      { installed, previous: await this.#previous(), available: this.#available ?? [] },
      this.#config,
    );
    // Of the AUR come also those that the declared ones need.
    const declared = new Set(this.#config.packages.aur.map((name) => name.replace(/#.*$/, "")));
    if (plan.packages.addKernel !== undefined) declared.add(plan.packages.addKernel);
    const needed = built.filter(({ kind, name }) => kind === "install" && !declared.has(name));
    const named = (names: readonly string[]): PackageRecord[] =>
      installed.filter(({ name }) => names.includes(name));
    markReason(this.#root, named(needed.map(({ name }) => name)), "dependency");
    markReason(this.#root, named(markExplicit), "explicit");
    markReason(this.#root, named(markDependency), "dependency");
  }

  async #previous(): Promise<SystemConfig | undefined> {
    using configuration = await this.#configuration();
    return configuration.previous;
  }

  #configuration(): Promise<Configuration> {
    return Configuration.prepare(this.#clone.path, this.#config, {
      systemText: this.#request.file.text,
      sharedFolders: sharedFolders(this.#tree.root),
    });
  }

  #manager(): PackageManager {
    const options = this.#packageRoot();
    const { cacheFolder } = options;
    if (cacheFolder !== undefined) mkdirSync(cacheFolder, { recursive: true, mode: 0o700 });
    return openPackageManager(options, { signal: this.#request.signal });
  }

  #requireRepositories({ packages }: SystemPlan): void {
    if (this.#packageRoot().repositories.length > 0) return;
    const [first = "anything"] = [...packages.add, ...packages.addAur];
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot install "${first}": neither the file nor the system names a repository`,
      hint: "declare one by [[repositories]], with name and servers",
    });
  }

  #packageRoot(): RootPackageOptions {
    return packageRootOf(this.#clone.path, this.#config, this.#tree.root);
  }

  async #hooks(when: "pre_install" | "post_install"): Promise<void> {
    for (const command of this.#config.hooks[when]) {
      this.#begin(`hook ${when}: ${command}`);
      const environment = { RASTOS_HOOK: when };
      await this.#run(["/bin/sh", "-c", command], { what: `the hook "${command}"`, environment });
    }
  }

  /** A program that makes settings take effect, if the root has it. */
  async #program(argv: readonly string[]): Promise<void> {
    const [name = ""] = argv;
    const places = ["usr/bin", "usr/sbin", "bin", "sbin"].map((folder) => `${folder}/${name}`);
    if (!places.some((path) => this.#root.status(path, { follow: true }) !== undefined)) {
      const text = `${name} is not installed: what it would make takes no effect`;
      this.#request.onEvent({ kind: "note", text });
      return;
    }
    this.#begin(name);
    await this.#run(argv, { what: `"${argv.join(" ")}"`, environment: {} });
  }

  async #run(
    argv: readonly string[],
    how: { readonly what: string; readonly environment: Readonly<Record<string, string>> },
  ): Promise<void> {
    const { onEvent, signal, file } = this.#request;
    const { code, lines } = await runInRoot(this.#clone.path, {
      argv,
      environment: how.environment,
      signal,
      onLine: (line) => onEvent({ kind: "line", line }),
    });
    if (code === 0) return;
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot apply "${file.path}": ${how.what} has failed with exit code ${code}`,
      hint: "nothing was changed; correct it and apply again",
      excerpt: lines,
      details: { exitCode: code },
    });
  }

  /** What is declared and cannot be done by this build. */
  #refuseUnable({ packages }: ApplyPlan): void {
    const [first] = packages.addAur;
    if (first !== undefined && this.#request.buildAur === undefined) {
      throw new Fault({
        code: "E_NOT_BUILT",
        message: `Cannot install "${first}" of the AUR: packages cannot be built here`,
        hint: "take it out of [packages] aur, or install it by hand",
      });
    }
    if (packages.addKernel === undefined || this.#request.buildKernel !== undefined) return;
    throw new Fault({
      code: "E_NOT_BUILT",
      message: `Cannot install "${packages.addKernel}": kernels cannot be built here`,
      hint: "[kernel] package takes one from a repository",
    });
  }

  /** Nothing of a snapshot differs, only what all of them share. */
  #isOnlySharedHomes(plan: ApplyPlan): boolean {
    const { changes, homes, steps } = plan.configuration;
    const inHomes = homes.reduce((sum, home) => sum + home.changes.length, 0);
    const shared = sharedFolders(this.#tree.root);
    const isShared = (home: string): boolean =>
      [...shared.keys()].some((path) => home === path || home.startsWith(`${path}/`));
    return (
      plan.isOnlyConfiguration &&
      plan.transaction.changes.length === 0 &&
      steps.length === 0 &&
      changes.length === inHomes &&
      homes.every(({ home }) => isShared(home))
    );
  }

  #begin(what: string): void {
    if (this.#request.signal?.aborted === true) {
      throw new Fault({ code: "E_INTERRUPTED", message: "Interrupted: nothing was changed" });
    }
    this.#request.onEvent({ kind: "begin", what });
  }
}

const DESCRIPTION_LENGTH_MAX = 70;

/** `system.toml: +vim -nano, hostname, users`. */
function descriptionOf(file: SystemFile, plan: ApplyPlan): string {
  const { remove } = plan.packages;
  const upgraded = plan.transaction.changes.filter(({ kind }) => kind === "upgrade").length;
  const words = [
    ...missingOf(plan.packages).map((name) => `+${name}`),
    ...remove.map((name) => `-${name}`),
    ...(upgraded === 0 ? [] : [`${upgraded} upgraded`]),
    ...new Set(plan.configuration.changes.map(({ area }) => area)),
    ...new Set(plan.declared.map(({ area }) => area)),
  ].filter((word) => word !== "system.toml");
  const text = `${basename(file.path)}: ${[...new Set(words)].join(", ")}`;
  return text.length > DESCRIPTION_LENGTH_MAX
    ? `${text.slice(0, DESCRIPTION_LENGTH_MAX - 1)}…`
    : text;
}
