import { errno, errnoText } from "../../../ffi/errno.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { displayPath } from "../engine/path.ts";
import { counter, type SharedState } from "../engine/shared-state.ts";
import { type LifeMessage, StreamWorker } from "../session/stream-worker.ts";
import type { StreamSeat } from "../session/types.ts";
import type { WorkerSource } from "../session/warm-workers.ts";
import type { FromSender, ToSender } from "./messages.ts";

/** What a worker says at the end of a phase. */
export type PhaseAnswer = Extract<FromSender, { kind: "walked" | "done" }>;

const againHint = "run the same command again: it goes on where this one stopped";

type Said = Exclude<FromSender, LifeMessage>;

/** One sending stream as the main thread sees it. */
export class SendStream {
  readonly #worker: StreamWorker<ToSender, Said, PhaseAnswer>;
  readonly #seat: StreamSeat;
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
    this.#seat = seat;
    this.#worker = new StreamWorker<ToSender, Said, PhaseAnswer>(worker, start, {
      side: "sending",
      hear: (message) => this.#hear(message),
    });
  }

  post(message: ToSender): void {
    this.#isBusy ||= message.kind === "walk" || message.kind === "finish";
    this.#quietSinceMs = performance.now();
    this.#worker.post(message);
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
    this.#worker.fail(new Fault({ code: "E_STALL", message, hint: againHint }));
  }

  /** The worker's answer to the last phase. @throws Fault where the stream cannot go on */
  answer(): Promise<PhaseAnswer> {
    return this.#worker.answer();
  }

  /** As StreamWorker.close. */
  async close(workers?: WorkerSource): Promise<void> {
    await this.#worker.close(workers);
  }

  #hear(message: Said): void {
    switch (message.kind) {
      case "started":
        this.#isStarted = true;
        return;
      case "walked":
      case "done":
        this.#isBusy = false;
        this.#worker.answered(message);
        return;
      case "broken":
        this.#worker.fail(brokenFault(message, this.#seat));
    }
  }
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
