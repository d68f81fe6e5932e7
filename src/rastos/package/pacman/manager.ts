import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { AlpmQuestion } from "../../../../ffi/alpm/callback.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { noLibrary } from "../alpm/jobs.ts";
import { sortedChanges } from "../changes.ts";
import { dependencyOf, satisfies } from "../dependency.ts";
import { makePackageFolders, type SessionPurpose, scratchDatabase } from "../folders.ts";
import { answerTo, Notes } from "../notes.ts";
import type { Signed } from "../other-problem.ts";
import {
  hasSyncDatabases,
  LOCK_NAME,
  lockHolderOf,
  type PackagePaths,
  packagePathsOf,
} from "../paths.ts";
import { packageFault } from "../problem.ts";
import { stepsOf } from "../steps.ts";
import type {
  PackageChange,
  PackageEvent,
  PackageManager,
  PackageRecord,
  PackageRootOptions,
  PlanOptions,
  TransactionPlan,
  TransactionRequest,
} from "../types.ts";
import { compareVersions } from "../version.ts";
import { configTextOf } from "./config-text.ts";
import { type DatabasePackage, readLocalDatabase, readSyncDatabase } from "./database.ts";
import { runPacman } from "./dialogue.ts";
import { eventOfLine } from "./events.ts";
import { type ListedPackage, listedPackages, problemOf } from "./output.ts";

type OnEvent = (event: PackageEvent) => void;

/**
 * The package manager over the pacman command: for machines whose libalpm is not known. The results
 * are those of {@link AlpmManager}; questions get the same answers.
 */
export class PacmanManager implements PackageManager {
  readonly kind = "pacman";
  readonly #options: PackageRootOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #program: string;

  /** @throws {Fault} E_NOT_FOUND without pacman */
  constructor(options: PackageRootOptions, signal?: AbortSignal) {
    const program = Bun.which("pacman");
    if (program === null) throw noLibrary();
    this.#program = program;
    this.#options = options;
    this.#signal = signal;
  }

  async sync(onEvent: OnEvent = () => undefined): Promise<void> {
    using place = this.#open("change", onEvent);
    await this.#fetch(place);
  }

