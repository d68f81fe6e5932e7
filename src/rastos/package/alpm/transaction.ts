import type { Pointer } from "bun:ffi";
import { ptr } from "bun:ffi";
import { resolve } from "node:path";
import { alpmConflictOf, alpmDependencyText } from "../../../../ffi/alpm/callback.ts";
import { ALPM_ERROR, ALPM_FILECONFLICT_TARGET, ALPM_FLAG } from "../../../../ffi/alpm/constants.ts";
import {
  cBytes,
  cText,
  freeMemory,
  intAt,
  listItems,
  pointerAt,
} from "../../../../ffi/alpm/memory.ts";
import type { Notes } from "../notes.ts";
import { otherProblem, type Signed } from "../other-problem.ts";
import { type FileConflict, type PackageProblem, packageFault } from "../problem.ts";
import { signatureLevelOf } from "../signature-level.ts";
import type { PackageChange, TransactionRequest } from "../types.ts";
import type { AlpmSession } from "./session.ts";

/** The errors and warnings that libalpm has logged so far. */
export interface LoggedLines {
  readonly errors: readonly string[];
}

/** libalpm does not always say which file is bad, but has asked before whether to delete it. */
function filesOr(files: readonly string[], { notes }: TransactionOptions): readonly string[] {
  return files.length > 0 ? files : notes.corruptedFiles;
}

/** How a transaction is made. */
export interface TransactionOptions {
  readonly request: TransactionRequest;
  readonly notes: Notes;
  readonly logged: LoggedLines;
  /** Without the lock; it may only be prepared. */
  readonly isPlan: boolean;
  readonly fileSignatureLevel: string | undefined;
}

/** One transaction of libalpm, from alpm_trans_init(3) to alpm_trans_release(3). */
export class AlpmTransaction implements Disposable {
  readonly #session: AlpmSession;
  readonly #options: TransactionOptions;

  /** @throws {Fault} E_LOCKED */
  constructor(session: AlpmSession, options: TransactionOptions) {
    this.#session = session;
    this.#options = options;
    const { request } = options;
    const flags =
      (request.onlyNeeded === true ? ALPM_FLAG.NEEDED : 0) |
      (request.asDependencies === true ? ALPM_FLAG.ALLDEPS : 0) |
      (request.recursive === true ? ALPM_FLAG.RECURSE : 0) |
      (options.isPlan ? ALPM_FLAG.NOLOCK : 0);
    if (session.calls.alpm_trans_init(session.handle, flags) !== 0) this.#fail();
  }

  [Symbol.dispose](): void {
    this.#session.calls.alpm_trans_release(this.#session.handle);
  }

  get notes(): Notes {
    return this.#options.notes;
  }

  /** Takes in what is asked for, and works out what follows from it. */
  prepare(): readonly PackageChange[] {
    const { request } = this.#options;
    const { calls, handle } = this.#session;
    for (const name of request.ignored ?? []) {
      calls.alpm_option_add_ignorepkg(handle, cBytes(name));
    }
    this.#addTargets(request.install ?? []);
    for (const file of request.files ?? []) this.#addFile(file);
    if (request.upgrade === true && calls.alpm_sync_sysupgrade(handle, 0) !== 0) this.#fail();
    this.#removeTargets(request.remove ?? []);
    const list = new BigUint64Array(1);
    if (calls.alpm_trans_prepare(handle, ptr(list)) !== 0) this.#fail(Number(list[0] ?? 0n));
    return this.#changes();
  }

  /** Does it. */
  commit(): void {
    const { calls, handle } = this.#session;
    const list = new BigUint64Array(1);
    if (calls.alpm_trans_commit(handle, ptr(list)) !== 0) this.#fail(Number(list[0] ?? 0n));
  }

  #addTargets(targets: readonly string[]): void {
    const missing: string[] = [];
    for (const target of targets) {
      const slash = target.indexOf("/");
      const repository = slash > 0 ? target.slice(0, slash) : undefined;
      const name = target.slice(slash + 1);
      if (!this.#addTarget(name, repository)) missing.push(target);
    }
    if (missing.length > 0) throw packageFault({ kind: "not-found", names: missing });
  }

