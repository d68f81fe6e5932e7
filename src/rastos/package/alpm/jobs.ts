import type { Pointer } from "bun:ffi";
import { ptr } from "bun:ffi";
import type { AlpmEvent, AlpmListener, AlpmQuestion } from "../../../../ffi/alpm/callback.ts";
import { ALPM_ERROR, ALPM_REASON_DEPEND } from "../../../../ffi/alpm/constants.ts";
import { type AlpmLibrary, openAlpm } from "../../../../ffi/alpm/library.ts";
import { cBytes, listItems } from "../../../../ffi/alpm/memory.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { sortedChanges } from "../changes.ts";
import type { SessionPurpose } from "../folders.ts";
import { answerTo, Notes } from "../notes.ts";
import { otherProblem } from "../other-problem.ts";
import { packageFault } from "../problem.ts";
import { stepsOf } from "../steps.ts";
import type {
  PackageChange,
  PackageEvent,
  PackageRecord,
  PackageRootOptions,
  TransactionPlan,
  TransactionRequest,
} from "../types.ts";
import { AlpmSession } from "./session.ts";
import { AlpmTransaction } from "./transaction.ts";

/** One call of the package manager, as plain data: it may cross to another thread. */
export type PackageJob =
  | { readonly kind: "sync" }
  | { readonly kind: "installed" }
  | { readonly kind: "search"; readonly words: readonly string[] }
  | { readonly kind: "plan"; readonly request: TransactionRequest; readonly refresh: boolean }
  | {
      readonly kind: "mark";
      readonly names: readonly string[];
      readonly reason: "explicit" | "dependency";
    }
  | { readonly kind: "run"; readonly request: TransactionRequest };

export type PackageJobResult = readonly PackageRecord[] | TransactionPlan | undefined;

/** What is told during a job. */
export interface JobListener {
  onEvent(event: PackageEvent): void;
  /** alpm_handle_t, for alpm_trans_interrupt(3) from another thread. */
  onHandle(handle: number): void;
}

/**
 * Does a job, from opening libalpm to closing it. Blocks its thread: see worker.ts.
 *
 * @throws {Fault}
 */
export function performJob(
  options: PackageRootOptions,
  job: PackageJob,
  listener: JobListener,
): PackageJobResult {
  const library = openAlpm();
  if (library === undefined) throw noLibrary();
  const work = new Work(library, options, listener);
  switch (job.kind) {
    case "sync":
      return work.sync();
    case "installed":
      return work.installed();
    case "search":
      return work.search(job.words);
    case "plan":
      return work.plan(job.request, job.refresh);
    case "mark":
      return work.mark(job.names, job.reason);
    case "run":
      return work.run(job.request);
  }
}

/** libalpm is not there, or too new or too old. */
export function noLibrary(): Fault {
  return new Fault({
    code: "E_NOT_FOUND",
    message: "Cannot manage packages: neither libalpm (13 to 15) nor pacman is installed",
    hint: 'install "pacman" (on Debian "pacman-package-manager")',
  });
}

class Work {
  readonly #library: AlpmLibrary;
  readonly #options: PackageRootOptions;
  readonly #listener: JobListener;
  readonly #errors: string[] = [];
  #notes: Notes | undefined;
  #request: TransactionRequest = {};

  constructor(library: AlpmLibrary, options: PackageRootOptions, listener: JobListener) {
    this.#library = library;
    this.#options = options;
    this.#listener = listener;
  }

  sync(): undefined {
    using session = this.#open("change");
    this.#fetch(session);
  }

  installed(): readonly PackageRecord[] {
    using session = this.#open("read");
    return session.packagesOf(session.localDatabase).map((pkg) => session.recordOf(pkg));
  }

  search(words: readonly string[]): readonly PackageRecord[] {
    using session = this.#open("read");
    session.requireDatabases();
    return session.syncDatabases.flatMap((database) =>
      this.#found(session, database, words).map((pkg) => session.recordOf(pkg)),
    );
  }

