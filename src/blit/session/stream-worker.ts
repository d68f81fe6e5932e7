import { Fault } from "../../kit/fault/fault.ts";
import type { StreamSeat } from "./types.ts";
import { isPlainSeat, type WorkerSource } from "./warm-workers.ts";

/** How long a worker may take to let go before it is ended, milliseconds. */
const closeMs = 5000;

/** What the worker of a stream says about itself, whichever side it is of. */
export type LifeMessage =
  /** The answer to "close". `isWiped`: nothing is left of the session, another may come. */
  | { readonly kind: "closed"; readonly isWiped: boolean }
  | { readonly kind: "crashed"; readonly message: string; readonly stack: string };

type Start = { readonly kind: "start"; readonly seat: StreamSeat };

export type StreamWorkerOptions<Said> = {
  /** In messages: "sending" or "receiving". */
  readonly side: string;
  readonly hear: (message: Said) => void;
  /** The first fault, unless the stream is being closed. */
  readonly failed?: (fault: Fault) => void;
};

/**
 * The worker of one stream as the main thread sees it: what it is told, the answer that is waited
 * for, and its end, after which it may be another session's.
 */
export class StreamWorker<
  Told extends { readonly kind: string },
  Said extends { readonly kind: string },
  Answer,
> {
  readonly #worker: Worker;
  readonly #options: StreamWorkerOptions<Said>;
  readonly #isPlain: boolean;
  #answered: Answer | undefined;
  #fault: Fault | undefined;
  #settle: { resolve: (answer: Answer) => void; reject: (fault: Fault) => void } | undefined;
  #closed: (() => void) | undefined;
  #isGone = false;
  /** The worker says that it may serve another session. */
  #isWiped = false;
  /** The worker may be another session's by now. */
  #isOver = false;
  readonly #onEnd = (): void => {
    this.#isGone = true;
    this.#isWiped = false;
    this.fail(this.#crash("its thread has ended", ""));
    this.#closed?.();
  };

  constructor(worker: Worker, start: Told & Start, options: StreamWorkerOptions<Said>) {
    this.#worker = worker;
    this.#options = options;
    this.#isPlain = isPlainSeat(start.seat);
    worker.onmessage = (event: MessageEvent<Said | LifeMessage>) => this.#receive(event.data);
    worker.onerror = (event: ErrorEvent) => this.fail(this.#crash(event.message, ""));
    worker.addEventListener("close", this.#onEnd);
    worker.postMessage(start);
  }

  post(message: Told | { readonly kind: "close" }): void {
    if (!this.#isOver) this.#worker.postMessage(message);
  }

  /** The worker's answer to the last phase. @throws Fault where the stream cannot go on */
  answer(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#tell();
    });
  }

  /** The phase at hand is over. */
  answered(answer: Answer): void {
    this.#answered = answer;
    this.#tell();
  }

  /** The stream cannot go on. */
  fail(fault: Fault): void {
    const isFirst = this.#fault === undefined;
    this.#fault ??= fault;
    const isClosing = this.#isGone && this.#closed !== undefined;
    if (isFirst && !isClosing) this.#options.failed?.(fault);
    this.#tell();
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
    this.#isGone = true;
    this.#isOver = true;
    const worker = this.#worker;
    worker.removeEventListener("close", this.#onEnd);
    const isClean = this.#isWiped && this.#fault === undefined && this.#isPlain;
    if (workers !== undefined && isClean) workers.keep(worker);
    else worker.terminate();
  }

  #receive(message: Said | LifeMessage): void {
    if (!isAboutLife(message)) this.#options.hear(message);
    else if (message.kind === "crashed") this.fail(this.#crash(message.message, message.stack));
    else {
      this.#isGone = true;
      this.#isWiped = message.isWiped;
      this.#closed?.();
    }
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

  #crash(what: string, stack: string): Fault {
    const cause = stack === "" ? undefined : new Error(stack);
    const message = `A ${this.#options.side} worker failed: ${what}`;
    return new Fault({ code: "E_BUG", message, cause });
  }
}

function isAboutLife<Said extends { readonly kind: string }>(
  message: Said | LifeMessage,
): message is LifeMessage {
  return message.kind === "closed" || message.kind === "crashed";
}
