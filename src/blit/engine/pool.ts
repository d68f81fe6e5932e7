import { Fault } from "../../kit/fault/fault.ts";
import { sliceMs } from "./limits.ts";
import type {
  ChildDone,
  Findings,
  FromWorker,
  HugeFileHelp,
  TaskMessage,
  ToWorker,
} from "./messages.ts";
import type { EngineOptions } from "./options.ts";
import { Runner } from "./runner.ts";
import { control, counter, type SharedState } from "./shared-state.ts";
import { heartbeatMs, StallDetector, starvedHeartbeatMs } from "./stall.ts";
import type { Thread } from "./thread.ts";

/** Makes a worker that runs src/blit/work/copy.worker.ts. */
export type WorkerFactory = () => Worker;

type Member = {
  readonly worker: Worker;
  readonly index: number;
  /** Messages sent to it, and how many of them it said it had handled when it was last idle. */
  sent: number;
  received: number;
  isIdle: boolean;
  /** It waits for tasks, and counts in the shared word of hungry threads. */
  isHungry: boolean;
  openNodes: number;
};

/** A huge file that is alone stays with the main thread for so long, milliseconds. */
const aloneMs = 250;

/** Slices on the main thread at most, however little seems to be left. */
const inlineSlicesMax = 4;

export type PoolEvents = {
  /** Whether so much work is expected to take longer than the start of workers does. */
  readonly isWorthWorkers: (entries: number, bytes: number) => boolean;
  readonly found: (found: Findings) => void;
  readonly waiting: (forMs: number, where: readonly string[]) => void;
  readonly beat: () => void;
};

/**
 * The threads of one run: the main thread, which plans, hands out work and does what is little, and
 * workers, started when there is more. Tasks go to the workers; they share among themselves by way
 * of here.
 */
export class Pool {
  readonly main: Thread;
  readonly #runner: Runner;
  readonly #members: Member[] = [];
  readonly #shared: SharedState;
  readonly #options: EngineOptions;
  readonly #factory: WorkerFactory | undefined;
  readonly #workerCount: number;
  readonly #events: PoolEvents;
  readonly #waitingTasks: TaskMessage[] = [];
  readonly #stall = new StallDetector();
  readonly #nowMs: () => number;
  #settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  stalls = 0;

  constructor(setup: {
    options: EngineOptions;
    shared: SharedState;
    workerCount: number;
    factory: WorkerFactory | undefined;
    events: PoolEvents;
    main: Thread;
    /** The stall detector's clock, milliseconds. */
    nowMs: () => number;
  }) {
    this.#options = setup.options;
    this.#shared = setup.shared;
    this.#factory = setup.factory;
    this.#workerCount = setup.factory === undefined ? 0 : setup.workerCount;
    this.#events = setup.events;
    this.main = setup.main;
    this.#nowMs = setup.nowMs;
    const port = {
      give: (tasks: readonly TaskMessage[]) => this.#distribute(tasks, true),
      done: (done: ChildDone) => this.#routeDone(done),
      helped: (help: HugeFileHelp, result: number) => this.#routeHelped(help, result),
      found: (found: Findings) => this.#events.found(found),
    };
    this.#runner = new Runner(this.main, port, { shares: false });
  }

  get workers(): number {
    return this.#members.length;
  }

