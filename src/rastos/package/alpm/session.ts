import type { Pointer } from "bun:ffi";
import { ptr } from "bun:ffi";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  AlpmCallbacks,
  type AlpmListener,
  alpmDependencyText,
} from "../../../../ffi/alpm/callback.ts";
import { ALPM_DB_USAGE_ALL, ALPM_REASON_DEPEND } from "../../../../ffi/alpm/constants.ts";
import type { AlpmCalls, AlpmLibrary } from "../../../../ffi/alpm/library.ts";
import { cBytes, cText, listItems, listTexts } from "../../../../ffi/alpm/memory.ts";
import { makePackageFolders, type SessionPurpose, scratchDatabase } from "../folders.ts";
import { machineName, serverUrl } from "../machine.ts";
import { LOCK_NAME, lockHolderOf, type PackagePaths, packagePathsOf } from "../paths.ts";
import { type PackageProblem, packageFault } from "../problem.ts";
import { DEFAULT_SIGNATURE_LEVEL, signatureLevelOf } from "../signature-level.ts";
import type { PackageRecord, PackageRootOptions } from "../types.ts";

/** libalpm at work on one root, from alpm_initialize(3) to alpm_release(3). */
export class AlpmSession implements Disposable {
  readonly library: AlpmLibrary;
  readonly paths: PackagePaths;
  /** alpm_handle_t. */
  readonly handle: Pointer;
  /** Names of the repositories, in their order. */
  readonly repositories: readonly string[];
  readonly #callbacks: AlpmCallbacks;
  readonly #scratch: string | undefined;

  /** @throws {Fault} of the folders, of the repositories' SigLevel, or where libalpm refuses */
  constructor(
    library: AlpmLibrary,
    options: PackageRootOptions,
    how: { readonly purpose: SessionPurpose; readonly listener: AlpmListener },
  ) {
    this.library = library;
    this.paths = packagePathsOf(options);
    this.#callbacks = new AlpmCallbacks(library, how.listener);
    this.#scratch = scratchDatabase(this.paths, how.purpose);
    try {
      if (how.purpose === "change") makePackageFolders(this.paths);
      this.handle = this.#initialize(this.#scratch ?? this.paths.database);
      this.#setOptions(options, how.purpose);
      this.repositories = this.#register(options);
    } catch (error) {
      this.#clear();
      throw error;
    }
  }

  get calls(): AlpmCalls {
    return this.library.calls;
  }

  /** Releases everything; a lock that this session took goes too. */
  [Symbol.dispose](): void {
    this.calls.alpm_release(this.handle);
    this.#clear();
  }

  #clear(): void {
    this.#callbacks[Symbol.dispose]();
    if (this.#scratch !== undefined) rmSync(this.#scratch, { recursive: true, force: true });
  }

  /** alpm_errno_t of the last call. */
  get errorNumber(): number {
    return this.calls.alpm_errno(this.handle);
  }

  get errorText(): string {
    return cText(this.calls.alpm_strerror(this.errorNumber));
  }

  get syncDatabases(): number[] {
    return listItems(this.calls.alpm_get_syncdbs(this.handle));
  }

  get localDatabase(): Pointer {
    return this.calls.alpm_get_localdb(this.handle) as Pointer;
  }

  /** An installed package by its name, or 0. */
  installedPackage(name: string): number {
    return Number(this.calls.alpm_db_get_pkg(this.localDatabase, cBytes(name)) ?? 0);
  }

  packagesOf(database: number | Pointer): number[] {
    return listItems(this.calls.alpm_db_get_pkgcache(database as Pointer));
  }

  nameOf(pkg: number): string {
    return cText(this.calls.alpm_pkg_get_name(pkg as Pointer));
  }

  versionOf(pkg: number): string {
    return cText(this.calls.alpm_pkg_get_version(pkg as Pointer));
  }

  /** The repository of a package; of a file undefined. */
  repositoryOf(pkg: number): string | undefined {
    const database = this.calls.alpm_pkg_get_db(pkg as Pointer);
    const isNone = database === null || Number(database) === 0;
    return isNone ? undefined : cText(this.calls.alpm_db_get_name(database as Pointer));
  }

  dependencyTexts(list: unknown): string[] {
    return listItems(list as Pointer).map((at) => alpmDependencyText(this.library, at));
  }

  recordOf(pkg: number): PackageRecord {
    const { calls } = this;
    const at = pkg as Pointer;
    const repository = this.repositoryOf(pkg) ?? "";
    const reason = calls.alpm_pkg_get_reason(at) === ALPM_REASON_DEPEND ? "dependency" : "explicit";
    return {
      name: this.nameOf(pkg),
      version: this.versionOf(pkg),
      description: cText(calls.alpm_pkg_get_desc(at)),
      repository,
      installedBytes: Number(calls.alpm_pkg_get_isize(at)),
      dependencies: this.dependencyTexts(calls.alpm_pkg_get_depends(at)),
      provides: this.dependencyTexts(calls.alpm_pkg_get_provides(at)),
      groups: listTexts(calls.alpm_pkg_get_groups(at)),
      ...(repository === "local" ? { reason } : {}),
    };
  }

