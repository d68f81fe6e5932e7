import { Fault } from "../../kit/fault/fault.ts";
import { resetAfterFirst } from "../../kit/proc/reset-after-first.ts";
import { cancelReason } from "../engine/shared-state.ts";

/** What a signal asks to stop: the memory of a run, or the session with a daemon. */
export type Cancellable = { cancel(reason: number): void };

/** Ctrl-C and SIGTERM: the first asks the engine to stop and clean up, the second ends at once. */
export class Signals {
  received: "SIGINT" | "SIGTERM" | undefined;
  #watched: Cancellable | undefined;
  readonly #handlers: [NodeJS.Signals, () => void][] = [];
  #onReceived: ((signal: "SIGINT" | "SIGTERM") => void) | undefined;

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const handler = (): void => this.#receive(signal);
      process.on(signal, handler);
      // A thread that waits for storage runs no handler: the second one must not need any.
      resetAfterFirst(signal);
      this.#handlers.push([signal, handler]);
    }
  }

  #receive(signal: "SIGINT" | "SIGTERM"): void {
    if (this.received !== undefined) {
      // The default action ends the process, whatever its threads are doing.
      this.close();
      process.kill(process.pid, signal);
      return;
    }
    this.received = signal;
    this.#watched?.cancel(cancelReason.interrupted);
    this.#onReceived?.(signal);
  }

  /** What is waited for, or the end of waiting at a signal. @throws {Fault} E_INTERRUPTED etc. */
  async orEnd<Result>(waiting: Promise<Result>): Promise<Result> {
    const ended = new Promise<never>((_, reject) => {
      this.#onReceived = (signal) => {
        const code = signal === "SIGINT" ? "E_INTERRUPTED" : "E_TERMINATED";
        reject(new Fault({ code, message: "Interrupted: nothing was changed" }));
      };
      if (this.received !== undefined) this.#onReceived(this.received);
    });
    try {
      return await Promise.race([waiting, ended]);
    } finally {
      this.#onReceived = undefined;
    }
  }

  /** What a signal has to stop from now on. */
  watch(watched: Cancellable): void {
    this.#watched = watched;
    if (this.received !== undefined) watched.cancel(cancelReason.interrupted);
  }

  close(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }
}
