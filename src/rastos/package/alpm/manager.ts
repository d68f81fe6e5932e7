import type { Pointer } from "bun:ffi";
import { openAlpm } from "../../../../ffi/alpm/library.ts";
import { Fault, faultFromJson } from "../../../kit/fault/fault.ts";
import { ports } from "../../ports.ts";
import { hasSyncDatabases } from "../paths.ts";
import { packageFault } from "../problem.ts";
import type {
  PackageEvent,
  PackageManager,
  PackageRecord,
  PackageRootOptions,
  PlanOptions,
  TransactionPlan,
  TransactionRequest,
} from "../types.ts";
import { noLibrary, type PackageJob, type PackageJobResult, performJob } from "./jobs.ts";
import type { PackageFromWorker, PackageToWorker } from "./messages.ts";

type OnEvent = (event: PackageEvent) => void;

/** The package manager over libalpm: each call is a job, in a thread of its own where there are. */
export class AlpmManager implements PackageManager {
  readonly kind = "libalpm";
  readonly #options: PackageRootOptions;
  readonly #signal: AbortSignal | undefined;

  /** @throws {Fault} E_NOT_FOUND without libalpm */
  constructor(options: PackageRootOptions, signal?: AbortSignal) {
    if (openAlpm() === undefined) throw noLibrary();
    this.#options = options;
    this.#signal = signal;
  }

  async sync(onEvent?: OnEvent): Promise<void> {
    await this.#perform({ kind: "sync" }, onEvent);
  }

  async hasDatabases(): Promise<boolean> {
    return hasSyncDatabases(this.#options);
  }

  async installed(): Promise<readonly PackageRecord[]> {
    return (await this.#perform({ kind: "installed" })) as readonly PackageRecord[];
  }

  async search(words: readonly string[]): Promise<readonly PackageRecord[]> {
    return (await this.#perform({ kind: "search", words })) as readonly PackageRecord[];
  }

  async plan(request: TransactionRequest, options: PlanOptions = {}): Promise<TransactionPlan> {
    const refresh = options.refresh === true;
    return (await this.#perform({ kind: "plan", request, refresh })) as TransactionPlan;
  }

  async mark(names: readonly string[], reason: "explicit" | "dependency"): Promise<void> {
    await this.#perform({ kind: "mark", names, reason });
  }

  async run(request: TransactionRequest, onEvent?: OnEvent): Promise<TransactionPlan> {
    return (await this.#perform({ kind: "run", request }, onEvent)) as TransactionPlan;
  }

  [Symbol.dispose](): void {
    // Each job closes what it opens.
  }

  async #perform(job: PackageJob, onEvent: OnEvent = () => undefined): Promise<PackageJobResult> {
    this.#refuseInterrupted();
    const worker = ports.createPackageWorker?.();
    if (worker === undefined) {
      return performJob(this.#options, job, { onEvent, onHandle: () => undefined });
    }
    try {
      const result = await this.#inThread(worker, { options: this.#options, job }, onEvent);
      // libalpm itself takes a transaction that was cut short for a success.
      this.#refuseInterrupted();
      return result;
    } finally {
      worker.terminate();
    }
  }

  #refuseInterrupted(): void {
    if (this.#signal?.aborted === true) throw packageFault({ kind: "interrupted" });
  }

  #inThread(worker: Worker, message: PackageToWorker, onEvent: OnEvent): Promise<PackageJobResult> {
    const { promise, resolve, reject } = Promise.withResolvers<PackageJobResult>();
    let handle = 0;
    const interrupt = (): void => {
      if (stopTransaction(handle)) return;
      reject(packageFault({ kind: "interrupted" }));
    };
    this.#signal?.addEventListener("abort", interrupt, { once: true });
    worker.onmessage = ({ data }: MessageEvent<PackageFromWorker>) => {
      if (data.kind === "event") onEvent(data.event);
      else if (data.kind === "handle") handle = data.handle;
      else if (data.kind === "done") resolve(data.result);
      else reject(faultFromJson(data.fault));
    };
    worker.onerror = (event) => reject(new Fault({ code: "E_BUG", message: event.message }));
    worker.postMessage(message);
    return promise.finally(() => this.#signal?.removeEventListener("abort", interrupt));
  }
}

/**
 * Lets a transaction that is being committed end after the package at hand; as pacman does when a
 * signal comes. Where none is, nothing has changed yet: the lock is given back here, because the
 * thread will not come to it.
 *
 * @returns whether the thread is going to answer by itself
 */
function stopTransaction(handle: number): boolean {
  const library = openAlpm();
  if (library === undefined || handle === 0) return false;
  if (library.calls.alpm_trans_interrupt(handle as Pointer) === 0) return true;
  library.calls.alpm_unlock(handle as Pointer);
  return false;
}
