/** Whoever waits for services to come to rest. Pure, but for promises. */

/** Down or failed; or that, up, or waiting for the next try. */
export type Rest = "ended" | "settled";

const RESTING: Readonly<Record<Rest, ReadonlySet<string>>> = {
  ended: new Set(["down", "failed"]),
  settled: new Set(["down", "failed", "up", "backoff"]),
};

interface Waiter {
  readonly left: Set<string>;
  readonly rest: Rest;
  readonly resolve: () => void;
}

/** Those who wait. */
export class Waiters {
  readonly #waiters = new Set<Waiter>();

  /** Resolves when all of the services are at rest. */
  wait(
    names: readonly string[],
    rest: Rest,
    stateOf: (name: string) => string | undefined,
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const left = new Set(names.filter((name) => !RESTING[rest].has(stateOf(name) ?? "down")));
    if (left.size === 0) resolve();
    else this.#waiters.add({ left, rest, resolve });
    return promise;
  }

  /** A service has come to another state. */
  changed(name: string, state: string): void {
    for (const waiter of this.#waiters) {
      if (!RESTING[waiter.rest].has(state)) continue;
      waiter.left.delete(name);
      if (waiter.left.size > 0) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}
