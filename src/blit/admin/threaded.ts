import { Fault, faultFromJson } from "../../kit/fault/fault.ts";
import { ports } from "../ports.ts";
import type { Base } from "../session/types.ts";
import { paced } from "./pace.ts";
import type { AdminAnswers, AdminRequest } from "./request.ts";
import { answer } from "./request.ts";
import type { AdminFromWorker, AdminToWorker } from "./worker-messages.ts";

/** Parts of an answer that may wait for the caller. */
const window = 8;
/** Threads at once; who comes then waits. */
const threadsMax = 16;

/**
 * Answers a request of a daemon's caller on a thread of its own: a cold or dead disk must not hold
 * up the daemon's other callers. The thread first gives up for good what `base.confine` says.
 *
 * @throws {Fault} what the request meets; E_BUG where no thread can be started for a confined base
 */
export async function* runThreaded<Request extends AdminRequest>(
  base: Base,
  request: Request,
  signal: AbortSignal,
): AsyncGenerator<AdminAnswers[Request["call"]]> {
  const create = ports.createAdminWorker;
  if (create === undefined) {
    // Never without the confinement: that would be more than the operator has granted.
    if (base.confine !== undefined) {
      throw new Fault({ code: "E_BUG", message: "Cannot start a confined thread" });
    }
    yield* paced(answer(base, request), signal);
    return;
  }
  await threads.enter();
  try {
    if (!signal.aborted) yield* converse(new Inbox(create()), base, request, signal);
  } finally {
    threads.leave();
  }
}

async function* converse<Request extends AdminRequest>(
  inbox: Inbox,
  base: Base,
  request: Request,
  signal: AbortSignal,
): AsyncGenerator<AdminAnswers[Request["call"]]> {
  const cancel = (): void => inbox.post({ kind: "cancel" });
  signal.addEventListener("abort", cancel, { once: true });
  const { fd, resolve, confine } = base;
  let isOver = false;
  try {
    inbox.post({ kind: "start", base: { fd, resolve }, confine, request });
    inbox.post({ kind: "credit", chunks: window });
    for (;;) {
      const message = await inbox.next();
      isOver = message.kind !== "chunk";
      if (message.kind === "failed") throw faultFromJson(message.fault);
      if (message.kind === "done") return;
      yield message.chunk as AdminAnswers[Request["call"]];
      inbox.post({ kind: "credit", chunks: 1 });
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    // Not before the thread has closed its folders: theirs and the base's numbers are used anew.
    if (!isOver) {
      cancel();
      while ((await inbox.next()).kind === "chunk");
    }
    inbox.close();
  }
}

/** Messages of one worker, in their order. */
class Inbox {
  readonly #worker: Worker;
  readonly #messages: AdminFromWorker[] = [];
  #wake: (() => void) | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<AdminFromWorker>) => this.#take(event.data);
    worker.onerror = (event) => {
      const fault = new Fault({ code: "E_BUG", message: `A thread has crashed: ${event.message}` });
      this.#take({ kind: "failed", fault: fault.toJson() });
    };
  }

  #take(message: AdminFromWorker): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  post(message: AdminToWorker): void {
    this.#worker.postMessage(message);
  }

  async next(): Promise<AdminFromWorker> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#worker.terminate();
  }
}

/** Lets so many in at once, the others in their order. */
class Gate {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  async enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

const threads = new Gate(threadsMax);
