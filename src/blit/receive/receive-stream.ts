import { Fault, faultFromJson } from "../../kit/fault/fault.ts";
import { isPlainSeat, type WorkerSource } from "../session/warm-workers.ts";
import type { Found, FromReceiver, ToReceiver } from "./messages.ts";

/** What a worker says at the end of a phase. */
export type StreamAnswer = Extract<FromReceiver, { kind: "written" | "finished" | "cancelled" }>;

/** How long a worker may take to let go before it is ended, milliseconds. */
const closeMs = 5000;

/** One stream as the main thread sees it: its worker, and the answer that is waited for. */
export class ReceiveStream {
  readonly #worker: Worker;
  readonly #isPlain: boolean;
  readonly #found: (found: Found) => void;
  readonly #failed: (fault: Fault | undefined) => void;
  #answered: StreamAnswer | undefined;
  #fault: Fault | undefined;
  #settle: { resolve: (answer: StreamAnswer) => void; reject: (fault: Fault) => void } | undefined;
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

  constructor(
    worker: Worker,
    start: Extract<ToReceiver, { kind: "start" }>,
    events: {
      found: (found: Found) => void;
      /** The stream is of no use any more; undefined: because the run was cancelled. */
      failed: (fault: Fault | undefined) => void;
    },
  ) {
    this.#worker = worker;
    this.#isPlain = isPlainSeat(start.seat);
    this.#found = events.found;
    this.#failed = events.failed;
    worker.onmessage = (event: MessageEvent<FromReceiver>) => this.#receive(event.data);
    worker.onerror = (event: ErrorEvent) => this.#fail(crash(event.message, ""));
    worker.addEventListener("close", this.#onEnd);
    worker.postMessage(start);
  }

  post(message: ToReceiver): void {
    if (this.#isOver) return;
    this.#worker.postMessage(message);
  }

  /** The worker's answer to the last phase. @throws Fault where the stream cannot go on */
  answer(): Promise<StreamAnswer> {
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
    // Whatever it says from now on is about its end.
    this.#isGone = true;
    this.#isOver = true;
    const worker = this.#worker;
    worker.removeEventListener("close", this.#onEnd);
    const isClean = this.#isWiped && this.#fault === undefined && this.#isPlain;
    if (workers !== undefined && isClean) workers.keep(worker);
    else worker.terminate();
  }

  #receive(message: FromReceiver): void {
    switch (message.kind) {
      case "found":
        this.#found(message);
        return;
      case "written":
      case "finished":
      case "cancelled":
        this.#answered = message;
        if (message.kind === "cancelled") this.#failed(undefined);
        this.#tell();
        return;
      case "closed":
        this.#isGone = true;
        this.#isWiped = message.isWiped;
        this.#closed?.();
        return;
      case "broken":
        this.#fail(faultFromJson(message.fault));
        return;
      case "crashed":
        this.#fail(crash(message.message, message.stack));
    }
  }

  #fail(fault: Fault): void {
    if (this.#isGone && this.#closed !== undefined) return;
    if (this.#fault === undefined) {
      this.#fault = fault;
      this.#failed(fault);
    }
    this.#tell();
  }

  #tell(): void {
    const settle = this.#settle;
    if (settle === undefined) return;
    const answer = this.#answered;
    if (answer !== undefined) {
      this.#settle = undefined;
      this.#answered = undefined;
      settle.resolve(answer);
    } else if (this.#fault !== undefined) {
      this.#settle = undefined;
      settle.reject(this.#fault);
    }
  }
}

function crash(message: string, stack: string): Fault {
  const cause = stack === "" ? undefined : new Error(stack);
  return new Fault({ code: "E_BUG", message: `A receiving worker failed: ${message}`, cause });
}
