import { randomBytes } from "node:crypto";
import { groupLinks } from "../engine/links.ts";
import type { LinkMember } from "../engine/messages.ts";
import type { Issue } from "../engine/options.ts";
import { control, counter, SharedState } from "../engine/shared-state.ts";
import type { Thread } from "../engine/thread.ts";
import { ports } from "../ports.ts";
import { lineageOf } from "../session/lineage.ts";
import type {
  Base,
  PassPurpose,
  SessionOptions,
  SessionProgress,
  SourceReport,
  SourceRoot,
  StreamSeat,
} from "../session/types.ts";
import { isPlainSeat, mayStayWarm, type WorkerSource } from "../session/warm-workers.ts";
import { sharedPace } from "../wire/pace.ts";
import { FolderQueue } from "./folder-queue.ts";
import type { ToSender, WalkedFolder } from "./messages.ts";
import { PartBoard } from "./part-board.ts";
import { linkParts } from "./send-links.ts";
import { SendStream } from "./send-stream.ts";
import { closeSourceRoots, type HeldRoot, openSourceRoots } from "./source-roots.ts";
import { sourceThread } from "./source-thread.ts";
import { StreamTuner } from "./stream-tuner.ts";

export type SendRequest = {
  readonly options: SessionOptions;
  readonly base: Base;
  /** As typed, latin1; of a module: below its folder, "" is all that is in it. */
  readonly sources: readonly string[];
  /** How many streams there will be at most. */
  readonly streams: number;
  /** Where threads come from, and where they go; without it each is new, and ended. */
  readonly workers?: WorkerSource | undefined;
  /** Replaced in tests. */
  readonly tuner?: (streams: number) => Pick<StreamTuner, "step">;
};

/** How often a stuck disk is looked for, milliseconds. */
const watchMs = 1000;
/** How often the number of streams at work is looked at. */
const tuneMs = 125;
/** A small file takes about as long as so many bytes of a large one. */
const itemBytes = 32 * 1024;

/**
 * The source's side of a transfer over streams: one worker for each of them. Columns of its counts
 * that mean anything: what was seen, skipped, vanished, failed and (settling) moved; `bytesDone`
 * and `itemsDone` of what was seen; the rest is the target's to count.
 */
export class SendSession {
  readonly roots: readonly SourceRoot[];
  readonly shared: SharedState;
  readonly #held: readonly HeldRoot[];
  readonly #request: SendRequest;
  readonly #queue = FolderQueue.create();
  /** The session's own row, for what the end of a move finds. */
  readonly #main: Thread;
  readonly #startedAtSec: number;
  readonly #streams: SendStream[] = [];
  readonly #pace = sharedPace();
  /** By root: paths of the source that have been reported in earlier passes. */
  readonly #stays: Set<string>[];
  /** Names of files that have several, as the last transferring pass has found them. */
  #groups: LinkMember[][] = [];
  /** undefined: each file goes over one stream. */
  #board: PartBoard | undefined;
  #isWalked = true;
  /** A pass was begun that has not come to its end. */
  #isInPass = false;
  #isClosed = false;

  /**
   * Opens the sources; nothing is read of them yet.
   * @throws Fault E_NOT_FOUND, E_IO, E_REFUSED, E_USAGE
   */
  static async open(request: SendRequest): Promise<SendSession> {
    return new SendSession(request);
  }

