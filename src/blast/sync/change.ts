/** Makes an environment what is wanted, and tells what it did. */
import { statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { cacheSizeMax } from "../config.ts";
import type { InstallItem } from "../env/install-item.ts";
import type { InstalledDistribution } from "../env/installed.ts";
import type { ManifestChange } from "../env/journal.ts";
import type { LinkHelpers } from "../env/link-helpers.ts";
import type { ChangeResult } from "../env/transaction.ts";
import type { PackageName } from "../pep/name.ts";
import type { WheelStore } from "../wheel/store.ts";
import type { StoredWheel } from "../wheel/stored-wheel.ts";
import { checkNotOvertaken } from "./check-overtaken.ts";
import type { Place } from "./place.ts";
import { planSync, type SyncPlan } from "./plan.ts";
import type { PrepareOptions } from "./prepare.ts";
import type { Session } from "./session.ts";
import type { WantedPackage } from "./wanted.ts";

/** How to change it. */
export interface ChangeRequest {
  readonly wanted: readonly WantedPackage[];
  /** Remove what is not wanted. */
  readonly exact: boolean;
  readonly dryRun: boolean;
  readonly compileBytecode: boolean;
  /** As the user typed it, for other processes and the history. */
  readonly command: string;
  /** Files of the project that change with the environment. */
  readonly manifests?: readonly ManifestChange[];
  readonly reinstall?: (name: PackageName) => boolean;
  /** What has to go unless it is wanted. */
  readonly remove?: readonly InstalledDistribution[];
  /** Of what stays: what nobody asks for by name any more. */
  readonly unmark?: (name: PackageName) => boolean;
  /** What was installed when it was decided what is wanted. */
  readonly seen?: readonly InstalledDistribution[];
}

/** A package in the answer. */
export interface ChangedPackage {
  readonly name: string;
  readonly version: string;
}

/** What was, or with `--dry-run` would be, done. */
export interface ChangeOutcome {
  readonly installed: readonly ChangedPackage[];
  readonly removed: readonly ChangedPackage[];
  /** Packages that were right already. */
  readonly kept: number;
  readonly notes: readonly string[];
}

/**
 * Plans, fetches, and changes the environment in one transaction.
 *
 * @throws {Fault} whatever stands in the way; the environment is as it was then
 */
export async function changeEnvironment(
  session: Session,
  place: Place,
  request: ChangeRequest,
): Promise<ChangeOutcome> {
  const seen = request.seen ?? place.environment.installed();
  const plan = planSync(seen, request.wanted, {
    exact: request.exact,
    ...(request.reinstall === undefined ? {} : { reinstall: request.reinstall }),
    ...(request.remove === undefined ? {} : { remove: request.remove }),
    ...(request.unmark === undefined ? {} : { unmark: request.unmark }),
  });
  const outcome = outcomeOf(plan);
  const manifests = request.manifests ?? [];
  if (request.dryRun || (isNothing(plan) && manifests.length === 0)) return outcome;
  const store = await session.store();
  // A clean-up of another process must not take away what is about to be linked.
  using held = plan.install.length === 0 ? undefined : await store.hold();
  const { items, result } = await carriedOut(session, place, { ...request, manifests, seen }, plan);
  if (request.compileBytecode && items.length > 0) {
    const { compileBytecode } = await import("./compile-bytecode.ts");
    await compileBytecode(place, items);
  }
  if (held !== undefined) {
    held[Symbol.dispose]();
    await trimSometimes(session, store);
  }
  return { ...outcomeOf(plan, items), notes: result.notes };
}

type SettledRequest = ChangeRequest & Required<Pick<ChangeRequest, "manifests" | "seen">>;

type Stored = ReadonlyMap<WantedPackage, StoredWheel>;

interface CarriedOut {
  readonly items: readonly InstallItem[];
  readonly result: ChangeResult;
}

/** Fetches, and makes the change. Many wheels that are there are compared while it is made. */
async function carriedOut(
  session: Session,
  place: Place,
  request: SettledRequest,
  plan: SyncPlan,
): Promise<CarriedOut> {
  if (plan.install.length === 0) {
    return { items: [], result: await applied(session, place, request, plan, { items: [] }) };
  }
  const { storedAmong } = await import("./prepare.ts");
  const stored = storedAmong(plan.install, await session.store());
  using ahead = await preparedAhead(session, place, plan, stored);
  if (ahead !== undefined) {
    const { items, helpers } = ahead;
    try {
      return { items, result: await applied(session, place, request, plan, ahead) };
    } catch (error) {
      if (await helpers.areSound().catch(() => true)) throw error;
      // Whatever it was, it came of a store that was changed: once more, with what is in order.
    }
  }
  const items = await prepared(session, place, plan, ahead === undefined ? stored : undefined);
  return { items, result: await applied(session, place, request, plan, { items }) };
}

/** The change itself, by the one writer that there may be. */
async function applied(
  session: Session,
  { environment }: Place,
  request: SettledRequest,
  plan: SyncPlan,
  { items, helpers }: Pick<CarriedOut, "items"> & { readonly helpers?: LinkHelpers },
): Promise<ChangeResult> {
  const [{ applyChanges }, { lockEnvironment }, { recoverLocked }] = await Promise.all([
    import("../env/transaction.ts"),
    import("../env/lock.ts"),
    import("../env/recover.ts"),
  ]);
  const { command, manifests, seen } = request;
  const { fileConflicts: conflicts, linkMode, printer } = session;
  const onWait = (holder: string): void => printer.note(`Waiting for ${holder}`);
  using lock = await lockEnvironment(environment, { command, onWait });
  recoverLocked(environment);
  checkNotOvertaken(seen, environment.installed(), manifests);
  const { remove, mark } = plan;
  return await applyChanges(
    environment,
    { remove, install: items, mark },
    {
      command,
      conflicts,
      manifests,
      lock,
      helpers,
      ...(linkMode === undefined ? {} : { linkMode }),
    },
  );
}

const DAY_MS = 86_400_000;

/** Once a day, after an install: [cache] max_size holds without `blast clean`. */
async function trimSometimes(session: Session, store: WheelStore): Promise<void> {
  const limit = cacheSizeMax(session.config.values);
  const mark = join(session.cacheFolder, "trimmed");
  const last = statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (limit === undefined || Date.now() - last < DAY_MS) return;
  try {
    writeFileSync(mark, "");
    const removed = await store.trim({ diskBytesMax: limit });
    if (removed.length > 0) {
      session.printer.verbose(`The store was above its limit: ${removed.length} wheels removed`);
    }
  } catch (error) {
    // Another process uses the store, or it cannot be written to: another day.
    if (!(error instanceof Fault) && (error as NodeJS.ErrnoException).code === undefined)
      throw error;
  }
}

/** The items of a large plan, where all are in the store; threads compare them meanwhile. */
async function preparedAhead(session: Session, place: Place, plan: SyncPlan, stored: Stored) {
  if (stored.size < plan.install.length) return undefined;
  const [{ prepareItems }, { LinkHelpers }, store] = await Promise.all([
    import("./prepare.ts"),
    import("../env/link-helpers.ts"),
    session.store(),
  ]);
  const wheels = [...stored.values()];
  const files = wheels.reduce((sum, { fileCount }) => sum + fileCount, 0);
  const helpers = LinkHelpers.forFiles(files, undefined);
  if (helpers === undefined) return undefined;
  helpers.compare(wheels.map(({ folder }) => dirname(folder)));
  const items = await prepareItems(plan.install, {
    ...prepareOptions(session, place, store),
    stored,
    compares: false,
  });
  return { items, helpers, [Symbol.dispose]: () => helpers[Symbol.dispose]() };
}

function prepareOptions(session: Session, place: Place, store: WheelStore): PrepareOptions {
  return {
    store,
    index: () => session.index(place.interpreter),
    builder: () => session.builder(place.interpreter),
    discard: (path: string) => session.discardDownload(path),
  };
}

/** The items of the plan, with a progress line while something is fetched. */
async function prepared(session: Session, place: Place, plan: SyncPlan, known?: Stored) {
  const { prepareItems, storedAmong } = await import("./prepare.ts");
  const store = await session.store();
  const stored = known ?? storedAmong(plan.install, store);
  const missing = plan.install.filter((one) => !stored.has(one));
  const options = { ...prepareOptions(session, place, store), stored };
  if (missing.length === 0) return prepareItems(plan.install, options);
  session.printer.verbose(`Fetching ${missing.map(({ name }) => name).join(", ")}`);
  const { createProgress } = await import("../../kit/out/progress.ts");
  const progress = createProgress(session.printer, { label: "Fetching" });
  const totalBytes = missing.reduce((sum, { file }) => sum + (file?.size ?? 0), 0);
  const isKnown = missing.every(({ file }) => file?.size !== undefined);
  try {
    return await prepareItems(plan.install, {
      ...options,
      onProgress: ({ done, total, doneBytes, current }) =>
        progress.update({
          doneItems: done,
          totalItems: total,
          doneBytes,
          ...(isKnown ? { totalBytes } : {}),
          // An index of plain HTML tells no sizes: what has come is not all there is.
          totalIsFinal: isKnown,
          current,
        }),
    });
  } finally {
    progress.finish();
  }
}

function isNothing(plan: SyncPlan): boolean {
  return plan.install.length + plan.remove.length + plan.mark.length === 0;
}

/** What only a build could tell the version of is known once it is built. */
function outcomeOf(plan: SyncPlan, items: readonly InstallItem[] = []): ChangeOutcome {
  const built = new Map(items.map(({ wheel }) => [wheel.name, wheel.version]));
  const text = (one: Pick<WantedPackage, "name" | "version">): ChangedPackage => ({
    name: one.name,
    version: (one.version ?? built.get(one.name))?.toString() ?? "",
  });
  return {
    installed: plan.install.map(text),
    removed: plan.remove.map(text),
    kept: plan.keep.length,
    notes: [],
  };
}
