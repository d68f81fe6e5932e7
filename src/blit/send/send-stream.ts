import { errno, errnoText } from "../../../ffi/errno.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { displayPath } from "../engine/path.ts";
import { counter, type SharedState } from "../engine/shared-state.ts";
import type { StreamSeat } from "../session/types.ts";
import { isPlainSeat, type WorkerSource } from "../session/warm-workers.ts";
import type { FromSender, ToSender } from "./messages.ts";

/** What a worker says at the end of a phase. */
export type PhaseAnswer = Extract<FromSender, { kind: "walked" | "done" }>;

const againHint = "run the same command again: it goes on where this one stopped";

/** How long a worker may take to let go before it is ended, milliseconds. */
const closeMs = 5000;

/** One stream as the main thread sees it: its worker, and the answer that is waited for. */
export class SendStream {
  readonly #worker: Worker;
  readonly #seat: StreamSeat;
  #answered: PhaseAnswer | undefined;
  #fault: Fault | undefined;
  #settle: { resolve: (answer: PhaseAnswer) => void; reject: (fault: Fault) => void } | undefined;
  #closed: (() => void) | undefined;
  #isGone = false;
  /** The worker says that it may serve another session. */
  #isWiped = false;
  /** The worker may be another session's by now. */
  #isOver = false;
  readonly #onEnd = (): void => {
    this.#isGone = true;
    this.#isWiped = false;
    this.#fail(crash("its thread has ended", ""));
    this.#closed?.();
  };
  readonly #shared: SharedState;
  readonly #row: number;
  /** The thread runs: on a slow machine many of them take seconds to get there. */
  #isStarted = false;
  /** The worker has a phase to work on. */
  #isBusy = false;
  /** What it had done when it was last looked at, and since when it has done nothing. */
  #activity = 0;
  #quietSinceMs = 0;

  constructor(
    worker: Worker,
    seat: StreamSeat,
    start: Extract<ToSender, { kind: "start" }>,
    shared: SharedState,
  ) {
    this.#shared = shared;
    this.#row = start.row;
    this.#worker = worker;
    this.#seat = seat;
    worker.onmessage = (event: MessageEvent<FromSender>) => this.#receive(event.data);
    worker.onerror = (event: ErrorEvent) => this.#fail(crash(event.message, ""));
    worker.addEventListener("close", this.#onEnd);
    worker.postMessage(start);
  }

  post(message: ToSender): void {
    if (this.#isOver) return;
    this.#isBusy ||= message.kind === "walk" || message.kind === "finish";
    this.#quietSinceMs = performance.now();
    this.#worker.postMessage(message);
  }

  /**
   * To be called now and then: a worker that waits for its socket or has something to do counts
   * on; one that does not is held by a disk.
   */
  watch(nowMs: number): void {
    const activity = this.#shared.row(this.#row)[counter.activity] ?? 0;
    if (!this.#isStarted || !this.#isBusy || activity !== this.#activity) {
      this.#activity = activity;
      this.#quietSinceMs = nowMs;
      return;
    }
    const quietMs = nowMs - this.#quietSinceMs;
    if (quietMs < this.#seat.stallMs) return;
    const where = displayPath(this.#shared.whereabouts(this.#row));
    const seconds = Math.round(quietMs / 1000);
    const message = `The source's disk has not answered for ${seconds} s, in the folder "${where}"`;
    this.#fail(new Fault({ code: "E_STALL", message, hint: againHint }));
  }

  /** The worker's answer to the last phase. @throws Fault where the stream cannot go on */
  answer(): Promise<PhaseAnswer> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#tell();
    });
  }

  /**
   * Closes socket and worker.
   * @param workers take the worker back, where nothing is left in it of the session
   */
  async close(workers?: WorkerSource): Promise<void> {
    if (!this.#isGone) {
      const closed = new Promise<void>((resolve) => {
        this.#closed = resolve;
      });
      const timer = setTimeout(() => this.#closed?.(), closeMs);
      this.post({ kind: "close" });
      await closed;
      clearTimeout(timer);
    }
    this.#isOver = true;
    const worker = this.#worker;
    worker.removeEventListener("close", this.#onEnd);
    const isClean = this.#isWiped && this.#fault === undefined && isPlainSeat(this.#seat);
    if (workers !== undefined && isClean) workers.keep(worker);
    else worker.terminate();
  }

  #receive(message: FromSender): void {
    switch (message.kind) {
      case "started":
        this.#isStarted = true;
        return;
      case "walked":
      case "done":
        this.#isBusy = false;
        this.#answered = message;
        this.#tell();
        return;
      case "closed":
        this.#isWiped = message.isWiped;
        this.#closed?.();
        return;
      case "broken":
        this.#fail(brokenFault(message, this.#seat));
        return;
      case "crashed":
        this.#fail(crash(message.message, message.stack));
    }
  }

  #fail(fault: Fault): void {
    this.#fault ??= fault;
    this.#tell();
  }

  #tell(): void {
    const settle = this.#settle;
    if (settle === undefined) return;
    if (this.#fault === undefined && this.#answered === undefined) return;
    this.#settle = undefined;
    if (this.#answered !== undefined) {
      const answer = this.#answered;
      this.#answered = undefined;
      settle.resolve(answer);
    } else if (this.#fault !== undefined) settle.reject(this.#fault);
  }
}

function crash(message: string, stack: string): Fault {
  const cause = stack === "" ? undefined : new Error(stack);
  return new Fault({ code: "E_BUG", message: `A sending worker failed: ${message}`, cause });
}

/** What ended a stream, in words. */
function brokenFault(broken: Extract<FromSender, { kind: "broken" }>, seat: StreamSeat): Fault {
  const { result, side, detail } = broken;
  const hint = againHint;
  if (side === "protocol") {
    return new Fault({ code: "E_INTEGRITY", message: `The target broke the protocol: ${detail}` });
  }
  if (result === -errno.ETIMEDOUT) {
    const seconds = Math.round(seat.stallMs / 1000);
    const what =
      side === "send"
        ? `The target has taken no data for ${seconds} s (socket of stream ${seat.index})`
        : `The target has said nothing for ${seconds} s (socket of stream ${seat.index})`;
    return new Fault({ code: "E_STALL", message: what, hint });
  }
  const reason = result === -errno.EBADMSG ? "its bytes were forged" : errnoText(-result);
  const message = `The data connection to the target broke: ${reason}`;
  return new Fault({ code: "E_NETWORK", message, hint });
}
