import { errnoText } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { type BackupPlace, findBackupPlace, makeBackupFolder } from "../engine/backup-folder.ts";
import { refuseWideMirror } from "../engine/guards.ts";
import type { Action, EngineOptions, Issue } from "../engine/options.ts";
import { raiseFileLimit } from "../engine/prepare.ts";
import { cancelReason, control, counter, SharedState } from "../engine/shared-state.ts";
import { Thread } from "../engine/thread.ts";
import { ports } from "../ports.ts";
import { openBeneath } from "../session/open-beneath.ts";
import type {
  Base,
  PassPurpose,
  PassReport,
  SessionOptions,
  SessionProgress,
  SourceReport,
  SourceRoot,
  StreamSeat,
} from "../session/types.ts";
import { isPlainSeat, mayStayWarm, type WorkerSource } from "../session/warm-workers.ts";
import { finishLate } from "./late-folders.ts";
import type { Found, LateFolder, TargetRoot, ToReceiver } from "./messages.ts";
import { holdUmask, releaseUmask } from "./open-umask.ts";
import { PartTable } from "./part-table.ts";
import { ReceiveStream, type StreamAnswer } from "./receive-stream.ts";
import { refuseSameMachine } from "./same-machine.ts";
import { completeOptions, enginePurpose, firstOptions, withFolding } from "./target-options.ts";
import {
  closePlaces,
  findTargetPlaces,
  type MadeFor,
  makeTargetPlaces,
  type TargetPlace,
} from "./target-places.ts";

export type ReceiveRequest = {
  readonly options: SessionOptions;
  readonly base: Base;
  /** As typed, latin1; of a module: below its folder, "" is all of it. */
  readonly target: string;
  readonly roots: readonly SourceRoot[];
  /** How many streams there will be at most. */
  readonly streams: number;
  /** Where threads come from, and where they go; without it each is new, and ended. */
  readonly workers?: WorkerSource | undefined;
};

type Pass = {
  readonly purpose: PassPurpose;
  readonly agreedDeletions: number | undefined;
  readonly roots: readonly TargetRoot[];
};

type Written = Extract<StreamAnswer, { kind: "written" }>;

/**
 * The target's side of a transfer over streams: one worker for each of them. It decides what is
 * needed, puts it in place under temporary names, deletes what a mirror has to, and counts.
 */
export class ReceiveSession {
  /** Where it goes, for messages: latin1. */
  readonly shown: string;
  /** Name of the target's file system, "unknown" where it has none. */
  readonly fileSystem: string;
  readonly shared: SharedState;
  /** Resolves with the reason as soon as the session cannot go on; stays pending otherwise. */
  readonly failed: Promise<Fault>;
  readonly #request: ReceiveRequest;
  readonly #main: Thread;
  readonly #places: TargetPlace[];
  readonly #backup: BackupPlace | undefined;
  readonly #streams: ReceiveStream[] = [];
  readonly #parts: PartTable;
  /** By root: paths of which the source has to stay at the end of a move. */
  readonly #stays: Set<string>[];
  #tellFailed: (fault: Fault) => void = () => {};
  #issues: Issue[] = [];
  #actions: Action[] = [];
  #pass: Pass | undefined;
  #avoidsDelta = false;
  #isWalked = false;
  #isClosed = false;

  /**
   * Finds where everything goes, and refuses what must not be. Makes nothing.
   * @throws Fault E_NOT_FOUND, E_IO, E_REFUSED, E_USAGE, E_INTEGRITY
   */
  static async open(request: ReceiveRequest): Promise<ReceiveSession> {
    const formerMask = holdUmask();
    try {
      return new ReceiveSession(request, formerMask);
    } catch (error) {
      releaseUmask();
      throw error;
    }
  }

