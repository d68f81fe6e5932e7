import { Fault, faultFromJson } from "../../kit/fault/fault.ts";
import { ports } from "../ports.ts";
import type { Base } from "../session/types.ts";
import type { AdminAnswers, AdminRequest } from "./request.ts";
import type { AdminFromWorker, AdminToWorker } from "./worker-messages.ts";

/** Parts of an answer that may wait for the caller. */
const window = 8;

/**
 * Answers a request on a thread of its own, which first gives up for good what `base.confine` says.
 *
 * @throws {Fault} what the request meets; E_BUG where no thread can be started
 */
export async function* runConfined<Request extends AdminRequest>(
  base: Base,
  request: Request,
  signal?: AbortSignal,
): AsyncGenerator<AdminAnswers[Request["call"]]> {
  const { confine } = base;
  const create = ports.createAdminWorker;
  // Never without the confinement: that would be more than the operator has granted.
  if (create === undefined || confine === undefined) {
    throw new Fault({ code: "E_BUG", message: "Cannot start a confined thread" });
  }
  const inbox = new Inbox(create());
  const abort = (): void => inbox.end();
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted === true) abort();
  try {
    inbox.post({ kind: "credit", chunks: window });
    inbox.post({ kind: "start", base: { fd: base.fd, resolve: base.resolve }, confine, request });
    for (;;) {
      const message = await inbox.next();
      if (message === undefined || message.kind === "done") return;
      if (message.kind === "failed") throw faultFromJson(message.fault);
      yield message.chunk as AdminAnswers[Request["call"]];
      inbox.post({ kind: "credit", chunks: 1 });
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    await inbox.close();
  }
}

/** Messages of one worker, in their order. */
class Inbox {
  readonly #worker: Worker;
  readonly #messages: AdminFromWorker[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<AdminFromWorker>) => {
      this.#messages.push(event.data);
      this.#wake?.();
    };
    worker.onerror = (event) => {
      this.#messages.push({ kind: "failed", fault: crashed(event.message) });
      this.#wake?.();
    };
  }

  post(message: AdminToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Nobody wants more. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  /** The next message; undefined when nobody wants more. */
  async next(): Promise<AdminFromWorker | undefined> {
    while (!this.#isOver && this.#messages.length === 0) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#isOver ? undefined : this.#messages.shift();
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

function crashed(message: string): ReturnType<Fault["toJson"]> {
  return new Fault({ code: "E_BUG", message: `A thread has crashed: ${message}` }).toJson();
}
