import { join } from "node:path";
import { errno } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import {
  HERE,
  makeFolderAt,
  openFolderAt,
  removeFileAt,
  renameAt,
  writeNewFileAt,
} from "../../kit/fs/at.ts";
import { removeTree } from "../../kit/fs/remove-tree.ts";
import type { FileLock } from "../../kit/store/lock.ts";
import type { PackageName } from "../pep/name.ts";
import { directUrlText } from "../project/direct-url.ts";
import type { Environment } from "./environment.ts";
import { must } from "./faults.ts";
import type { InstallItem } from "./install-item.ts";
import type { InstalledDistribution } from "./installed.ts";
import type { Journal, JournalPackage, ManifestChange, Move } from "./journal.ts";
import { formatJournal } from "./journal.ts";
import { type Layout, layOut } from "./layout.ts";
import { type LinkMode, linkList, stopLinks, tryLinks, workOnLinks } from "./link.ts";
import { LinkHelpers } from "./link-helpers.ts";
import { type LockOptions, lockEnvironment } from "./lock.ts";
import { setManifest } from "./manifest.ts";
import {
  describeMarks,
  isNews,
  type Mark,
  type MarkPlan,
  planMarks,
  stageMarks,
  withMarks,
} from "./marks.ts";
import { moveAside, moveIn } from "./moves.ts";
import { type ConflictRule, planPlacement } from "./placement.ts";
import { parseRecord } from "./record.ts";
import { recoverLocked, takeBackTransaction } from "./recover.ts";
import { linkSource, stageRest } from "./stage.ts";
import { bootId, lastJournal, listState, STATE_FOLDER } from "./state-folder.ts";
import { type AssumedRecord, planRemoval } from "./uninstall.ts";

/** What is to change in an environment. */
export interface ChangePlan {
  /** What of `install` replaces needs no mention here. */
  readonly remove: readonly InstalledDistribution[];
  readonly install: readonly InstallItem[];
  /** What stays, and is asked for now or not any more. */
  readonly mark?: readonly Mark[];
}

/** How a change is made. */
export interface ChangeOptions extends LockOptions {
  /** A lock that the caller holds already. */
  readonly lock?: FileLock;
  /** What to try first; what the file systems cannot do falls back to the next. Default clone. */
  readonly linkMode?: LinkMode;
  /**
   * What to do where two packages own one file, or where a file of nobody's is in the way; refuse
   * is the default. Files of the same content may always be shared.
   */
  readonly conflicts?: ConflictRule;
  /** Files outside of the environment that change with it, or not at all. */
  readonly manifests?: readonly ManifestChange[];
  /** The number of the transaction that this one takes back. */
  readonly undoes?: number;
  /** So many threads link files; by default up to 4, where there are as many processors. */
  readonly threads?: number | undefined;
  /** Threads that were started already. Their comparisons decide whether anything is changed. */
  readonly helpers?: LinkHelpers | undefined;
}

/** What was changed. */
export interface ChangeResult {
  /** Of the transaction; undefined where there was nothing to do. */
  readonly number: number | undefined;
  readonly removed: readonly JournalPackage[];
  readonly installed: readonly JournalPackage[];
  /** Which way the files came; undefined where none did. */
  readonly linkMode: LinkMode | undefined;
  /** Things worth telling: files left alone, shared or replaced. */
  readonly notes: readonly string[];
}

/**
 * Changes an environment as one transaction: everything, or nothing at all, whatever happens.
 * First what may not be is refused, then the new files are staged, and then old and new ones change
 * places by renaming alone (docs/decisions/0007-environment-transactions.md).
 *
 * @throws {Fault} E_REFUSED for conflicts; E_LOCKED; E_NO_SPACE, E_IO and E_PRIVILEGE from the
 *   system. The environment is as it was then.
 */
export async function applyChanges(
  environment: Environment,
  plan: ChangePlan,
  options: ChangeOptions,
): Promise<ChangeResult> {
  const { remove, install } = plan;
  const manifests = options.manifests ?? [];
  const marks = plan.mark ?? [];
  if (remove.length + install.length + marks.length + manifests.length === 0) {
    return { number: undefined, removed: [], installed: [], linkMode: undefined, notes: [] };
  }
  const lock = options.lock ?? (await lockEnvironment(environment, options));
  try {
    recoverLocked(environment);
    // Threads take some milliseconds to start, which the planning hides.
    using own =
      options.helpers === undefined
        ? LinkHelpers.forFiles(countFiles(install), options.threads)
        : undefined;
    return await runTransaction(environment, {
      ...prepare(environment, plan, options),
      helpers: options.helpers ?? own,
    });
  } finally {
    if (options.lock === undefined) lock[Symbol.dispose]();
  }
}