  private constructor(request: ReceiveRequest, formerMask: number) {
    const { options, base, target, roots, streams } = request;
    this.#request = request;
    this.failed = new Promise((resolve) => {
      this.#tellFailed = resolve;
    });
    // Row 0 is the session's: a stream's is its index and one.
    this.shared = SharedState.create(streams + 1);
    this.#parts = PartTable.create(streams);
    const main = new Thread(0, firstOptions(options, base), this.shared);
    main.newFolderMode = 0o777 & ~formerMask;
    this.#main = main;
    raiseFileLimit();
    this.#stays = roots.map(() => new Set());
    const { command, backupDir } = options;
    try {
      this.#places = findTargetPlaces(main, { base, command, target, roots });
    } catch (error) {
      main.release();
      throw error;
    }
    try {
      const complete = completeOptions(main, this.#places);
      main.options = complete.options;
      this.fileSystem = complete.fileSystem;
      this.shown = this.#places.length === 1 ? (this.#places[0]?.targetPath ?? target) : target;
      this.#backup = backupDir === undefined ? undefined : this.#findBackup(backupDir);
      this.#refuse();
    } catch (error) {
      this.#letGo();
      throw error;
    }
  }

  #findBackup(path: string): BackupPlace {
    const { base } = this.#request;
    const { dev } = this.#main.options.targetMount;
    return findBackupPlace(this.#main, path, dev, (name, flags) => openBeneath(base, name, flags));
  }

  #refuse(): void {
    const { options, roots } = this.#request;
    for (const place of this.#places) {
      const root = roots[place.index];
      if (root !== undefined) refuseSameMachine(options.command, root, place);
    }
    if (this.#main.options.command !== "mirror") return;
    const backupFd = this.#backup?.fd;
    for (const place of this.#places) refuseWideMirror(this.#main, place, backupFd);
  }

  /** Hands a connected stream to a worker of its own. @throws Error without a way to start one */
  addStream(seat: StreamSeat): void {
    const { createReceiveWorker } = ports;
    if (createReceiveWorker === undefined)
      throw new Error("No way to start a worker is plugged in");
    const { streams, base } = this.#request;
    if (this.#streams.length >= streams) throw new Error(`More than ${streams} streams`);
    const row = this.#streams.length + 1;
    const { options } = this.#main;
    const start: ToReceiver = {
      kind: "start",
      row,
      seat,
      options,
      shared: this.shared.buffers,
      parts: this.#parts.buffer,
      base,
    };
    const events = {
      found: (found: Found) => this.#take(found),
      failed: (fault: Fault | undefined) => this.#failedWith(fault),
    };
    const workers = isPlainSeat(seat) ? this.#workers : undefined;
    const worker = workers?.take() ?? createReceiveWorker();
    this.#streams.push(new ReceiveStream(worker, start, events));
  }

  /** undefined: this session shares its threads with no other. */
  get #workers(): WorkerSource | undefined {
    const { base, options, workers } = this.#request;
    return mayStayWarm(base, options) ? workers : undefined;
  }

  #take(found: Found): void {
    // One by one: there may be more than a call has room for.
    for (const issue of found.issues) {
      this.#issues.push(issue);
      if (issue.kind !== "warning") this.#stays[issue.root]?.add(issue.path);
    }
    for (const action of found.actions) this.#actions.push(action);
  }

  /** What the others still do is of no use. */
  #failedWith(fault: Fault | undefined): void {
    const isFull = this.shared.cancelled() === cancelReason.noSpace;
    this.shared.cancel(cancelReason.interrupted);
    if (isFull) this.#tellFailed(noSpace(this.shown));
    else if (fault !== undefined) this.#tellFailed(fault);
  }

  /**
   * Gets everything ready for a pass; to be called before the source begins it.
   * @throws Fault E_IO where a folder that is named cannot be made
   */
  startPass(purpose: PassPurpose, agreedDeletions?: number): void {
    if (this.#pass !== undefined) throw new Error("A pass is under way");
    this.#reset();
    const roots = this.#prepare(purpose);
    this.#pass = { purpose, agreedDeletions, roots };
    const { options } = this.#main;
    const stays = purpose === "settle" ? this.#stays.map((paths) => [...paths]) : [];
    const avoidsDelta = this.#avoidsDelta;
    this.#parts.begin(this.#streams.length);
    for (const stream of this.#streams) {
      stream.post({ kind: "pass", purpose, options, roots, stays, avoidsDelta });
    }
  }

  #reset(): void {
    for (let row = 0; row <= this.#request.streams; row++) this.shared.row(row).fill(0);
    Atomics.store(this.shared.control, control.listingErrors, 0);
    this.#issues = [];
    this.#actions = [];
    this.#isWalked = false;
  }

  /** Makes the folders that are named, or in a dry run says that they are not there. */
  #prepare(purpose: PassPurpose): TargetRoot[] {
    const main = this.#main;
    main.options = { ...main.options, purpose: enginePurpose(purpose) };
    const places = this.#places;
    let isNew: boolean[] = [];
    if (purpose === "transfer") {
      isNew = makeTargetPlaces(main, places, this.#madeFor());
      main.options = this.#withBackup(this.#withFolding());
    } else if (purpose === "settle") this.#sync();
    return places.map((place, index) => ({
      kind: place.kind,
      targetFd: place.targetFd,
      parentFd: place.missing.length > 0 ? -1 : place.parentFd,
      targetName: place.targetName,
      isNew: isNew[index] ?? false,
    }));
  }

  #madeFor(): MadeFor {
    const { confine } = this.#request.base;
    if (confine?.uid === undefined && confine?.gid === undefined) return undefined;
    const { uid, gid } = this.#main.options.user;
    return { uid, gid };
  }

  #withFolding(): EngineOptions {
    const [place] = this.#places;
    const fd = place === undefined || place.targetFd >= 0 ? place?.targetFd : place.parentFd;
    return withFolding(this.#main, this.fileSystem, fd ?? -1);
  }

  #withBackup(options: EngineOptions): EngineOptions {
    const backup = this.#backup;
    return backup === undefined
      ? options
      : { ...options, backupFd: makeBackupFolder(this.#main, backup) };
  }

  /** Nothing is removed from the source for what the target's disk does not have yet. */
  #sync(): void {
    for (const { targetFd, parentFd, targetPath } of this.#places) {
      const result = sys.syncfs(targetFd >= 0 ? targetFd : parentFd);
      if (result >= 0) continue;
      const message = `Cannot sync "${targetPath}" before the source is removed`;
      throw new Fault({ code: "E_IO", message: `${message}: ${errnoText(-result)}` });
    }
  }

