import { chmodSync, mkdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { xdgPaths } from "../../kit/config/paths.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import { isLock, tryLock } from "../../kit/store/lock.ts";
import { machineName } from "../package/machine.ts";
import { openPackageManager } from "../package/open.ts";
import type { PackageManager, PackageRecord, PackageRootOptions } from "../package/types.ts";
import { aurAddress } from "./address.ts";
import { BuildRoot, removeWork } from "./build-root.ts";
import { type BuildUser, buildUser } from "./build-user.ts";
import { type AurLock, formatAurLock, parseAurLock } from "./lock-file.ts";
import { builtPackages, makePackages } from "./make-package.ts";
import { BaseMirror } from "./mirror.ts";
import { parseAurSpec } from "./names.ts";
import { type BuildStep, ProviderIndex } from "./order.ts";
import { type Approve, approveNothing, reviewOf, unreviewed } from "./review.ts";
import { type ChosenBase, type PackageSource, type Selection, selectBases } from "./select.ts";

/** What happens meanwhile. */
export type AurEvent =
  | { readonly kind: "plan"; readonly bases: readonly { base: string; commit: string }[] }
  | {
      readonly kind: "phase";
      readonly base: string;
      readonly phase: "prepare" | "fetch" | "build" | "kept";
    }
  | { readonly kind: "line"; readonly base: string; readonly text: string };

/** How packages of the AUR are built. */
export interface AurOptions {
  /**
   * The system that they are for, and where its official packages come from. They are built in its
   * root, under a layer that goes again: nothing in it is changed but the list of reviewed commits.
   */
  readonly packages: PackageRootOptions;
  /** Another system to build in, as the one that they are for may have no compilers. */
  readonly buildRoot?: string | undefined;
  /** Where the root's /etc lies, if that is elsewhere: that of a snapshot does. */
  readonly etcFolder?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asked before a commit that was never reviewed runs; without it, nothing such runs. */
  readonly approve?: Approve | undefined;
  /** Takes the newest commits, in place of those that were reviewed. */
  readonly isUpdate?: boolean | undefined;
  /** Runs check(), and installs what it needs. Default true. */
  readonly hasChecks?: boolean | undefined;
  /** Default true: sources that are signed need their keys. */
  readonly checksSignatures?: boolean | undefined;
  /** Builds although the same commit was built before. */
  readonly isRebuild?: boolean | undefined;
  /** Default: that of {@link aurCacheFolder} for the root. */
  readonly cacheFolder?: string | undefined;
  /**
   * The list of reviewed commits; default: `etc/rastos/aur.lock` of the root, or for who is not
   * root `rastos/aur.lock` in the user's own configuration folder.
   */
  readonly lockFile?: string | undefined;
  readonly onEvent?: ((event: AurEvent) => void) | undefined;
}

/**
 * Builds packages of the AUR with all that they need from it, in order, each in a sandbox, and
 * hands over the files that have to be installed: for `files` of a transaction.
 *
 * @param names `name`, or `name#commit`; a commit named in full counts as reviewed
 * @throws {Fault} E_CONFIRM for a commit that nobody has reviewed; E_NOT_FOUND, E_NETWORK,
 *   E_UNSATISFIABLE, E_BUILD, E_PRIVILEGE, E_LOCKED
 */
export async function buildAurPackages(
  names: readonly string[],
  options: AurOptions,
): Promise<readonly string[]> {
  if (names.length === 0) return [];
  await using workshop = await AurWorkshop.open(options);
  const selection = await workshop.select(names);
  await workshop.review(selection);
  return await workshop.build(selection, names);
}

/** Where packages of the AUR are chosen, reviewed and built; locked against others. */
export class AurWorkshop implements AsyncDisposable {
  readonly #options: AurOptions;
  readonly #folder: string;
  readonly #user: BuildUser;
  readonly #release: Disposable;
  readonly #rpc: PackageSource;

  private constructor(options: AurOptions, folder: string, rpc: PackageSource, lock: Disposable) {
    this.#options = options;
    this.#folder = folder;
    this.#user = buildUser();
    this.#release = lock;
    this.#rpc = rpc;
  }

  /** @throws {Fault} E_LOCKED */
  static async open(options: AurOptions): Promise<AurWorkshop> {
    const { cacheFolder, packages, environment } = options;
    const folder = resolve(cacheFolder ?? aurCacheFolder(packages.root, environment));
    for (const name of ["", "git", "sources", "packages", "work", "log"]) {
      mkdirSync(join(folder, name), { recursive: true });
      chmodSync(join(folder, name), 0o755);
    }
    const lock = tryLock(join(folder, ".lock"), "rastos aur");
    if (!isLock(lock)) {
      const who = lock.pid === undefined ? "another process" : `process ${lock.pid}`;
      throw new Fault({
        code: "E_LOCKED",
        message: `Cannot build packages of the AUR: ${who} is doing so`,
        hint: "wait until it has ended",
      });
    }
    // What a run that was killed has left is nobody's any more: the lock says so.
    removeWork(join(folder, "work"));
    mkdirSync(join(folder, "work"));
    const { AurRpc } = await import("./rpc.ts");
    const rpc = new AurRpc(aurAddress(options.environment), options.environment);
    return new AurWorkshop(options, folder, rpc, lock);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    removeWork(join(this.#folder, "work"));
    this.#release[Symbol.dispose]();
  }

  /** Finds out what would be built, at which commits. */
  async select(names: readonly string[]): Promise<Selection> {
    const { environment, isUpdate } = this.#options;
    const mirrors = {
      folder: join(this.#folder, "git"),
      address: aurAddress(environment),
      user: this.#user,
      environment,
    };
    const selection = await selectBases({
      specs: names.map(parseAurSpec),
      lock: this.#lock(),
      rpc: this.#rpc,
      mirrorOf: (base) => new BaseMirror(base, mirrors),
      official: new ProviderIndex(await this.#officialPackages()),
      hasChecks: this.#hasChecks,
      architecture: machineName(),
      isUpdate: isUpdate ?? false,
    });
    const bases = [...selection.bases.values()];
    this.#tell({
      kind: "plan",
      bases: bases.map(({ info, commit }) => ({ base: info.base, commit })),
    });
    return selection;
  }

  /** Has everything looked at that was not yet, and keeps what was let pass. */
  async review({ bases, graph }: Selection): Promise<void> {
    const approve = this.#options.approve ?? approveNothing;
    // In the order of the build, and before anything of it has run.
    for (const { base } of graph.steps()) {
      const chosen = bases.get(base.base);
      if (chosen === undefined) continue;
      if (!chosen.isApproved) {
        const review = await reviewOf(chosen);
        if (!(await approve(review))) throw unreviewed(review);
      }
      if (chosen.commit !== chosen.reviewed) this.#keep(chosen);
    }
  }

  /** Builds, and returns the files of what was asked for with all that it needs to run. */
  async build({ bases, graph }: Selection, names: readonly string[]): Promise<readonly string[]> {
    const files = new Map<string, string>();
    for (const step of graph.steps()) {
      const chosen = bases.get(step.base.base);
      if (chosen === undefined) continue;
      for (const [name, file] of await this.#buildBase(chosen, step, files)) files.set(name, file);
    }
    const wanted = graph.runtime(names.map((name) => parseAurSpec(name).name));
    return wanted.map((name) => fileOf(name, files));
  }

  async #buildBase(
    chosen: ChosenBase,
    step: BuildStep,
    before: ReadonlyMap<string, string>,
  ): Promise<ReadonlyMap<string, string>> {
    const { base } = chosen.info;
    const target = join(this.#folder, "packages", base, chosen.commit);
    const kept = this.#options.isRebuild === true ? undefined : await builtPackages(target);
    if (kept !== undefined) {
      this.#tell({ kind: "phase", base, phase: "kept" });
      return kept;
    }
    this.#tell({ kind: "phase", base, phase: "prepare" });
    const work = join(this.#folder, "work", base);
    mkdirSync(work, { recursive: true });
    this.#requireReachable(work);
    using root = await this.#prepareRoot(work, step, before);
    const { environment, checksSignatures } = this.#options;
    await makePackages({
      chosen,
      root: root.path,
      user: this.#user,
      work,
      sources: join(this.#folder, "sources", base),
      target,
      log: join(this.#folder, "log", `${base}.log`),
      jobs: availableParallelism(),
      hasChecks: this.#hasChecks,
      checksSignatures: checksSignatures ?? true,
      environment,
      onLine: (text) => this.#tell({ kind: "line", base, text }),
      onPhase: (phase) => this.#tell({ kind: "phase", base, phase }),
    });
    return (await builtPackages(target)) ?? new Map();
  }

  /** The system to build in; with a layer over it that has what the base needs, where we may. */
  async #prepareRoot(
    work: string,
    step: BuildStep,
    before: ReadonlyMap<string, string>,
  ): Promise<Disposable & { readonly path: string }> {
    const { packages, etcFolder, buildRoot } = this.#options;
    const base = resolve(buildRoot ?? packages.root);
    const files = step.packages.map((name) => fileOf(name, before));
    if (process.getuid?.() !== 0) {
      const there = buildRoot === undefined ? packages : { ...packages, root: base };
      await this.#requireInstalled(openPackageManager(there), step);
      return { path: base, [Symbol.dispose]: () => undefined };
    }
    const isOther = buildRoot !== undefined;
    const apart = isOther ? {} : { etc: etcFolder, "var/lib/pacman": packages.databaseFolder };
    const root = BuildRoot.create(base, join(work, "system"), apart);
    try {
      using manager = this.#managerOf(root.path);
      const tools = Bun.file(join(root.path, "usr/bin/makepkg"));
      const install = [...((await tools.exists()) ? [] : ["base-devel"]), ...step.official];
      if (install.length + files.length > 0) {
        await manager.sync();
        await manager.run({ install, files, onlyNeeded: true, asDependencies: true });
      }
      return root;
    } catch (error) {
      root[Symbol.dispose]();
      throw error;
    }
  }

  async #requireInstalled(manager: PackageManager, step: BuildStep): Promise<void> {
    using _manager = manager;
    const index = new ProviderIndex(await manager.installed());
    const absent = [...step.official, ...step.packages].filter((text) => !index.find(text));
    if (absent.length === 0) return;
    throw new Fault({
      code: "E_PRIVILEGE",
      message: `Cannot build "${step.base.base}": ${absent.join(", ")} must be installed for it`,
      hint: "run it as root: then what is needed is installed for the build alone",
    });
  }

  /** Of the repositories; none of what is installed but in no repository any more. */
  async #officialPackages(): Promise<readonly PackageRecord[]> {
    const scratch = join(this.#folder, "work", "databases");
    mkdirSync(scratch, { recursive: true });
    using manager = this.#managerOf(scratch);
    if (this.#options.packages.repositories.length > 0) await manager.sync();
    return await manager.search([]);
  }

  #managerOf(root: string): PackageManager {
    const { packages } = this.#options;
    return openPackageManager({
      ...packages,
      root,
      // Its own: under the layer, or none.
      databaseFolder: undefined,
      // Of the system itself, not of the layer over it or of an empty folder.
      gpgFolder: packages.gpgFolder ?? join(resolve(packages.root), "etc/pacman.d/gnupg"),
      cacheFolder: packages.cacheFolder ?? join(this.#folder, "official"),
    });
  }

  get #hasChecks(): boolean {
    return this.#options.hasChecks ?? true;
  }

  #lock(): AurLock {
    using folder = RootFolder.open(this.#lockPlace.folder);
    const { name } = this.#lockPlace;
    return parseAurLock(join(folder.path, name), folder.readText(name));
  }

  #keep({ info, commit }: ChosenBase): void {
    const packages = info.packages.map(({ name }) => name);
    const lock = new Map([...this.#lock(), [info.base, { commit, packages }] as const]);
    const { name } = this.#lockPlace;
    using folder = RootFolder.open(this.#lockPlace.folder);
    if (name.includes("/")) folder.makeFolder(dirname(name));
    folder.writeFile(name, formatAurLock(lock), { mode: 0o644 });
  }

  /** A root's own links must not lead us out of it; a file that the caller names is his. */
  get #lockPlace(): { readonly folder: string; readonly name: string } {
    const { lockFile, packages, environment } = this.#options;
    if (lockFile !== undefined) {
      return { folder: dirname(resolve(lockFile)), name: basename(lockFile) };
    }
    if (process.getuid?.() === 0) return { folder: packages.root, name: LOCK_FILE };
    const folder = join(xdgPaths(environment).config, "rastos");
    mkdirSync(folder, { recursive: true });
    return { folder, name: basename(LOCK_FILE) };
  }

  /** The build user has to get at its folder: a home that is closed to others is in the way. */
  #requireReachable(work: string): void {
    if (process.getuid?.() !== 0) return;
    for (let path = work; path !== "/"; path = dirname(path)) {
      if ((statSync(path).mode & 0o001) !== 0) continue;
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot build below "${path}": the build user may not pass through it`,
        hint: "take a cache folder that is open to others",
      });
    }
  }

  #tell(event: AurEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** From the root. */
const LOCK_FILE = "etc/rastos/aur.lock";

/**
 * Where histories, sources and built packages are kept, by the system that they are for: what was
 * built for one need not run on another. The build user must pass, so not inside of that system.
 *
 * @param system its root folder, or the top level of its tree of snapshots
 */
export function aurCacheFolder(
  system: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const isRoot = process.getuid?.() === 0;
  const folder = isRoot ? "/var/cache/rastos/aur" : join(xdgPaths(environment).cache, "rastos/aur");
  const path = resolve(system);
  const hash = new Bun.CryptoHasher("sha256").update(path).digest("hex");
  return join(folder, path === "/" ? "here" : hash.slice(0, 16));
}

function fileOf(name: string, files: ReadonlyMap<string, string>): string {
  const file = files.get(name);
  if (file !== undefined) return file;
  throw new Fault({
    code: "E_BUILD",
    message: `Cannot find the package "${name}" among what was built`,
    hint: "its PKGBUILD has not made what its .SRCINFO promises",
  });
}
