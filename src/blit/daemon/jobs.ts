import { randomBytes } from "node:crypto";
import { Fault } from "../../kit/fault/fault.ts";
import type { SessionProgress } from "../session/types.ts";

/** How a job stands. */
export type JobState = "running" | "done" | "failed" | "cancelled";

/** One transfer that the daemon takes part in. */
export type Job = {
  readonly id: string;
  /** "push", "pull" or "delegated-pull", as the client called it. */
  readonly kind: string;
  /** Address of the client. */
  readonly peer: string;
  /** Who the client has proved to be. */
  readonly identities: readonly string[];
  readonly module: string;
  /** Below the module, latin1. */
  readonly path: string;
  readonly startedMs: number;
  readonly state: JobState;
  progress(): SessionProgress;
};

/** What a handler holds of its job. */
export type RunningJob = {
  readonly job: Job;
  /** The session is open: from now on there are figures. */
  watch(progress: () => SessionProgress): void;
  /** The end. The first one counts. */
  end(state: Exclude<JobState, "running">): void;
};

/** Ended jobs that are still told about. */
const ENDED_MAX = 100;
const nothingYet: SessionProgress = { counts: [], isFinal: false };

/** What the daemon does, and what it has done last. */
export class JobTable {
  readonly #jobs = new Map<string, Entry>();
  #idle: (() => void)[] = [];

  /** How many are running. */
  get running(): number {
    let count = 0;
    for (const entry of this.#jobs.values()) if (entry.state === "running") count += 1;
    return count;
  }

  /** Adds a job. `cancel` is called when somebody wants it to end, with what its client is told. */
  start(
    about: Pick<Job, "kind" | "peer" | "identities" | "module" | "path">,
    cancel: (reason: Fault) => void,
  ): RunningJob {
    const entry = new Entry(about, cancel);
    this.#jobs.set(entry.id, entry);
    return {
      job: entry,
      watch: (progress) => entry.watch(progress),
      end: (state) => {
        entry.end(state);
        this.#forgetOldest();
        if (this.running === 0) for (const wake of this.#idle.splice(0)) wake();
      },
    };
  }

  /** All that are known, the oldest first. */
  list(): readonly Job[] {
    return [...this.#jobs.values()];
  }

  /** @throws {Fault} E_NOT_FOUND */
  get(id: string): Job {
    return this.#find(id);
  }

  /** Asks a job to end. Returns whether it was running. @throws {Fault} E_NOT_FOUND */
  cancel(id: string): boolean {
    const message = "The transfer was cancelled at the daemon";
    return this.#find(id).cancel(new Fault({ code: "E_REFUSED", message }));
  }

  /** Asks every job to end, since the daemon does. */
  cancelAll(): void {
    const reason = new Fault({
      code: "E_REFUSED",
      message: "The daemon is shutting down, and ends transfers that are not done",
      hint: "run the same command again when it is back",
    });
    for (const entry of this.#jobs.values()) entry.cancel(reason);
  }

  /** Resolves when nothing runs. */
  whenIdle(): Promise<void> {
    if (this.running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #find(id: string): Entry {
    const entry = this.#jobs.get(id);
    if (entry === undefined) throw unknownJob(id);
    return entry;
  }

  #forgetOldest(): void {
    const ended = [...this.#jobs.values()].filter((entry) => entry.state !== "running");
    for (const { id } of ended.slice(0, Math.max(0, ended.length - ENDED_MAX))) {
      this.#jobs.delete(id);
    }
  }
}

/** No job of that id, or none that the caller may see. */
export function unknownJob(id: string): Fault {
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot find the job "${id.slice(0, 40)}": there is none of that id`,
    hint: "blit jobs list SERVER shows them",
  });
}

class Entry implements Job {
  readonly id = randomBytes(6).toString("hex");
  readonly startedMs = Date.now();
  readonly kind: string;
  readonly peer: string;
  readonly identities: readonly string[];
  readonly module: string;
  readonly path: string;
  state: JobState = "running";
  #last = nothingYet;
  #progress: (() => SessionProgress) | undefined;
  readonly #cancel: (reason: Fault) => void;

  constructor(
    about: Pick<Job, "kind" | "peer" | "identities" | "module" | "path">,
    cancel: (reason: Fault) => void,
  ) {
    this.kind = about.kind;
    this.peer = about.peer;
    this.identities = about.identities;
    this.module = about.module;
    this.path = about.path;
    this.#cancel = cancel;
  }

  progress(): SessionProgress {
    return this.#progress?.() ?? this.#last;
  }

  watch(progress: () => SessionProgress): void {
    this.#progress = progress;
  }

  /** Keeps the last figures, and lets the session go. */
  end(state: Exclude<JobState, "running">): void {
    if (this.state !== "running") return;
    this.#last = this.progress();
    this.#progress = undefined;
    this.state = state;
  }

  cancel(reason: Fault): boolean {
    if (this.state !== "running") return false;
    this.#cancel(reason);
    return true;
  }
}
