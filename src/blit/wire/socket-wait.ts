import { POLL, POLLFD_LAYOUT } from "../../../ffi/abi/socket.ts";
import { errno } from "../../../ffi/errno.ts";
import { takeMemory } from "../../../ffi/mem.ts";
import type { StreamCalls } from "./stream-calls.ts";

/** So often a waiting thread looks whether the run is cancelled. */
const sliceMs = 200;

/**
 * Waits for a socket in slices, notices a cancelled run, and keeps the clock of stalls: it starts
 * anew whenever bytes have moved.
 */
export class SocketWait {
  readonly #memory = takeMemory(4096);
  readonly #fd: Int32Array;
  readonly #events: Int16Array;
  readonly #isCancelled: () => boolean;
  readonly #stallMs: number;
  readonly #calls: StreamCalls;
  #hasMoved = true;
  #movedAtMs = 0;

  constructor(
    fd: number,
    options: { isCancelled: () => boolean; stallMs: number; calls: StreamCalls },
  ) {
    this.#fd = new Int32Array(this.#memory.buffer, POLLFD_LAYOUT.fd, 1);
    this.#events = new Int16Array(this.#memory.buffer, POLLFD_LAYOUT.events, 2);
    this.#fd[0] = fd;
    this.#isCancelled = options.isCancelled;
    this.#stallMs = options.stallMs;
    this.#calls = options.calls;
  }

  /** Bytes have moved on the socket. */
  moved(): void {
    this.#hasMoved = true;
  }

  /** 0, or -ECANCELED. */
  get cancelled(): number {
    return this.#isCancelled() ? -errno.ECANCELED : 0;
  }

  /**
   * Waits for `events` (poll(2)). Returns those that came, errors of the socket among them, or
   * -ECANCELED, -ETIMEDOUT where nothing has moved for the time of a stall.
   */
  wait(events: number): number {
    if (this.#hasMoved) {
      this.#hasMoved = false;
      this.#movedAtMs = performance.now();
    }
    for (;;) {
      if (this.#isCancelled()) return -errno.ECANCELED;
      const ready = this.#poll(events, sliceMs);
      if (ready !== 0) return ready;
      if (performance.now() - this.#movedAtMs >= this.#stallMs) return -errno.ETIMEDOUT;
    }
  }

  /**
   * The same for at most `timeoutMs` and without a stall: returns 0 where nothing came.
   */
  waitAtMost(events: number, timeoutMs: number): number {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      if (this.#isCancelled()) return -errno.ECANCELED;
      const restMs = Math.max(0, Math.ceil(endMs - performance.now()));
      const ready = this.#poll(events, Math.min(restMs, sliceMs));
      if (ready !== 0 || restMs === 0) return ready;
    }
  }

  #poll(events: number, timeoutMs: number): number {
    this.#events[0] = events;
    this.#events[1] = 0;
    const ready = this.#calls.poll(this.#memory.pointer, 1, timeoutMs);
    return ready > 0 ? (this.#events[1] as number) : ready;
  }

  close(): void {
    this.#memory.release();
  }
}

/** Whether the answer of a wait says that `event` can be tried: errors are told by the call. */
export function allows(events: number, event: number): boolean {
  return (events & (event | POLL.ERR | POLL.HUP)) !== 0;
}
