import { resetAfterFirst } from "../../../kit/proc/reset-after-first.ts";

/** A signal that says when to stop, for as long as its scope lasts. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
}

/** Ctrl-C and SIGTERM stop what is being done in good order; a second one ends the process. */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const name of signals) {
    process.on(name, stop);
    resetAfterFirst(name);
  }
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of signals) process.off(name, stop);
    },
  };
}
