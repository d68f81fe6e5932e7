import { Fault, type FaultJson, faultFromJson } from "../../kit/fault/fault.ts";
import { ports } from "../ports.ts";
import type { LinkList, LinkMode } from "./link.ts";

/** To a thread: compare these wheels of the store with their manifests, or work on this list. */
export type ToInstallWorker =
  | { readonly kind: "compare"; readonly wheels: readonly string[] }
  | { readonly kind: "link"; readonly list: LinkList; readonly mode: LinkMode };

/** From a thread, in the order of what it was given. */
export type FromInstallWorker =
  | { readonly kind: "done"; readonly isSound: boolean }
  | { readonly kind: "fault"; readonly fault: FaultJson }
  | { readonly kind: "crashed"; readonly message: string; readonly stack: string };

/** Beyond this many the file system's own locks are what is waited for. */
const THREADS_MAX = 4;

/** Below this many files a thread would come too late. */
const FILES_MIN = 1500;

/** Threads that compare wheels of the store and link files, beside the main one. */
export class LinkHelpers implements Disposable {
  readonly #threads: readonly Thread[];
  #comparisons: readonly Promise<boolean>[] = [];
  #links: readonly Promise<boolean>[] = [];

  private constructor(threads: readonly Thread[]) {
    this.#threads = threads;
  }

  /** Starts threads if so many files are worth it; undefined where the main one is enough. */
  static forFiles(files: number, threads: number | undefined): LinkHelpers | undefined {
    const { createInstallWorker } = ports;
    if (createInstallWorker === undefined || files < FILES_MIN) return undefined;
    const count = threads ?? Math.min(THREADS_MAX, navigator.hardwareConcurrency);
    if (count < 2) return undefined;
    const workers = Array.from({ length: count - 1 }, () => new Thread(createInstallWorker()));
    return new LinkHelpers(workers);
  }

  /** Has wheels of the store compared with their manifests; each by its folder, absolute. */
  compare(wheels: readonly string[]): void {
    const { length } = this.#threads;
    this.#comparisons = this.#threads.map((thread, own) =>
      thread.ask({ kind: "compare", wheels: wheels.filter((_, at) => at % length === own) }),
    );
  }

  /**
   * Whether all wheels that were to be compared are as they were unpacked.
   *
   * @throws {Fault} where a thread has failed
   */
  async areSound(): Promise<boolean> {
    return (await Promise.all(this.#comparisons)).every((isSound) => isSound);
  }

  /** Hands them the list, which the main thread works on as well. */
  start(list: LinkList, mode: LinkMode): void {
    this.#links = this.#threads.map((thread) => thread.ask({ kind: "link", list, mode }));
  }

  /**
   * Waits until all of them have stopped.
   *
   * @throws {Fault} the first failure; E_INTEGRITY where a wheel is not as it was unpacked
   */
  async finish(): Promise<void> {
    const settled = await Promise.allSettled(this.#links);
    const failed = settled.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    if (await this.areSound()) return;
    throw new Fault({
      code: "E_INTEGRITY",
      message: "Cannot install: what is in the store was changed",
      hint: "blast clean removes what is damaged",
    });
  }

  [Symbol.dispose](): void {
    for (const thread of this.#threads) thread.end();
  }
}

/** A thread and the questions that it has not answered yet. */
class Thread {
  readonly #worker: Worker;
  readonly #asked: { resolve(isSound: boolean): void; reject(reason: Fault): void }[] = [];
  #failure: Fault | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<FromInstallWorker>) => {
      const message = event.data;
      const asked = this.#asked.shift();
      if (message.kind === "done") asked?.resolve(message.isSound);
      else if (message.kind === "fault") asked?.reject(faultFromJson(message.fault));
      else asked?.reject(crash(message.message, message.stack));
    };
    worker.onerror = (event: ErrorEvent) => this.#fail(crash(event.message));
    worker.addEventListener("close", () => this.#fail(crash("its thread has ended")));
  }

  ask(message: ToInstallWorker): Promise<boolean> {
    const answer = new Promise<boolean>((resolve, reject) => {
      if (this.#failure === undefined) this.#asked.push({ resolve, reject });
      else reject(this.#failure);
    });
    // Whoever waits for it hears of a failure; until somebody does, it is nobody's.
    answer.catch(() => {});
    this.#worker.postMessage(message);
    return answer;
  }

  end(): void {
    this.#worker.terminate();
  }

  #fail(reason: Fault): void {
    this.#failure = reason;
    for (const { reject } of this.#asked.splice(0)) reject(reason);
  }
}

function crash(message: string, stack?: string): Fault {
  const cause = stack === undefined ? undefined : new Error(stack);
  return new Fault({ code: "E_BUG", message: `A worker failed: ${message}`, cause });
}