  plan(request: TransactionRequest, refresh: boolean): TransactionPlan {
    this.#request = request;
    using session = this.#open(refresh ? "refreshed-read" : "read");
    if (refresh) this.#fetch(session);
    const changes = stepsOf(request, "together").flatMap((step, index) => {
      const rest = index === 0 ? step : this.#stillThere(session, step);
      return this.#transaction(session, rest, { isPlan: true });
    });
    return { changes: sortedChanges(changes), notes: this.#notes?.all ?? [] };
  }

  run(request: TransactionRequest): TransactionPlan {
    this.#request = request;
    using session = this.#open("change");
    const changes: PackageChange[] = [];
    for (const step of stepsOf(request, "together")) {
      const rest = changes.length === 0 ? step : this.#stillThere(session, step);
      changes.push(...this.#transaction(session, rest, { isPlan: false }));
    }
    return { changes: sortedChanges(changes), notes: this.#notes?.all ?? [] };
  }

  mark(names: readonly string[], reason: "explicit" | "dependency"): undefined {
    using session = this.#open("change");
    const missing = names.filter((name) => session.installedPackage(name) === 0);
    if (missing.length > 0) throw packageFault({ kind: "not-installed", names: missing });
    const value = reason === "dependency" ? ALPM_REASON_DEPEND : 0;
    // The lock, which alpm_pkg_set_reason(3) does not take.
    using _transaction = this.#begin(session, {}, { isPlan: false });
    for (const name of names) {
      const pkg = session.installedPackage(name) as Pointer;
      if (session.calls.alpm_pkg_set_reason(pkg, value) === 0) continue;
      const reasonText = session.errorText;
      throw packageFault({ kind: "other", reason: reasonText, lines: [] }, `mark "${name}"`);
    }
  }

  /** The step without packages that the one before has removed. */
  #stillThere(session: AlpmSession, step: TransactionRequest): TransactionRequest {
    const remove = (step.remove ?? []).filter((name) => session.installedPackage(name) !== 0);
    return { ...step, remove };
  }

  #transaction(
    session: AlpmSession,
    request: TransactionRequest,
    how: { readonly isPlan: boolean },
  ): readonly PackageChange[] {
    if (wantsRepositories(request)) session.requireDatabases();
    using transaction = this.#begin(session, request, how);
    const { notes } = transaction;
    const changes = transaction.prepare();
    this.#noteOptional(session, changes, notes);
    if (!how.isPlan && changes.length > 0) transaction.commit();
    for (const line of this.#errors.splice(0)) notes.addError(line);
    return changes;
  }

  #begin(
    session: AlpmSession,
    request: TransactionRequest,
    how: { readonly isPlan: boolean },
  ): AlpmTransaction {
    const notes = this.#notes;
    if (notes === undefined) throw new Error("A session is open");
    const { fileSignatureLevel } = this.#options;
    const logged = { errors: this.#errors };
    return new AlpmTransaction(session, { request, notes, logged, ...how, fileSignatureLevel });
  }

  /** Optional dependencies of what is new that nothing provides yet. */
  #noteOptional(session: AlpmSession, changes: readonly PackageChange[], notes: Notes): void {
    const { calls, handle } = session;
    const local = calls.alpm_db_get_pkgcache(session.localDatabase) as Pointer;
    const added = calls.alpm_trans_get_add(handle) as Pointer;
    for (const { kind, name } of changes) {
      if (kind !== "install") continue;
      const pkg = Number(calls.alpm_pkg_find(added, cBytes(name)) ?? 0);
      if (pkg === 0) continue;
      for (const text of session.dependencyTexts(calls.alpm_pkg_get_optdepends(pkg as Pointer))) {
        const dependency = cBytes(/^[^:]+/.exec(text)?.[0] ?? text);
        const isThere = [local, added].some(
          (list) => Number(calls.alpm_find_satisfier(list, dependency) ?? 0) !== 0,
        );
        if (!isThere) notes.addOptional(name, text);
      }
    }
  }

  #fetch(session: AlpmSession): void {
    const { calls, handle } = session;
    const databases = calls.alpm_get_syncdbs(handle);
    if (databases === null || Number(databases) === 0) return;
    const result = calls.alpm_db_update(handle, databases as Pointer, 0);
    if (result >= 0) {
      session.requireDatabases();
      return;
    }
    if (session.errorNumber === ALPM_ERROR.HANDLE_LOCK) throw packageFault(session.lockProblem());
    const lines = [...this.#errors];
    const action = "fetch the databases of the repositories";
    if (session.errorNumber === ALPM_ERROR.DB_INVALID_SIG) {
      throw packageFault({ kind: "untrusted", files: session.repositories, lines }, action);
    }
    const reason = session.errorText;
    const problem = otherProblem(lines, { reason, signers: () => [] });
    const isOther = problem.kind === "other";
    throw packageFault(isOther ? { kind: "fetch", lines: [...lines, reason] } : problem, action);
  }

  #found(session: AlpmSession, database: number, words: readonly string[]): number[] {
    const { calls } = session;
    if (words.length === 0) return session.packagesOf(database);
    // Kept until the call is over: the list holds only their addresses.
    const texts = words.map(cBytes);
    let needles: Pointer | null = null;
    for (const text of texts) {
      needles = calls.alpm_list_add(needles, ptr(text)) as Pointer;
    }
    const slot = new BigUint64Array(1);
    const result = calls.alpm_db_search(database as Pointer, needles, ptr(slot));
    const list = Number(slot[0] ?? 0n);
    const found = listItems(list);
    if (list !== 0) calls.alpm_list_free(list as Pointer);
    calls.alpm_list_free(needles);
    if (result !== 0) throw badPattern(words);
    return found;
  }

  #open(purpose: SessionPurpose): AlpmSession {
    const listener: AlpmListener = {
      onEvent: (event) => this.#onEvent(event),
      onQuestion: (question) => this.#answer(question),
    };
    const session = new AlpmSession(this.#library, this.#options, { purpose, listener });
    this.#notes = new Notes(session.paths.root, (event) => this.#listener.onEvent(event));
    this.#listener.onHandle(Number(session.handle));
    return session;
  }

  #answer(question: AlpmQuestion): number {
    return this.#notes === undefined ? 0 : answerTo(question, this.#request, this.#notes);
  }

  #onEvent(event: AlpmEvent): void {
    if (event.kind === "log" && event.level === "error") this.#errors.push(event.text);
    else if (event.kind === "log") this.#notes?.addWarning(event.text);
    else if (event.kind === "pacnew") this.#notes?.addPacnew(event.file);
    else if (event.kind === "pacsave") this.#notes?.addPacsave(event.file);
    else this.#notes?.pass(event);
  }
}

function wantsRepositories(request: TransactionRequest): boolean {
  return (request.install?.length ?? 0) > 0 || request.upgrade === true;
}

function badPattern(words: readonly string[]): Fault {
  return new Fault({
    code: "E_USAGE",
    message: `Cannot search for "${words.join(" ")}": it is no regular expression`,
    hint: "put a backslash before characters such as + and *",
  });
}
