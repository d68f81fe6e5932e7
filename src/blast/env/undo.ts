import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { HERE, isThere } from "../../kit/fs/at.ts";
import { parseDirectUrl } from "../project/direct-url.ts";
import type { Environment } from "./environment.ts";
import type { InstallItem, WheelSource } from "./install-item.ts";
import type { InstalledDistribution } from "./installed.ts";
import type { Journal, JournalPackage, ManifestChange, Move } from "./journal.ts";
import { lockEnvironment } from "./lock.ts";
import { holdsManifest } from "./manifest.ts";
import { describeMarks, markedFolders, marksBack, withMarks } from "./marks.ts";
import { recoverLocked } from "./recover.ts";
import { bootId, listState, readJournal, STATE_FOLDER } from "./state-folder.ts";
import {
  applyChanges,
  type ChangeOptions,
  type ChangeResult,
  describe,
  nextNumber,
  runTransaction,
} from "./transaction.ts";
import { planRemoval } from "./uninstall.ts";

/** Where wheels are found again by their key. */
export interface WheelLookup {
  get(sha256: string): WheelSource | undefined;
}

/** What an undo did. */
export interface UndoResult extends ChangeResult {
  /** The command that was taken back. */
  readonly command: string;
  /** Manifests that have been changed since, and stay as they are. */
  readonly keptManifests: readonly string[];
}

/**
 * Takes back the last transaction that has not been taken back yet, as a transaction of its own:
 * from the files that it replaced, or from the store where those are gone.
 *
 * @throws {Fault} E_NOT_FOUND where there is nothing to take back, or the store has lost a wheel;
 *   E_REFUSED where something else has changed the packages since
 */
export async function undo(
  environment: Environment,
  store: WheelLookup,
  options: ChangeOptions,
): Promise<UndoResult> {
  const lock = options.lock ?? (await lockEnvironment(environment, options));
  try {
    recoverLocked(environment);
    const journal = findUndoable(environment);
    const installed = environment.installed();
    checkUnchanged(journal, installed);
    const manifests: ManifestChange[] = [];
    const keptManifests: string[] = [];
    for (const { path, before, after } of journal.manifests) {
      if (holdsManifest(path, after)) manifests.push({ path, before: after, after: before });
      else keptManifests.push(path);
    }
    const how = { ...options, lock, manifests, undoes: journal.number };
    const result =
      (await fromKeptFiles(environment, journal, installed, how)) ??
      (await fromStore(environment, journal, installed, store, how));
    return { ...result, command: journal.command, keptManifests };
  } finally {
    if (options.lock === undefined) lock[Symbol.dispose]();
  }
}

