import { Fault, faultFromJson } from "../../kit/fault/fault.ts";
import type { FromUnpackWorker, ToUnpackWorker } from "./messages.ts";
import { type UnpackJob, unpackWheel } from "./unpack.ts";

/** Makes a worker that runs src/blast/work/unpack.worker.ts. */
export type UnpackWorkerFactory = () => Worker;

/** Beyond this many the disk is what is waited for. */
const WORKERS_MAX = 8;

/**
 * Archives of so many bytes altogether are unpacked on the calling thread, one in each turn of the
 * event loop: that takes less than the start of a thread, which costs some 30 ms and 8 MiB.
 */
const LITTLE_BYTES = 1024 * 1024;

/** So much has to wait for a thread before another one is started. */
const BACKLOG_BYTES = 512 * 1024;

type Waiting = {
  readonly id: number;
  readonly store: string;
  readonly job: UnpackJob;
  readonly sizeBytes: number;
  readonly resolve: (sha256: string) => void;
  readonly reject: (error: unknown) => void;
};

type Member = { readonly worker: Worker; current: Waiting | undefined };

/**
 * Threads that unpack wheels, for as long as a command has any: started when there is work for
 * them, ended by `close`. Of what waits, the largest goes first, so that no thread is left with a
 * large one in the end.
 *
 * @example
 * using pool = new UnpackPool(ports.createUnpackWorker);
 * await store.addMany(jobs, pool);
 */
export class UnpackPool implements Disposable {
  readonly #factory: UnpackWorkerFactory | undefined;
  readonly #count: number;
  readonly #members: Member[] = [];
  readonly #waiting: Waiting[] = [];
  #nextId = 0;
  #doneHereBytes = 0;
  #isScheduled = false;
  #isClosed = false;

  /**
   * Without a factory everything runs on the calling thread.
   * @param count threads at most; by default as many as the machine has processors, up to 8
   */
  constructor(factory: UnpackWorkerFactory | undefined, count?: number) {
    this.#factory = factory;
    this.#count = Math.max(1, Math.min(WORKERS_MAX, count ?? navigator.hardwareConcurrency));
  }

  /** Starts the threads now: they take some milliseconds that a download can hide. */
  warm(): void {
    while (this.#factory !== undefined && this.#members.length < this.#count) this.#start();
  }

  /**
   * Verifies and unpacks; the archive's SHA-256.
   * @param sizeBytes of the archive: what is larger goes first
   * @throws {Fault} as `unpackWheel`
   */
  unpack(store: string, job: UnpackJob, sizeBytes: number): Promise<string> {
    if (this.#isClosed) return Promise.reject(new Error("this pool is closed"));
    return new Promise((resolve, reject) => {
      const waiting = { id: this.#nextId++, store, job, sizeBytes, resolve, reject };
      const at = this.#waiting.findIndex((each) => each.sizeBytes < sizeBytes);
      this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, waiting);
      this.#schedule();
    });
  }

  /** Jobs that are given in one go are all there before the first of them starts. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#feed();
    });
  }

  #feed(): void {
    if (this.#waiting.length === 0 || this.#isClosed) return;
    if (this.#isLittle()) {
      this.#runHere();
      if (this.#waiting.length > 0) this.#schedule();
      return;
    }
    while (this.#waiting.length > 0) {
      let idle = this.#members.find((each) => each.current === undefined);
      if (idle === undefined && this.#wantsAnother()) idle = this.#start();
      if (idle === undefined) return;
      idle.current = this.#waiting.shift();
      if (idle.current === undefined) return;
      const { id, store, job } = idle.current;
      const message: ToUnpackWorker = { id, store, job };
      idle.worker.ref();
      idle.worker.postMessage(message);
    }
  }

  /** Whether what waits, with what was done here already, is not worth a thread. */
  #isLittle(): boolean {
    if (this.#factory === undefined) return true;
    if (this.#members.length > 0) return false;
    return this.#doneHereBytes + this.#waitingBytes() <= LITTLE_BYTES;
  }

  #wantsAnother(): boolean {
    if (this.#members.length >= this.#count) return false;
    return this.#members.length === 0 || this.#waitingBytes() >= BACKLOG_BYTES;
  }

  #waitingBytes(): number {
    return this.#waiting.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  }

  #runHere(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#doneHereBytes += next.sizeBytes;
    try {
      next.resolve(unpackWheel(next.store, next.job));
    } catch (error) {
      next.reject(error);
    }
  }

  #start(): Member | undefined {
    if (this.#factory === undefined) return undefined;
    const member: Member = { worker: this.#factory(), current: undefined };
    this.#members.push(member);
    const { worker } = member;
    // Only one that is at work keeps the process from ending.
    worker.unref();
    worker.onmessage = (event: MessageEvent<FromUnpackWorker>) => {
      this.#receive(member, event.data);
    };
    worker.onerror = (event: ErrorEvent) => this.#lose(member, event.message);
    // Otherwise its wheel would be waited for for ever.
    worker.addEventListener("close", () => this.#lose(member, "its thread has ended"));
    return member;
  }

  #receive(member: Member, message: FromUnpackWorker): void {
    const { current } = member;
    if (current?.id !== message.id) return;
    member.current = undefined;
    member.worker.unref();
    switch (message.kind) {
      case "done":
        current.resolve(message.sha256);
        break;
      case "fault":
        current.reject(faultFromJson(message.fault));
        break;
      case "crashed":
        current.reject(workerFault(message.message, message.stack));
    }
    this.#feed();
  }

  /** A thread is gone: so is its wheel; the others get their threads. */
  #lose(member: Member, message: string): void {
    const index = this.#members.indexOf(member);
    if (index >= 0) this.#members.splice(index, 1);
    member.current?.reject(workerFault(message));
    member.current = undefined;
    this.#feed();
  }

  /** Ends the threads; what they were at is left to the next sweep of the store. */
  close(): void {
    this.#isClosed = true;
    const cancelled = new Fault({ code: "E_INTERRUPTED", message: "Unpacking was interrupted" });
    const members = this.#members.splice(0);
    for (const { worker, current } of members) {
      worker.terminate();
      current?.reject(cancelled);
    }
    for (const waiting of this.#waiting.splice(0)) waiting.reject(cancelled);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function workerFault(message: string, stack?: string): Fault {
  const cause = stack === undefined ? undefined : new Error(stack);
  return new Fault({ code: "E_BUG", message: `A worker failed: ${message}`, cause });
}