  /** As `pacman -S` does: a package, what provides it, or a group. */
  #addTarget(name: string, repository: string | undefined): boolean {
    const { calls, handle } = this.#session;
    using databases = this.#databaseList(repository);
    const list = databases.list as Pointer;
    const found = Number(calls.alpm_find_dbs_satisfier(handle, list, cBytes(name)) ?? 0);
    if (found !== 0) {
      this.#add(found);
      return true;
    }
    if (this.#session.errorNumber === ALPM_ERROR.PKG_IGNORED) {
      this.#options.notes.add(`"${name}" is left as it is: it is to be ignored`);
      return true;
    }
    const group = calls.alpm_find_group_pkgs(list, cBytes(name));
    const members = listItems(group);
    for (const member of members) this.#add(member);
    calls.alpm_list_free(group as Pointer);
    return members.length > 0 || this.#hasGroup(name);
  }

  /** A group of which every package is ignored. */
  #hasGroup(name: string): boolean {
    const { calls, syncDatabases } = this.#session;
    return syncDatabases.some(
      (at) => calls.alpm_db_get_group(at as Pointer, cBytes(name)) !== null,
    );
  }

  #databaseList(repository: string | undefined): Disposable & { readonly list: number } {
    const { calls, handle, syncDatabases } = this.#session;
    if (repository === undefined) {
      return {
        list: Number(calls.alpm_get_syncdbs(handle) ?? 0),
        [Symbol.dispose]: () => undefined,
      };
    }
    const wanted = syncDatabases.find(
      (at) => cText(calls.alpm_db_get_name(at as Pointer)) === repository,
    );
    if (wanted === undefined) return { list: 0, [Symbol.dispose]: () => undefined };
    const list = calls.alpm_list_add(null, wanted as Pointer);
    return {
      list: Number(list ?? 0),
      [Symbol.dispose]: () => calls.alpm_list_free(list as Pointer),
    };
  }

  #add(pkg: number): void {
    const { calls, handle } = this.#session;
    if (calls.alpm_add_pkg(handle, pkg as Pointer) === 0) return;
    // Twice the same, by two names: once is enough.
    if (this.#session.errorNumber === ALPM_ERROR.TRANS_DUP_TARGET) return;
    this.#fail();
  }

  #addFile(path: string): void {
    const { calls, handle } = this.#session;
    const level = signatureLevelOf(this.#options.fileSignatureLevel ?? "Optional", 0);
    const slot = new BigUint64Array(1);
    const file = cBytes(resolve(path));
    if (calls.alpm_pkg_load(handle, file, 1, level, ptr(slot)) !== 0) {
      const lines = this.#options.logged.errors;
      const isSigned = SIGNATURE_ERRORS.has(this.#session.errorNumber);
      throw packageFault({ kind: isSigned ? "untrusted" : "damaged", files: [path], lines });
    }
    const pkg = Number(slot[0] ?? 0n);
    if (calls.alpm_add_pkg(handle, pkg as Pointer) === 0) return;
    calls.alpm_pkg_free(pkg as Pointer);
    if (this.#session.errorNumber !== ALPM_ERROR.TRANS_DUP_TARGET) this.#fail();
  }

  #removeTargets(names: readonly string[]): void {
    const { calls, handle } = this.#session;
    const missing: string[] = [];
    for (const name of names) {
      const pkg = this.#session.installedPackage(name);
      const members = pkg === 0 ? this.#installedGroup(name) : [pkg];
      if (members.length === 0) missing.push(name);
      for (const member of members) {
        if (calls.alpm_remove_pkg(handle, member as Pointer) === 0) continue;
        if (this.#session.errorNumber !== ALPM_ERROR.TRANS_DUP_TARGET) this.#fail();
      }
    }
    if (missing.length > 0) throw packageFault({ kind: "not-installed", names: missing });
  }

  #installedGroup(name: string): number[] {
    const { calls, localDatabase } = this.#session;
    const group = Number(calls.alpm_db_get_group(localDatabase, cBytes(name)) ?? 0);
    return group === 0 ? [] : listItems(pointerAt(group, 8));
  }

  #changes(): PackageChange[] {
    const { calls, handle } = this.#session;
    const added = listItems(calls.alpm_trans_get_add(handle)).map((pkg) => this.#addition(pkg));
    const removed = listItems(calls.alpm_trans_get_remove(handle)).map((pkg) => this.#removal(pkg));
    return [...removed, ...added];
  }

  #addition(pkg: number): PackageChange {
    const session = this.#session;
    const at = pkg as Pointer;
    const newVersion = session.versionOf(pkg);
    const old = session.installedPackage(session.nameOf(pkg));
    const oldVersion = old === 0 ? undefined : session.versionOf(old);
    return {
      kind: oldVersion === undefined ? "install" : this.#kindOf(oldVersion, newVersion),
      name: session.nameOf(pkg),
      oldVersion,
      newVersion,
      repository: session.repositoryOf(pkg),
      downloadBytes: Number(session.calls.alpm_pkg_download_size(at)),
      installedBytes: Number(session.calls.alpm_pkg_get_isize(at)),
    };
  }

  #kindOf(oldVersion: string, newVersion: string): PackageChange["kind"] {
    const order = this.#session.calls.alpm_pkg_vercmp(cBytes(newVersion), cBytes(oldVersion));
    return order > 0 ? "upgrade" : order < 0 ? "downgrade" : "reinstall";
  }

  #removal(pkg: number): PackageChange {
    const session = this.#session;
    return {
      kind: "remove",
      name: session.nameOf(pkg),
      oldVersion: session.versionOf(pkg),
      newVersion: undefined,
      repository: undefined,
      downloadBytes: 0,
      installedBytes: Number(session.calls.alpm_pkg_get_isize(pkg as Pointer)),
    };
  }

  #fail(list = 0): never {
    const problem = this.#problemOf(this.#session.errorNumber, list);
    throw packageFault(problem);
  }

  /** Reads and frees what alpm_trans_prepare(3) and alpm_trans_commit(3) hand out. */
  #problemOf(error: number, list: number): PackageProblem {
    const { calls, library } = this.#session;
    const lines = this.#options.logged.errors;
    switch (error) {
      case ALPM_ERROR.UNSATISFIED_DEPS:
        return {
          kind: "unsatisfied",
          missing: this.#drain(list, calls.alpm_depmissing_free, (at) => ({
            dependency: alpmDependencyText(library, pointerAt(at, 8)),
            requiredBy: cText(pointerAt(at, 0)),
            causedBy: cText(pointerAt(at, 16)) || undefined,
          })),
        };
      case ALPM_ERROR.CONFLICTING_DEPS:
        return {
          kind: "conflicting",
          pairs: this.#drain(list, calls.alpm_conflict_free, (at) => {
            const { package1, package2, reason } = alpmConflictOf(library, at);
            const isTold = /[<>=]/.test(reason);
            return { first: package1, second: package2, reason: isTold ? reason : undefined };
          }),
        };
      case ALPM_ERROR.FILE_CONFLICTS:
        return { kind: "files", conflicts: this.#fileConflicts(list) };
      case ALPM_ERROR.PKG_INVALID_ARCH:
        return { kind: "architecture", packages: this.#texts(list) };
      case ALPM_ERROR.PKG_INVALID:
      case ALPM_ERROR.PKG_INVALID_CHECKSUM:
        return { kind: "damaged", files: filesOr(this.#texts(list), this.#options), lines };
      case ALPM_ERROR.PKG_INVALID_SIG:
      case ALPM_ERROR.PKG_MISSING_SIG:
        return { kind: "untrusted", files: filesOr(this.#texts(list), this.#options), lines };
      case ALPM_ERROR.HANDLE_LOCK:
        return this.#session.lockProblem();
      case ALPM_ERROR.DISK_SPACE:
        return { kind: "no-space", lines };
      case ALPM_ERROR.TRANS_HOOK_FAILED:
        return { kind: "hook", lines };
      case ALPM_ERROR.TRANS_ABORT:
        return { kind: "interrupted" };
      default:
        return this.#otherProblem(lines);
    }
  }

  #otherProblem(lines: readonly string[]): PackageProblem {
    const reason = this.#session.errorText;
    return otherProblem(lines, { reason, signers: () => this.#signers() });
  }

  /** Who has signed what is to be installed, as the repositories say. */
  #signers(): readonly Signed[] {
    const { calls, handle } = this.#session;
    return listItems(calls.alpm_trans_get_add(handle)).map((pkg) => ({
      name: this.#session.nameOf(pkg),
      signature: cText(calls.alpm_pkg_get_base64_sig(pkg as Pointer)),
    }));
  }

  #fileConflicts(list: number): FileConflict[] {
    const { calls, paths } = this.#session;
    const base = paths.root === "/" ? "" : paths.root;
    return this.#drain(list, calls.alpm_fileconflict_free, (at) => {
      const file = cText(pointerAt(at, 16));
      return {
        file: file.startsWith(`${base}/`) ? file.slice(base.length) : file,
        package: cText(pointerAt(at, 0)),
        owner: cText(pointerAt(at, 24)) || undefined,
        isTarget: intAt(at, 8) === ALPM_FILECONFLICT_TARGET,
      };
    });
  }

  #texts(list: number): string[] {
    return this.#drain(list, (at) => freeMemory(Number(at)), cText);
  }

  #drain<T>(list: number, free: (at: Pointer) => void, read: (at: number) => T): T[] {
    const found = listItems(list).map((at) => {
      const value = read(at);
      free(at as Pointer);
      return value;
    });
    if (list !== 0) this.#session.calls.alpm_list_free(list as Pointer);
    return found;
  }
}

const SIGNATURE_ERRORS: ReadonlySet<number> = new Set([
  ALPM_ERROR.PKG_INVALID_SIG,
  ALPM_ERROR.PKG_MISSING_SIG,
  ALPM_ERROR.SIG_INVALID,
  ALPM_ERROR.SIG_MISSING,
]);