/** A transaction that has been thought through. */
export interface PreparedTransaction {
  readonly journal: Journal;
  readonly layouts: readonly Layout[];
  readonly skips: ReadonlyMap<Layout, ReadonlySet<string>>;
  readonly linkMode: LinkMode;
  /** Threads that help to link, if there is enough to do. */
  readonly helpers?: LinkHelpers | undefined;
  readonly notes: readonly string[];
  readonly marking?: MarkPlan;
}

function prepare(
  environment: Environment,
  plan: ChangePlan,
  options: ChangeOptions,
): PreparedTransaction {
  const installed = environment.installed();
  const coming = new Set<PackageName>(plan.install.map(({ wheel }) => wheel.name));
  const named = new Set(plan.remove.map(({ path }) => path));
  const isLeaving = (d: InstalledDistribution): boolean => named.has(d.path) || coming.has(d.name);
  const leaving = installed.filter(isLeaving);
  const staying = installed.filter((distribution) => !isLeaving(distribution));
  const layouts = plan.install.map((item) => layOut(environment, item));
  const removal = planRemoval(environment, leaving, staying, recordsOf(layouts));
  const placement = planPlacement({
    environment,
    layouts,
    removed: new Set(removal.paths),
    staying,
    conflicts: options.conflicts ?? "refuse",
  });
  const marks = (plan.mark ?? []).filter((mark) => !isLeaving(mark.distribution) && isNews(mark));
  const marking = planMarks(environment, marks);
  const marked = describeMarks(environment, marks);
  const last = lastJournal(environment);
  const number = nextNumber(environment);
  const infosFirst = removal.paths.toSorted(
    (a, b) => Number(removal.infos.has(b)) - Number(removal.infos.has(a)),
  );
  const folder = openFolder(number);
  const removed = leaving.map((distribution) => describe(distribution, last));
  const added = plan.install.map(describeItem);
  const gone = new Set(removed.map(({ name }) => name));
  const kept = (last?.packages ?? []).filter(({ name }) => !gone.has(name) && !coming.has(name));
  const journal: Journal = {
    format: 1,
    number,
    timeMs: Date.now(),
    boot: bootId(),
    command: options.command,
    removed,
    installed: added,
    asides: [...infosFirst, ...placement.displaced, ...marking.folders].map(
      (path, index): Move => [path, `${folder}/old/${index}`],
    ),
    places: [...placement.places, ...placement.infos, ...marking.folders].map(
      (path): Move => [`${folder}/new/${path}`, path],
    ),
    ...(marked.length === 0 ? {} : { marked }),
    manifests: options.manifests ?? [],
    ...(options.undoes === undefined ? {} : { undoes: options.undoes }),
    packages: [...withMarks(kept, marked), ...added],
  };
  const notes = [...removal.notes, ...placement.notes];
  const linkMode = options.linkMode ?? "clone";
  const { skips } = placement;
  return { journal, layouts, skips, linkMode, notes, marking };
}

function countFiles(items: readonly InstallItem[]): number {
  return items.reduce((sum, { wheel }) => sum + wheel.files.length, 0);
}

/** What is installed again in the same version says what the broken one had. */
function recordsOf(layouts: readonly Layout[]): AssumedRecord {
  return ({ distInfo }) => {
    const layout = layouts.find(({ item }) => item.wheel.distInfo === distInfo);
    if (layout === undefined) return undefined;
    return parseRecord(layout.record.content()).map(({ path }) => path);
  };
}

/** The folder of a transaction that is not committed, relative to the root. */
function openFolder(number: number): string {
  return `${STATE_FOLDER}/open-${number}`;
}

/** The number of the next transaction. */
export function nextNumber(environment: Environment): number {
  const { open, done } = listState(environment);
  return Math.max(0, ...open, ...done) + 1;
}

/** A distribution that stands in the environment, as the history knows it. */
export function describe(
  distribution: InstalledDistribution,
  last: Journal | undefined,
): JournalPackage {
  const { name, distInfo, requested } = distribution;
  const directUrl = distribution.readFile("direct_url.json");
  const known = last?.packages.find((entry) => entry.name === name && entry.distInfo === distInfo);
  // Another installer may have put the same version there since.
  const sha256 = distribution.installer === "blast" ? known?.sha256 : undefined;
  return {
    name,
    version: distribution.version.toString(),
    distInfo,
    requested,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(directUrl === undefined ? {} : { directUrl }),
  };
}

function describeItem({ wheel, requested, directUrl }: InstallItem): JournalPackage {
  return {
    name: wheel.name,
    version: wheel.version.toString(),
    distInfo: wheel.distInfo,
    requested,
    sha256: wheel.sha256,
    ...(directUrl === undefined ? {} : { directUrl: directUrlText(directUrl) }),
  };
}

/**
 * Carries a prepared transaction out; the caller holds the lock.
 *
 * @throws {Fault} what went wrong; all that was done is taken back then
 */