  async hasDatabases(): Promise<boolean> {
    return hasSyncDatabases(this.#options);
  }

  async installed(): Promise<readonly PackageRecord[]> {
    const { database } = packagePathsOf(this.#options);
    return readLocalDatabase(database).map(({ record }) => record);
  }

  async search(words: readonly string[]): Promise<readonly PackageRecord[]> {
    const patterns = words.map(patternOf);
    const { database } = packagePathsOf(this.#options);
    const all = await this.#repositories(database);
    return all.map(({ record }) => record).filter((record) => isFound(record, patterns));
  }

  async plan(request: TransactionRequest, options: PlanOptions = {}): Promise<TransactionPlan> {
    const purpose = options.refresh === true ? "refreshed-read" : "planning";
    using place = this.#open(purpose, () => undefined);
    if (options.refresh === true) await this.#fetch(place);
    const changes: PackageChange[] = [];
    for (const step of stepsOf(request, "one-kind-each")) {
      changes.push(...(await this.#transaction(place, request, step, "plan")));
    }
    return { changes: sortedChanges(changes), notes: place.notes.all };
  }

  async mark(names: readonly string[], reason: "explicit" | "dependency"): Promise<void> {
    using place = this.#open("change", () => undefined);
    const there = new Set(readLocalDatabase(place.database).map(({ record }) => record.name));
    const missing = names.filter((name) => !there.has(name));
    if (missing.length > 0) throw packageFault({ kind: "not-installed", names: missing });
    const word = reason === "dependency" ? "--asdeps" : "--asexplicit";
    await this.#pacman(place, ["-D", word, "--", ...names], NO_QUESTIONS);
  }

  async run(
    request: TransactionRequest,
    onEvent: OnEvent = () => undefined,
  ): Promise<TransactionPlan> {
    using place = this.#open("change", onEvent);
    const changes: PackageChange[] = [];
    for (const [index, step] of stepsOf(request, "one-kind-each").entries()) {
      const rest = index === 0 ? step : withoutGone(step, place.database);
      changes.push(...(await this.#transaction(place, request, rest, "run")));
    }
    return { changes: sortedChanges(changes), notes: place.notes.all };
  }

  [Symbol.dispose](): void {
    // Each call closes what it opens.
  }

  async #transaction(
    place: Place,
    request: TransactionRequest,
    step: TransactionRequest,
    purpose: "plan" | "run",
  ): Promise<PackageChange[]> {
    const local = readLocalDatabase(place.database);
    const needsRepositories = (step.install?.length ?? 0) > 0 || step.upgrade === true;
    const known = needsRepositories ? await this.#repositories(place.database) : [];
    const words = wordsOf(step);
    if (words === undefined) return [];
    // Sizes before anything is fetched.
    const sizes = new Map(known.map((found) => [found, downloadBytes(found, place.paths.cache)]));
    const text = await this.#pacman(place, words, { request, known, isRun: purpose === "run" });
    const listed = listedPackages(text);
    const changes = listed.map((item) => changeOf(item, { local, known, sizes, step }));
    noteOptional(changes, { local, known, notes: place.notes });
    return changes;
  }

  async #pacman(place: Place, words: readonly string[], how: Asked): Promise<string> {
    const result = await runPacman({
      argv: [this.#program, ...place.flags, ...words],
      answer: (question) => answerTo(withProviders(question, how.known), how.request, place.notes),
      proceeds: how.isRun,
      onLine: (line) => place.onLine(line),
      signal: this.#signal,
    });
    if (this.#signal?.aborted === true) throw packageFault({ kind: "interrupted" });
    if (result.exitCode !== 0 && !result.wasDeclined) {
      const lockPath = join(place.paths.database, LOCK_NAME);
      throw packageFault(
        problemOf(result.text, {
          root: place.paths.root,
          lockPath,
          lockHolder: () => lockHolderOf(lockPath),
          signers: () => signersOf(result.text, how.known),
          corruptedFiles: place.notes.corruptedFiles,
          isRemoval: words[0]?.startsWith("-R") ?? false,
        }),
        words[0] === "-Sy" ? "fetch the databases of the repositories" : undefined,
      );
    }
    place.noteErrors(result.text);
    return result.text;
  }

  async #fetch(place: Place): Promise<void> {
    if (this.#options.repositories.length === 0) return;
    await this.#pacman(place, ["-Sy"], NO_QUESTIONS);
  }

  async #repositories(database: string): Promise<DatabasePackage[]> {
    const found: DatabasePackage[] = [];
    for (const { name } of this.#options.repositories) {
      found.push(...(await readSyncDatabase(database, name)));
    }
    return found;
  }

  #open(purpose: SessionPurpose, onEvent: OnEvent): Place {
    return new Place(this.#options, purpose, onEvent);
  }
}

/** The folders and flags of one call, with what lies aside for as long as it lasts. */
class Place implements Disposable {
  readonly paths: PackagePaths;
  readonly database: string;
  readonly flags: readonly string[];
  readonly notes: Notes;
  readonly #onEvent: OnEvent;
  readonly #scratch: string;

  constructor(options: PackageRootOptions, purpose: SessionPurpose, onEvent: OnEvent) {
    this.paths = packagePathsOf(options);
    this.#onEvent = onEvent;
    this.notes = new Notes(this.paths.root, onEvent);
    if (purpose === "change") makePackageFolders(this.paths);
    this.#scratch = scratchDatabase(this.paths, purpose) ?? mkdtempSync(`${tmpdir()}/rastos-pm-`);
    this.database = purpose === "change" ? this.paths.database : this.#scratch;
    const config = join(this.#scratch, "pacman.conf");
    writeFileSync(config, configTextOf(options));
    const { root, cache, gpg, hooks, log } = this.paths;
    const logFile = purpose === "change" ? log : "/dev/null";
    this.flags = [
      ...["--config", config, "--root", root, "--dbpath", this.database, "--cachedir", cache],
      ...["--gpgdir", gpg, "--hookdir", hooks, "--logfile", logFile, "--color", "never"],
    ];
  }

  onLine(line: string): void {
    if (line.startsWith("warning: ")) this.notes.addWarning(line);
    const event = eventOfLine(line);
    if (event !== undefined) this.#onEvent(event);
  }

  /** Errors in spite of which all went well: a script of a package that failed. */
  noteErrors(text: string): void {
    for (const line of text.split("\n")) {
      if (line.startsWith("error: ")) this.notes.addError(line.slice(7));
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

/** What pacman's questions are about. */
interface Asked {
  readonly request: TransactionRequest;
  readonly known: readonly DatabasePackage[];
  readonly isRun: boolean;
}

function signersOf(text: string, known: readonly DatabasePackage[]): readonly Signed[] {
  const listed = listedPackages(text);
  return known.flatMap(({ record: { name, version }, signature }) =>
    listed.some((item) => item.name === name && item.version === version)
      ? [{ name, signature }]
      : [],
  );
}

const NO_QUESTIONS: Asked = { request: {}, known: [], isRun: true };

/**
 * pacman does not flush the list of providers before it asks for a number, so they are looked up;
 * its order is that of the databases.
 */
function withProviders(question: AlpmQuestion, known: readonly DatabasePackage[]): AlpmQuestion {
  if (question.kind !== "select-provider") return question;
  const dependency = dependencyOf(question.dependency);
  const names = known.flatMap(({ record }) => (satisfies(record, dependency) ? [record.name] : []));
  return { ...question, names };
}

/** The operation and its targets; undefined if nothing is asked for. */
function wordsOf(step: TransactionRequest): readonly string[] | undefined {
  const ignored = step.ignored ?? [];
  const common = [
    ...(step.onlyNeeded === true ? ["--needed"] : []),
    ...(step.asDependencies === true ? ["--asdeps"] : []),
    ...(ignored.length > 0 ? ["--ignore", ignored.join(",")] : []),
  ];
  const remove = step.remove ?? [];
  if (remove.length > 0) return [step.recursive === true ? "-Rs" : "-R", "--", ...remove];
  const files = step.files ?? [];
  if (files.length > 0) return ["-U", ...common, "--", ...files.map((file) => resolve(file))];
  const install = step.install ?? [];
  if (step.upgrade === true) return ["-Su", ...common, "--", ...install];
  return install.length > 0 ? ["-S", ...common, "--", ...install] : undefined;
}

/** What an earlier step has removed already is no target of a later one. */
function withoutGone(step: TransactionRequest, database: string): TransactionRequest {
  if (step.remove === undefined) return step;
  const local = readLocalDatabase(database);
  const names = new Set(local.flatMap(({ record }) => [record.name, ...record.groups]));
  return { ...step, remove: step.remove.filter((name) => names.has(name)) };
}

interface Known {
  readonly local: readonly DatabasePackage[];
  readonly known: readonly DatabasePackage[];
  readonly sizes: ReadonlyMap<DatabasePackage, number>;
  readonly step: TransactionRequest;
}

function changeOf(listed: ListedPackage, { local, known, sizes, step }: Known): PackageChange {
  const { name, version } = listed;
  const old = local.find(({ record }) => record.name === name)?.record;
  if (listed.isRemoval || (step.remove?.length ?? 0) > 0) {
    const installedBytes = old?.installedBytes ?? 0;
    return { ...NOTHING, kind: "remove", name, oldVersion: version, installedBytes };
  }
  const asked = step.install?.find((target) => target.endsWith(`/${name}`))?.split("/")[0];
  const candidates = known.filter(
    ({ record }) => record.name === name && record.version === version,
  );
  const found = candidates.find(({ record }) => record.repository === asked) ?? candidates[0];
  const order = old === undefined ? 0 : compareVersions(version, old.version);
  const update = order > 0 ? "upgrade" : order < 0 ? "downgrade" : "reinstall";
  return {
    kind: old === undefined ? "install" : update,
    name,
    oldVersion: old?.version,
    newVersion: version,
    repository: found?.record.repository,
    downloadBytes: found === undefined ? 0 : (sizes.get(found) ?? 0),
    installedBytes: found?.record.installedBytes ?? 0,
  };
}

const NOTHING = { newVersion: undefined, repository: undefined, downloadBytes: 0 } as const;

/** What is in the cache already is not fetched. */
function downloadBytes({ fileName, fileBytes }: DatabasePackage, cache: string): number {
  const sizeOf = (path: string): number | undefined => {
    try {
      return statSync(path).size;
    } catch {
      return undefined;
    }
  };
  if (sizeOf(join(cache, fileName)) !== undefined) return 0;
  return Math.max(fileBytes - (sizeOf(join(cache, `${fileName}.part`)) ?? 0), 0);
}

function noteOptional(
  changes: readonly PackageChange[],
  { local, known, notes }: Omit<Known, "sizes" | "step"> & { readonly notes: Notes },
): void {
  const added = changes.flatMap(({ kind, name, newVersion }) => {
    if (kind === "remove") return [];
    const isIt = ({ record }: DatabasePackage) =>
      record.name === name && record.version === newVersion;
    return known.find(isIt) ?? [];
  });
  const there = [...local, ...added].map(({ record }) => record);
  for (const { kind, name } of changes) {
    const found = added.find(({ record }) => record.name === name);
    if (kind !== "install" || found === undefined) continue;
    for (const text of found.optionalDependencies) {
      const dependency = dependencyOf(text);
      if (!there.some((record) => satisfies(record, dependency))) notes.addOptional(name, text);
    }
  }
}

function patternOf(word: string): RegExp {
  try {
    return new RegExp(word, "i");
  } catch {
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot search for "${word}": it is no regular expression`,
      hint: "put a backslash before characters such as + and *",
    });
  }
}

/** As alpm_db_search(3): name, description, what it provides and its groups. */
function isFound(record: PackageRecord, patterns: readonly RegExp[]): boolean {
  const provided = record.provides.map((text) => dependencyOf(text).name);
  const texts = [record.name, record.description, ...provided, ...record.groups];
  return patterns.every((pattern) => texts.some((text) => pattern.test(text)));
}
