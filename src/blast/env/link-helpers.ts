import { Fault, type FaultJson, faultFromJson } from "../../kit/fault/fault.ts";
import { ports } from "../ports.ts";
import type { LinkList, LinkMode } from "./link.ts";

/** To a thread: work on this list. */
export interface ToInstallWorker {
  readonly list: LinkList;
  readonly mode: LinkMode;
}

/** From a thread, when nothing is left to do. */
export type FromInstallWorker =
  | { readonly kind: "done" }
  | { readonly kind: "fault"; readonly fault: FaultJson }
  | { readonly kind: "crashed"; readonly message: string; readonly stack: string };

/** Beyond this many the file system's own locks are what is waited for. */
const THREADS_MAX = 4;

/** Below this many files a thread would come too late. */
const FILES_MIN = 1500;

/** Threads that link files beside the main one. */
export class LinkHelpers implements Disposable {
  readonly #workers: readonly Worker[];
  #answers: Promise<void>[] = [];

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers;
  }

  /** Starts threads if so many files are worth it; undefined where the main one is enough. */
  static forFiles(files: number, threads: number | undefined): LinkHelpers | undefined {
    const { createInstallWorker } = ports;
    const count = threads ?? Math.min(THREADS_MAX, navigator.hardwareConcurrency);
    if (createInstallWorker === undefined || files < FILES_MIN || count < 2) return undefined;
    const workers = Array.from({ length: count - 1 }, () => createInstallWorker());
    return new LinkHelpers(workers);
  }

  /** Hands them the list, which the main thread works on as well. */
  start(list: LinkList, mode: LinkMode): void {
    const message: ToInstallWorker = { list, mode };
    this.#answers = this.#workers.map((worker) => {
      const answer = answerOf(worker);
      worker.postMessage(message);
      return answer;
    });
  }

  /**
   * Waits until all of them have stopped.
   *
   * @throws {Fault} the first failure
   */
  async finish(): Promise<void> {
    const settled = await Promise.allSettled(this.#answers);
    const failed = settled.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  [Symbol.dispose](): void {
    for (const worker of this.#workers) worker.terminate();
  }
}

function answerOf(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<FromInstallWorker>) => {
      const message = event.data;
      if (message.kind === "done") resolve();
      else if (message.kind === "fault") reject(faultFromJson(message.fault));
      else reject(crash(message.message, message.stack));
    };
    worker.onerror = (event: ErrorEvent) => reject(crash(event.message));
    worker.addEventListener("close", () => reject(crash("its thread has ended")));
  });
}

function crash(message: string, stack?: string): Fault {
  const cause = stack === undefined ? undefined : new Error(stack);
  return new Fault({ code: "E_BUG", message: `A worker failed: ${message}`, cause });
}