export async function runTransaction(
  environment: Environment,
  prepared: PreparedTransaction,
): Promise<ChangeResult> {
  const { journal, notes } = prepared;
  const root = must(openFolderAt(HERE, environment.root), "open", environment.root);
  let linkMode: LinkMode | undefined;
  try {
    begin(root, journal);
    linkMode = await stageAll(environment, root, prepared);
    moveAside(root, journal.asides);
    moveIn(root, journal.places);
    for (const { path, after } of journal.manifests) setManifest(path, after);
    commit(root, journal.number);
  } catch (error) {
    giveUp(environment, journal, error);
  } finally {
    sys.close(root);
  }
  tidyUp(environment, journal.number);
  const { number, removed, installed } = journal;
  return { number, removed, installed, linkMode, notes };
}

/** The journal is on the disk before anything else happens. */
function begin(root: number, journal: Journal): void {
  const folder = openFolder(journal.number);
  must(makeFolderAt(root, folder), "make", folder);
  must(makeFolderAt(root, `${folder}/old`), "make", folder);
  must(makeFolderAt(root, `${folder}/staging`), "make", folder);
  const path = `${folder}/journal.json`;
  must(writeNewFileAt(root, path, formatJournal(journal), { sync: true }), "write", path);
}

/** Stages everything, and marks that with a rename: no move is made before it. */
async function stageAll(
  environment: Environment,
  root: number,
  prepared: PreparedTransaction,
): Promise<LinkMode | undefined> {
  const { journal, layouts, skips } = prepared;
  const folder = openFolder(journal.number);
  const staging = join(environment.root, folder, "staging");
  const sources = layouts.map((layout) => linkSource(layout, skips.get(layout)));
  const list = linkList(staging, sources);
  // The first files show which way works.
  const mode = tryLinks(list, prepared.linkMode);
  const { helpers } = prepared;
  helpers?.start(list, mode);
  try {
    stageLayouts(staging, layouts, skips, mode);
    if (prepared.marking !== undefined) stageMarks(root, `${folder}/staging`, prepared.marking);
    workOnLinks(list, mode);
  } catch (error) {
    stopLinks(list);
    await helpers?.finish().catch(() => {});
    throw error;
  }
  await helpers?.finish();
  markUnsettled(root, journal);
  must(renameAt(root, `${folder}/staging`, root, `${folder}/new`), "mark", folder);
  return layouts.length === 0 ? undefined : mode;
}

function stageLayouts(
  staging: string,
  layouts: PreparedTransaction["layouts"],
  skips: PreparedTransaction["skips"],
  mode: LinkMode,
): void {
  using root = new Fd(must(openFolderAt(HERE, staging), "open", staging));
  const folder = { root: root.number, made: new Set<string>() };
  for (const layout of layouts) stageRest(layout, skips.get(layout), folder, mode);
}

/** Until the next boot, what was written may still be on its way to the disk. */
function markUnsettled(root: number, journal: Journal): void {
  const path = `${STATE_FOLDER}/unsettled`;
  const removed = removeFileAt(root, path);
  if (removed !== -errno.ENOENT) must(removed, "replace", path);
  must(writeNewFileAt(root, path, `${journal.boot}\n`), "write", path);
}

/** One rename makes it done. */
function commit(root: number, number: number): void {
  const folder = openFolder(number);
  const done = `${STATE_FOLDER}/done-${number}`;
  must(renameAt(root, folder, root, done), "commit", folder);
}

/** Takes back what was done, and passes the reason on. */
function giveUp(environment: Environment, journal: Journal, reason: unknown): never {
  try {
    takeBackTransaction(environment, journal.number);
  } catch (problem) {
    if (!(reason instanceof Fault)) throw reason;
    throw new Fault({
      code: reason.code,
      message: reason.message,
      hint: "the environment is between two states: the next blast command takes the change back",
      cause: problem,
      details: reason.details,
    });
  }
  if (!(reason instanceof Fault) || reason.code !== "E_NO_SPACE") throw reason;
  const { code, message, details } = reason;
  const hint = `make room on the disk of "${environment.root}" and try again; nothing was changed`;
  throw new Fault({ code, message, hint, cause: reason.cause, details });
}

/** How many transactions keep the files that they replaced, and how many keep their journal. */
const KEPT_FILES = 1;
const KEPT_JOURNALS = 50;

/** After the commit: what is not needed any more. Failures here cost space, and nothing else. */
function tidyUp(environment: Environment, number: number): void {
  const state = join(environment.root, STATE_FOLDER);
  removeTree(join(state, `done-${number}`, "new"));
  const { done, trash } = listState(environment);
  for (const name of trash) removeTree(join(state, name));
  for (const old of done.slice(0, -KEPT_FILES)) {
    // Out of the way in one step, so that no half of it is ever taken for the whole.
    const target = join(state, `trash-${old}`);
    const isFar = done.indexOf(old) < done.length - KEPT_JOURNALS;
    const source = isFar ? join(state, `done-${old}`) : join(state, `done-${old}`, "old");
    if (renameAt(HERE, source, HERE, target) === 0) removeTree(target);
  }
}