  /** @throws {Fault} E_NOT_FOUND where a repository was not fetched, E_INTEGRITY for a bad one */
  requireDatabases(): void {
    const broken: string[] = [];
    const missing: string[] = [];
    const folder = this.#scratch ?? this.paths.database;
    for (const database of this.syncDatabases) {
      const known = cText(this.calls.alpm_db_get_name(database as Pointer));
      // libalpm takes one that is not there for a valid one, without packages.
      if (!existsSync(join(folder, "sync", `${known}.db`))) {
        missing.push(known);
        continue;
      }
      if (this.calls.alpm_db_get_valid(database as Pointer) === 0) continue;
      broken.push(known);
    }
    if (missing.length > 0) throw packageFault({ kind: "not-fetched", repositories: missing });
    const lines = [this.errorText];
    if (broken.length > 0) throw packageFault({ kind: "database", repositories: broken, lines });
  }

  /** The fault of a lock that is taken. */
  lockProblem(): PackageProblem {
    const path = join(this.paths.database, LOCK_NAME);
    return { kind: "locked", path, holder: lockHolderOf(path) };
  }

  #initialize(database: string): Pointer {
    const error = new Int32Array(1);
    const handle = this.calls.alpm_initialize(
      cBytes(this.paths.root),
      cBytes(database),
      ptr(error),
    );
    if (handle !== null && Number(handle) !== 0) return handle as Pointer;
    const reason = cText(this.calls.alpm_strerror(error[0] ?? 0));
    throw packageFault(
      { kind: "other", reason, lines: [] },
      `open the packages of "${this.paths.root}"`,
    );
  }

  #setOptions(options: PackageRootOptions, purpose: SessionPurpose): void {
    const { calls, handle, paths } = this;
    this.#callbacks.attach(Number(handle));
    calls.alpm_option_add_cachedir(handle, cBytes(paths.cache));
    calls.alpm_option_add_hookdir(handle, cBytes(paths.hooks));
    calls.alpm_option_set_gpgdir(handle, cBytes(paths.gpg));
    if (purpose === "change") calls.alpm_option_set_logfile(handle, cBytes(paths.log));
    calls.alpm_option_add_architecture(handle, cBytes(options.architecture ?? machineName()));
    for (const name of options.ignoredGroups ?? []) {
      calls.alpm_option_add_ignoregroup(handle, cBytes(name));
    }
    for (const glob of options.keptFiles ?? []) {
      calls.alpm_option_add_noupgrade(handle, cBytes(glob));
    }
    for (const glob of options.leftOutFiles ?? []) {
      calls.alpm_option_add_noextract(handle, cBytes(glob));
    }
    const { downloadUser } = options;
    if (downloadUser !== undefined && process.geteuid?.() === 0) {
      this.library.setSandboxUser?.(Number(handle), cBytes(downloadUser));
    }
    calls.alpm_option_set_checkspace(handle, 1);
    calls.alpm_option_set_parallel_downloads(handle, 4);
    const level = signatureLevelOf(options.signatureLevel ?? DEFAULT_SIGNATURE_LEVEL);
    calls.alpm_option_set_default_siglevel(handle, level);
    const files = signatureLevelOf(options.fileSignatureLevel ?? "Optional", level);
    calls.alpm_option_set_local_file_siglevel(handle, files);
    calls.alpm_option_set_remote_file_siglevel(handle, level);
  }

  #register(options: PackageRootOptions): readonly string[] {
    const base = signatureLevelOf(options.signatureLevel ?? DEFAULT_SIGNATURE_LEVEL);
    for (const { name, servers, signatureLevel } of options.repositories) {
      const level = signatureLevelOf(signatureLevel ?? "", base);
      const made = this.calls.alpm_register_syncdb(this.handle, cBytes(name), level);
      if (made === null || Number(made) === 0) {
        const reason = this.errorText;
        throw packageFault({ kind: "other", reason, lines: [] }, `use the repository "${name}"`);
      }
      for (const server of servers) {
        const architecture = options.architecture ?? machineName();
        const url = serverUrl(server, name, architecture);
        this.calls.alpm_db_add_server(made as Pointer, cBytes(url));
      }
      this.calls.alpm_db_set_usage(made as Pointer, ALPM_DB_USAGE_ALL);
    }
    return options.repositories.map(({ name }) => name);
  }
}
