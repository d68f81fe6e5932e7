import { RESOLVE } from "../../../ffi/abi/open-how.ts";
import type { Base, SessionOptions, StreamSeat } from "./types.ts";

/**
 * Threads that stay when a session of a daemon is over, for the next one: what a new thread has to
 * compile first is a sixth to a quarter of the processor time of a run that has nothing to do.
 *
 * They are a boundary between sessions of different modules and callers. One is kept only where
 * the session came to its end as agreed and the thread says that nothing is left in it
 * (wipe-thread.ts), and never where `mayStayWarm` says no.
 */
export type WorkerSource = {
  take(): Worker;
  /** Takes a worker back whose session is over, or ends it. Nobody may use it from now on. */
  keep(worker: Worker): void;
};

/**
 * Whether the threads of a session may serve another one. Those that a module confines, or that
 * work in a root of its own, are what the module has made of them. Content that is decrypted or
 * unpacked in JavaScript, and keys, lie in its heap, which nobody can wipe.
 */
export function mayStayWarm(base: Base, options: Pick<SessionOptions, "compress">): boolean {
  const isOwnRoot = (base.resolve & RESOLVE.IN_ROOT) !== 0;
  return base.confine === undefined && !isOwnRoot && !options.compress;
}

/** The same for one stream. */
export function isPlainSeat(seat: StreamSeat): boolean {
  return seat.keys === undefined && seat.transport === undefined;
}

export type WarmWorkersOptions = {
  readonly make: () => Worker;
  /** So many are kept at most. */
  readonly max: number;
  /** One that nobody has wanted for so long is ended. */
  readonly idleMs: number;
};

type Kept = { readonly worker: Worker; readonly sinceMs: number; readonly onEnd: () => void };

export class WarmWorkers implements WorkerSource {
  readonly #options: WarmWorkersOptions;
  /** The one that was kept last is taken first. */
  readonly #kept: Kept[] = [];
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: WarmWorkersOptions) {
    this.#options = options;
  }

  take(): Worker {
    const kept = this.#kept.pop();
    if (kept === undefined) return this.#options.make();
    kept.worker.removeEventListener("close", kept.onEnd);
    return kept.worker;
  }

  keep(worker: Worker): void {
    if (this.#isClosed || this.#kept.length >= this.#options.max) {
      worker.terminate();
      return;
    }
    const onEnd = (): void => this.#forget(worker);
    worker.onmessage = null;
    worker.onerror = onEnd;
    worker.addEventListener("close", onEnd);
    this.#kept.push({ worker, sinceMs: performance.now(), onEnd });
    this.#watch();
  }

  /** Ends those that are kept; later ones may be kept again. */
  clear(): void {
    for (const { worker, onEnd } of this.#kept.splice(0)) {
      worker.removeEventListener("close", onEnd);
      worker.terminate();
    }
  }

  /** Ends those that are kept, and all that would be. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.clear();
  }

  #forget(worker: Worker): void {
    const at = this.#kept.findIndex((kept) => kept.worker === worker);
    if (at >= 0) this.#kept.splice(at, 1);
    worker.terminate();
  }

  /** The first of the list has been there longest. */
  #watch(): void {
    if (this.#timer !== undefined) return;
    const [first] = this.#kept;
    if (first === undefined) return;
    const dueMs = first.sinceMs + this.#options.idleMs - performance.now();
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, Math.ceil(dueMs)));
    this.#timer.unref();
  }

  #expire(): void {
    this.#timer = undefined;
    const beforeMs = performance.now() - this.#options.idleMs;
    for (const { worker, sinceMs } of [...this.#kept]) {
      if (sinceMs <= beforeMs) this.#forget(worker);
    }
    this.#watch();
  }
}