  private constructor(request: SendRequest) {
    const { options, streams } = request;
    this.#request = request;
    this.#startedAtSec = Math.floor(Date.now() / 1000);
    // Row 0 is the session's: a stream's is its index and one.
    this.shared = SharedState.create(streams + 1);
    const { shared } = this;
    const startedAtSec = this.#startedAtSec;
    this.#main = sourceThread({ index: 0, options, shared, startedAtSec });
    try {
      this.#held = openSourceRoots(this.#main, request.base, request.sources);
    } catch (error) {
      this.#main.release();
      throw error;
    }
    this.roots = this.#held.map(({ index, kind, name, isContents, typed, fd }) => {
      return { index, kind, name, isContents, typed, lineage: lineageOf(fd) };
    });
    this.#stays = this.roots.map(() => new Set());
  }

  /** Roots that are folders with nothing in them: a mirror of one would empty its target. */
  get emptyRoots(): readonly SourceRoot[] {
    return this.roots.filter((_, index) => this.#held[index]?.isEmpty === true);
  }

  /** The target takes files in parts: to be said before there are streams. */
  splitFiles(): void {
    const { streams } = this.#request;
    if (streams > 1) this.#board = PartBoard.create(streams);
  }

  /** Hands a connected stream to a worker of its own. @throws Error without a way to start one */
  addStream(seat: StreamSeat): void {
    const { createSendWorker } = ports;
    if (createSendWorker === undefined) throw new Error("No way to start a worker is plugged in");
    const { options, streams } = this.#request;
    if (this.#streams.length >= streams) throw new Error(`More than ${streams} streams`);
    const roots = this.#held.map(({ isEmpty, ...root }) => root);
    const start: ToSender = {
      kind: "start",
      row: this.#streams.length + 1,
      seat,
      options,
      base: this.#request.base,
      roots,
      shared: this.shared.buffers,
      queue: this.#queue.buffer,
      board: this.#board?.buffer,
      startedAtSec: this.#startedAtSec,
      bytesPerSecond: options.bytesPerSecond,
      pace: this.#pace,
    };
    const workers = isPlainSeat(seat) ? this.#workers : undefined;
    const worker = workers?.take() ?? createSendWorker();
    this.#streams.push(new SendStream(worker, seat, start, this.shared));
  }

  /**
   * Walks the sources and sends what the target asks for; resolves when it says on every stream
   * that the pass is done. After `cancel` the report says so, and no further pass can be run.
   * @throws Fault E_STALL, E_NETWORK, E_INTEGRITY, E_BUG: the session cannot go on
   */
  async runPass(purpose: PassPurpose): Promise<SourceReport> {
    const streams = this.#streams;
    if (streams.length === 0) throw new Error("A pass needs a stream");
    this.#reset();
    this.#isInPass = true;
    const issues: Issue[] = [];
    const watch = setInterval(() => {
      for (const stream of streams) stream.watch(performance.now());
    }, watchMs);
    try {
      const key = new Uint8Array(randomBytes(32));
      const stays = this.#stays.map((paths) => [...paths]);
      for (const stream of streams) stream.post({ kind: "pass", purpose, key, stays });
      const found = await this.#walk(issues);
      this.#isWalked = true;
      const groups = groupLinks(found.links);
      if (purpose === "transfer") this.#groups = groups;
      await this.#finish(groups, issues);
      if (purpose === "settle") await this.#removeEmptied(found.folders, issues);
    } catch (error) {
      // What the others still do is of no use.
      this.shared.cancel(1);
      throw error;
    } finally {
      clearInterval(watch);
    }
    this.#isInPass = false;
    if (issues.length > 0) this.#noteStaying(issues);
    return {
      counts: this.#totals(),
      issues,
      listingErrors: this.shared.control[control.listingErrors] ?? 0,
      cancelled: this.shared.cancelled(),
    };
  }

  progress(): SessionProgress {
    const isFinal = this.#isWalked || this.#queue.walking === 0;
    return { counts: this.#totals(), isFinal };
  }

  /** Ends the pass at hand as soon as possible; its streams cannot be used again. */
  cancel(reason: number): void {
    this.shared.cancel(reason);
  }

  /** Closes streams and sources. Resolves when every worker has let go of them. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const isWhole = !this.#isInPass && this.shared.cancelled() === 0;
    const workers = isWhole ? this.#workers : undefined;
    this.shared.cancel(1);
    await Promise.all(this.#streams.map((stream) => stream.close(workers)));
    closeSourceRoots(this.#held);
    this.#main.release();
  }

  /** undefined: this session shares its threads with no other. */
  get #workers(): WorkerSource | undefined {
    const { base, options, workers } = this.#request;
    return mayStayWarm(base, options) ? workers : undefined;
  }

  #reset(): void {
    this.#queue.clear();
    for (let row = 0; row <= this.#request.streams; row++) this.shared.row(row).fill(0);
    Atomics.store(this.shared.control, control.listingErrors, 0);
    this.#isWalked = false;
  }

  #totals(): number[] {
    return Array.from(this.shared.row(0), (_, column) => this.shared.total(column));
  }

  /**
   * Sources that can meet in the target are walked one after the other, and on one stream alone, so
   * that the later of two for one name decides.
   */
  async #walk(issues: Issue[]): Promise<{ links: LinkMember[]; folders: WalkedFolder[] }> {
    const links: LinkMember[] = [];
    const folders: WalkedFolder[] = [];
    const groups = independentGroups(this.roots);
    const walking = groups.length > 1 ? this.#streams.slice(0, 1) : this.#streams;
    for (const group of groups) {
      this.#queue.addWalking(group.length);
      this.#board?.begin(walking.length);
      for (const { index } of group.toReversed()) this.#queue.push(index, "");
      using _ = this.#tune(walking.length);
      for (const stream of walking) {
        this.#queue.addHungry(1);
        stream.post({ kind: "walk" });
      }
      const answers = await Promise.all(walking.map((stream) => stream.answer()));
      for (const answer of answers) {
        append(issues, answer.issues);
        if (answer.kind !== "walked") continue;
        append(links, answer.links);
        append(folders, answer.folders);
      }
    }
    return { links, folders };
  }

  /** As long as this lasts, so many of the streams are at work as is best. */
  #tune(streams: number): Disposable {
    if (streams < 2) return { [Symbol.dispose]: () => {} };
    const tuner = this.#request.tuner?.(streams) ?? new StreamTuner(streams);
    const tune = (): void => {
      const { bytesDone, itemsDone } = counter;
      const done = this.shared.total(bytesDone) + this.shared.total(itemsDone) * itemBytes;
      this.#queue.park(tuner.step(performance.now(), done));
    };
    tune();
    const timer = setInterval(tune, tuneMs);
    return {
      [Symbol.dispose]: () => {
        clearInterval(timer);
        this.#queue.park(0);
      },
    };
  }

  async #finish(groups: readonly LinkMember[][], issues: Issue[]): Promise<void> {
    const streams = this.#streams;
    const isOrdered = independentGroups(this.roots).length > 1;
    const shares: LinkMember[][][] = streams.map(() => []);
    for (const [index, group] of groups.entries()) {
      shares[isOrdered ? 0 : index % streams.length]?.push(...linkParts(group));
    }
    this.#board?.begin(streams.length);
    for (const [index, stream] of streams.entries()) {
      stream.post({ kind: "finish", groups: shares[index] ?? [] });
    }
    const answers = await Promise.all(streams.map((stream) => stream.answer()));
    for (const answer of answers) append(issues, answer.issues);
  }

  /** By a worker, which may do less than this thread. */
  async #removeEmptied(folders: readonly WalkedFolder[], issues: Issue[]): Promise<void> {
    const [stream] = this.#streams;
    if (stream === undefined || this.shared.cancelled() !== 0) return;
    stream.post({ kind: "remove", folders });
    append(issues, (await stream.answer()).issues);
  }

  /** Where one name of a file stays, all do: it would be another file when copied later. */
  #noteStaying(issues: readonly Issue[]): void {
    for (const { kind, root, path } of issues) {
      if (kind !== "warning") this.#stays[root]?.add(path);
    }
    const isStaying = (each: LinkMember): boolean =>
      this.#stays[each.root]?.has(pathOf(each)) === true;
    for (const group of this.#groups) {
      if (!group.some(isStaying)) continue;
      for (const each of group) this.#stays[each.root]?.add(pathOf(each));
    }
  }
}

/** One by one: there may be more than a call has room for. */
function append<Item>(to: Item[], items: readonly Item[]): void {
  for (const item of items) to.push(item);
}

function pathOf({ folder, name }: LinkMember): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** Sources that cannot meet in the target, in groups that have to wait for each other. */
function independentGroups(roots: readonly SourceRoot[]): SourceRoot[][] {
  const groups: SourceRoot[][] = [];
  let names = new Set<string>();
  for (const root of roots) {
    const last = groups.at(-1);
    const isAlone = root.isContents || last === undefined || last[0]?.isContents === true;
    if (isAlone || names.has(root.name)) {
      groups.push([root]);
      names = new Set([root.name]);
    } else {
      last.push(root);
      names.add(root.name);
    }
  }
  return groups;
}