/** The last transaction that neither is an undo nor was undone. */
function findUndoable(environment: Environment): Journal {
  const undone = new Set<number>();
  for (const number of listState(environment).done.toReversed()) {
    const journal = readJournal(environment, `done-${number}`);
    if (journal === undefined) break;
    if (journal.undoes !== undefined) undone.add(journal.undoes);
    else if (!undone.has(number)) return journal;
  }
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot undo anything in "${environment.root}": no earlier change is recorded`,
  });
}

function checkUnchanged(journal: Journal, installed: readonly InstalledDistribution[]): void {
  const infos = new Set(installed.map(({ distInfo }) => distInfo));
  const names = new Map(installed.map((entry) => [entry.name, entry]));
  const gone = journal.installed.find(({ distInfo }) => !infos.has(distInfo));
  const added = journal.removed.find(
    ({ name }) => names.has(name) && !journal.installed.some((entry) => entry.name === name),
  );
  const lost = journal.marked?.find(({ distInfo }) => !infos.has(distInfo));
  if (lost !== undefined) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot undo "${journal.command}": "${lost.name}" has been changed since`,
      hint: "install the versions that you want",
    });
  }
  const changed = gone ?? added;
  if (changed === undefined) return;
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot undo "${journal.command}": "${changed.name}" has been changed since`,
    hint: `install the version that you want, for example ${changed.name}==${changed.version}`,
  });
}

type UndoOptions = ChangeOptions & {
  readonly manifests: readonly ManifestChange[];
  readonly undoes: number;
};

function leavingOf(
  journal: Journal,
  installed: readonly InstalledDistribution[],
): { leaving: InstalledDistribution[]; staying: InstalledDistribution[] } {
  const infos = new Set(journal.installed.map(({ distInfo }) => distInfo));
  return {
    leaving: installed.filter(({ distInfo }) => infos.has(distInfo)),
    staying: installed.filter(({ distInfo }) => !infos.has(distInfo)),
  };
}

/** The moves of the transaction the other way round; undefined where its old files are gone. */
async function fromKeptFiles(
  environment: Environment,
  journal: Journal,
  installed: readonly InstalledDistribution[],
  options: UndoOptions,
): Promise<ChangeResult | undefined> {
  const kept = (path: string): string =>
    path.replace(`${STATE_FOLDER}/open-`, `${STATE_FOLDER}/done-`);
  const asides = journal.asides.map(([from, to]): Move => [from, kept(to)]);
  const isKept = ([, to]: Move): boolean => isThere(HERE, join(environment.root, to));
  if (!asides.every(isKept)) return undefined;
  const { leaving, staying } = leavingOf(journal, installed);
  const coming = new Set(asides.map(([from]) => from));
  const removal = planRemoval(environment, leaving, staying, undefined, coming);
  const marked = markedFolders(environment, journal);
  const removed = new Set([...removal.paths, ...marked]);
  const places = asides
    .toReversed()
    .flatMap(([from, to]) => returning(environment, to, from, removed));
  const number = nextNumber(environment);
  const back = new Set(journal.installed.map(({ name }) => name));
  const last = readJournal(environment, `done-${listState(environment).done.at(-1)}`);
  const packages = (last?.packages ?? []).filter(({ name }) => !back.has(name));
  const infosFirst = removal.paths.toSorted(
    (a, b) => Number(removal.infos.has(b)) - Number(removal.infos.has(a)),
  );
  const marks = describeMarks(environment, marksBack(journal, staying));
  const undoing: Journal = {
    format: 1,
    number,
    timeMs: Date.now(),
    boot: bootId(),
    command: options.command,
    removed: leaving.map((distribution) => describe(distribution, last)),
    installed: journal.removed,
    asides: [...infosFirst, ...marked].map(
      (path, index): Move => [path, `${STATE_FOLDER}/open-${number}/old/${index}`],
    ),
    places,
    manifests: options.manifests,
    ...(marks.length === 0 ? {} : { marked: marks }),
    undoes: journal.number,
    packages: [...withMarks(packages, marks), ...journal.removed.filter(isFromStore)],
  };
  return await runTransaction(environment, {
    journal: undoing,
    layouts: [],
    skips: new Map(),
    linkMode: "clone",
    notes: removal.notes,
  });
}

function isFromStore({ sha256 }: JournalPackage): boolean {
  return sha256 !== undefined;
}

/** A kept file or folder goes back as a whole where its place is free, else part by part. */
function returning(
  environment: Environment,
  from: string,
  to: string,
  removed: ReadonlySet<string>,
): Move[] {
  const there = lstatSync(join(environment.root, to), { throwIfNoEntry: false });
  if (there === undefined || removed.has(to)) return [[from, to]];
  const source = lstatSync(join(environment.root, from));
  if (!there.isDirectory() || !source.isDirectory()) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot undo: "${to}" is in the way and belongs to no package`,
      hint: "move it away and try again",
    });
  }
  return readdirSync(join(environment.root, from)).flatMap((name) =>
    returning(environment, `${from}/${name}`, `${to}/${name}`, removed),
  );
}

async function fromStore(
  environment: Environment,
  journal: Journal,
  installed: readonly InstalledDistribution[],
  store: WheelLookup,
  options: UndoOptions,
): Promise<ChangeResult> {
  const install = journal.removed.map(({ name, version, sha256, requested, directUrl }) => {
    const wheel = sha256 === undefined ? undefined : store.get(sha256);
    if (wheel === undefined) {
      throw new Fault({
        code: "E_NOT_FOUND",
        message: `Cannot undo "${journal.command}": the files of ${name} ${version} are gone`,
        hint: `install them again: blast install ${name}==${version}`,
      });
    }
    const item: InstallItem = { wheel, requested };
    return directUrl === undefined ? item : { ...item, directUrl: parseDirectUrl(directUrl) };
  });
  const { leaving } = leavingOf(journal, installed);
  const mark = marksBack(journal, installed);
  return await applyChanges(environment, { remove: leaving, install, mark }, options);
}