  /**
   * Waits until all that the source has sent is in place, deletes what is to be deleted and gives
   * folders their times. `source` says how it went on the other side.
   * @throws Fault E_NETWORK, E_STALL, E_INTEGRITY, E_BUG: the session cannot go on
   */
  async finishPass(source: SourceReport): Promise<PassReport> {
    const pass = this.#pass;
    if (pass === undefined) throw new Error("No pass is under way");
    const written = await this.#answers("written");
    this.#isWalked = true;
    this.#takeMain();
    const skipped = written === undefined ? undefined : this.#objection(pass, source, written);
    const deletes = skipped === undefined && pass.purpose === "transfer";
    let needsAnotherPass = false;
    if (written !== undefined) {
      const inTheWay = written.reduce((sum, each) => sum + each.inTheWay, 0);
      const isSpoiled = written.some((each) => each.needsAnotherPass);
      needsAnotherPass = (deletes && inTheWay > 0) || isSpoiled;
      this.#avoidsDelta ||= isSpoiled;
      await this.#finish(pass, deletes);
    }
    this.#takeMain();
    this.#pass = undefined;
    return {
      counts: this.#totals(),
      issues: this.#issues,
      actions: this.#actions,
      deletable: this.shared.total(counter.deletable),
      deletionsSkipped: skipped,
      needsAnotherPass,
      cancelled: this.shared.cancelled(),
    };
  }

  /** All streams' answers to a phase; undefined where the run was cancelled. */
  async #answers(kind: "written"): Promise<Written[] | undefined>;
  async #answers(
    kind: "finished",
  ): Promise<Extract<StreamAnswer, { kind: "finished" }>[] | undefined>;
  async #answers(kind: "written" | "finished"): Promise<StreamAnswer[] | undefined> {
    const settled = await Promise.allSettled(this.#streams.map((stream) => stream.answer()));
    if (this.shared.cancelled() === cancelReason.noSpace) return undefined;
    const answers: StreamAnswer[] = [];
    for (const each of settled) {
      if (each.status === "rejected") throw each.reason;
      answers.push(each.value);
    }
    return answers.every((answer) => answer.kind === kind) ? answers : undefined;
  }

  async #finish(pass: Pass, deletes: boolean): Promise<void> {
    for (const stream of this.#streams) stream.post({ kind: "finish", deletes });
    const finished = await this.#answers("finished");
    const late: LateFolder[] = (finished ?? []).flatMap((each) => each.late);
    late.sort((a, b) => b.path.length - a.path.length);
    for (const folder of late) finishLate(this.#main, pass.roots, folder);
  }

  /** Why nothing may be deleted, if there is a reason and something to delete. */
  #objection(pass: Pass, source: SourceReport, written: readonly Written[]): string | undefined {
    if (pass.purpose !== "transfer" || this.#main.options.command !== "mirror") return undefined;
    const own = this.shared.control[control.listingErrors] ?? 0;
    const hasListingErrors = own + source.listingErrors > 0;
    if (written.every((each) => each.due === 0) && !hasListingErrors) return undefined;
    if (source.cancelled !== 0 || this.shared.cancelled() !== 0) return "the run was interrupted";
    if (hasListingErrors) return "a folder could not be listed";
    const failed = this.shared.total(counter.failed) + (source.counts[counter.failed] ?? 0);
    if (failed > 0) return "some entries could not be copied";
    const due = this.shared.total(counter.deletable);
    const { agreedDeletions } = pass;
    if (agreedDeletions === undefined || due <= agreedDeletions) return undefined;
    return `${due} entries are due now, ${agreedDeletions} were agreed to`;
  }

  #takeMain(): void {
    const { issues, actions } = this.#main;
    this.#take({ issues: issues.splice(0), actions: actions.splice(0) });
  }

  #totals(): number[] {
    return Array.from(this.shared.row(0), (_, column) => this.shared.total(column));
  }

  progress(): SessionProgress {
    return { counts: this.#totals(), isFinal: this.#isWalked };
  }

  /** Ends the pass at hand as soon as possible; its streams cannot be used again. */
  cancel(reason: number): void {
    this.shared.cancel(reason);
  }

  /** Closes streams and folders. Resolves when every worker has let go of them. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const isWhole = this.#pass === undefined && this.shared.cancelled() === 0;
    const workers = isWhole ? this.#workers : undefined;
    this.shared.cancel(cancelReason.interrupted);
    await Promise.all(this.#streams.map((stream) => stream.close(workers)));
    this.#letGo();
    releaseUmask();
  }

  #letGo(): void {
    closePlaces(this.#places);
    const fd = this.#backup?.fd ?? -1;
    if (fd >= 0) sys.close(fd);
    this.#main.release();
  }
}

function noSpace(target: string): Fault {
  return new Fault({
    code: "E_NO_SPACE",
    message: `Cannot write below "${target}": no space is left`,
    hint: "make room and run the same command again: it goes on where this one stopped",
  });
}