  /**
   * Runs what is on the main thread's stack, and all that comes of it, to its end.
   * @throws Fault E_STALL, E_BUG
   */
  async run(inlineMs: number): Promise<void> {
    if (this.#workerCount === 0) {
      while (this.#runner.slice()) await Bun.sleep(0);
      return;
    }
    this.#runner.slice(inlineMs, { stopAtHuge: true });
    for (let i = 0; i < inlineSlicesMax && this.#isLittleLeft(); i++) {
      await Bun.sleep(0);
      this.#runner.slice(inlineMs, { stopAtHuge: true });
    }
    await this.#beginHuge();
    if (this.#runner.isIdle && this.#isDone()) return;
    this.#startWorkers();
    const done = new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    const beat = this.#startHeartbeat();
    this.#handOver();
    this.#checkDone();
    try {
      await Promise.all([done, this.#helpUntilStarted()]);
    } finally {
      clearTimeout(beat.timer);
      beat.stopped = true;
      this.#settle = undefined;
    }
  }

  /** Whether the start of workers would cost more than doing the rest here. */
  #isLittleLeft(): boolean {
    const left = this.#runner.known();
    if (left === undefined || this.#members.length > 0) return false;
    return left.entries > 0 && !this.#events.isWorthWorkers(left.entries, left.bytes);
  }

  /**
   * Begins a huge file that is due next here: workers take time to start. The smallest of them may
   * be done before they would be there.
   */
  async #beginHuge(): Promise<void> {
    const isAlone = this.#runner.beginHuge();
    const end = this.#nowMs() + aloneMs;
    while (isAlone && !this.#runner.isIdle && this.#nowMs() < end) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#runner.slice(sliceMs);
    }
  }

  /** Everything that is left on the main thread's stack goes to the workers. */
  #handOver(): void {
    const tasks = this.#runner.takeAll();
    const share = Math.max(1, Math.ceil(tasks.length / this.#members.length));
    for (let i = 0; i < tasks.length; i += share)
      this.#distribute(tasks.slice(i, i + share), false);
  }

  /** Copies parts of a huge file on the main thread until the workers have started. */
  async #helpUntilStarted(): Promise<void> {
    while (!this.#runner.isIdle && this.#settle !== undefined) {
      if (this.#members.every((each) => each.received > 0)) {
        this.#distribute(this.#runner.takeHelp(), false);
        return;
      }
      this.#runner.slice(1);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#checkDone();
  }

  #startWorkers(): void {
    while (this.#members.length < this.#workerCount && this.#factory !== undefined) {
      const worker = this.#factory();
      const index = this.#members.length + 1;
      const member: Member = {
        worker,
        index,
        sent: 0,
        received: 0,
        isIdle: false,
        isHungry: false,
        openNodes: 0,
      };
      this.#members.push(member);
      worker.onmessage = (event: MessageEvent<FromWorker>) => this.#receive(member, event.data);
      worker.onerror = (event: ErrorEvent) => this.#fail(event.message);
      // Otherwise the run would wait for its answers for ever.
      worker.addEventListener("close", () => this.#fail("its thread has ended"));
      this.#send(member, {
        kind: "start",
        index,
        options: { ...this.#options, hugeFileStrategy: this.main.strategy },
        shared: this.#shared.buffers,
      });
    }
  }

  #send(member: Member, message: ToWorker): void {
    member.sent++;
    member.isIdle = false;
    member.worker.postMessage(message);
  }

  #receive(member: Member, message: FromWorker): void {
    switch (message.kind) {
      case "idle":
        member.received = message.received;
        member.openNodes = message.openNodes;
        member.isIdle = message.received === member.sent;
        if (member.isIdle) this.#feed(member);
        this.#checkDone();
        return;
      case "give":
        this.#distribute(message.tasks, true);
        return;
      case "done":
        this.#routeDone(message.done);
        return;
      case "helped":
        this.#routeHelped(message.help, message.result);
        return;
      case "found":
        this.#events.found(message.found);
        return;
      case "crashed":
        this.#fail(message.message, message.stack);
    }
  }

  #fail(message: string, stack?: string): void {
    const cause = stack === undefined ? undefined : new Error(stack);
    this.#settle?.reject(
      new Fault({ code: "E_BUG", message: `A worker failed: ${message}`, cause }),
    );
  }

  /** Gives an idle worker something to do, or notes that it wants something. */
  #feed(member: Member): void {
    if (this.#waitingTasks.length > 0) {
      if (member.isHungry && this.#shared.claimHungry()) member.isHungry = false;
      const share = Math.ceil(this.#waitingTasks.length / this.#members.length);
      this.#send(member, { kind: "tasks", tasks: this.#waitingTasks.splice(0, share) });
      return;
    }
    if (member.isHungry) return;
    member.isHungry = true;
    Atomics.add(this.#shared.control, control.hungry, 1);
  }

  /**
   * Hands tasks to a worker that wants some. Members marked hungry are as many as the shared word
   * says, plus the claims whose gifts are under way; so a gift (`isClaimed`) always finds one.
   */
  #distribute(tasks: readonly TaskMessage[], isClaimed: boolean): void {
    if (tasks.length === 0) return;
    const hungry = this.#members.find((each) => each.isHungry);
    if (hungry !== undefined && (isClaimed || this.#shared.claimHungry())) {
      hungry.isHungry = false;
      this.#send(hungry, { kind: "tasks", tasks });
      return;
    }
    const fresh = this.#members.find((each) => each.sent === 1);
    if (fresh === undefined) this.#waitingTasks.push(...tasks);
    else this.#send(fresh, { kind: "tasks", tasks });
  }

  #routeDone(done: ChildDone): void {
    if (done.thread === 0) {
      this.#runner.childDone(done);
      this.#checkDone();
      return;
    }
    const member = this.#members[done.thread - 1];
    if (member !== undefined) this.#send(member, { kind: "done", done });
  }

  #routeHelped(help: HugeFileHelp, result: number): void {
    if (help.thread === 0) {
      this.#runner.helped(help.fileId, result);
      this.#checkDone();
      return;
    }
    const member = this.#members[help.thread - 1];
    if (member !== undefined) this.#send(member, { kind: "helped", fileId: help.fileId, result });
  }

  #isDone(): boolean {
    return (
      this.#runner.isIdle &&
      this.#runner.open === 0 &&
      this.#waitingTasks.length === 0 &&
      this.#members.every((each) => each.isIdle && each.openNodes === 0)
    );
  }

  #checkDone(): void {
    if (this.#settle !== undefined && this.#isDone()) this.#settle.resolve();
  }

  #startHeartbeat(): { timer: Timer | undefined; stopped: boolean } {
    const state: { timer: Timer | undefined; stopped: boolean } = {
      timer: undefined,
      stopped: false,
    };
    const beat = (): void => {
      if (state.stopped) return;
      this.#events.beat();
      this.#watch();
      const isStarved = this.#members.some((each) => each.isHungry);
      state.timer = setTimeout(beat, isStarved ? starvedHeartbeatMs : heartbeatMs);
    };
    state.timer = setTimeout(beat, starvedHeartbeatMs);
    return state;
  }

  #watch(): void {
    const verdict = this.#stall.observe({
      nowMs: this.#nowMs(),
      activity: this.#shared.total(counter.activity),
      isAllIdle: this.#runner.isIdle && this.#members.every((each) => each.isIdle),
    });
    if (verdict.kind === "fine") return;
    this.stalls++;
    const where = this.#members
      .filter((each) => !each.isIdle)
      .map((each) => this.#shared.whereabouts(each.index));
    if (verdict.kind === "waiting") {
      this.#events.waiting(verdict.forMs, where);
      return;
    }
    const open = this.#members
      .map((each) => `worker ${each.index}: ${each.openNodes} open`)
      .join(", ");
    const seconds = Math.round(verdict.forMs / 1000);
    const left = `${open}; main: ${this.#runner.open} open`;
    this.#settle?.reject(
      new Fault({
        code: "E_STALL",
        message: `Planner and workers idle for ${seconds} s with work left (${left})`,
        hint: "run the same command again: it goes on where this one stopped",
      }),
    );
  }

  /** Ends the workers. */
  close(): void {
    for (const { worker } of this.#members) worker.terminate();
    this.#members.length = 0;
  }
}
