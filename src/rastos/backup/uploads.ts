import type { ObjectStore } from "./types.ts";

/** Bounds of writing to a store. */
export interface UploadLimits {
  /** Objects that are written at once. */
  readonly atOnce: number;
  /** Over all of them; undefined: as fast as it goes. */
  readonly bytesPerSecond: number | undefined;
  /** Milliseconds; any beginning. */
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Writes objects, a few at once, not faster than allowed. */
export class Uploads {
  readonly #store: ObjectStore;
  readonly #limits: UploadLimits;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  /** When what was sent so far would be through at the allowed rate. */
  #freeAtMs = 0;

  constructor(store: ObjectStore, limits: UploadLimits) {
    this.#store = store;
    this.#limits = limits;
  }

  /** Begins to write an object; resolves when there is room for more. @throws what has failed */
  async put(name: string, bytes: Uint8Array): Promise<void> {
    await this.#pace(bytes.length);
    while (this.#running.size >= this.#limits.atOnce) await Promise.race(this.#running);
    this.#throwFailure();
    const task: Promise<void> = this.#store
      .put(name, bytes)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(task));
    this.#running.add(task);
  }

  /** Resolves when all is written. @throws what has failed */
  async done(): Promise<void> {
    await Promise.all(this.#running);
    this.#throwFailure();
  }

  async #pace(bytes: number): Promise<void> {
    const { bytesPerSecond, nowMs, sleep } = this.#limits;
    if (bytesPerSecond === undefined) return;
    const now = nowMs();
    if (this.#freeAtMs > now) await sleep(this.#freeAtMs - now);
    this.#freeAtMs = Math.max(this.#freeAtMs, now) + (bytes / bytesPerSecond) * 1000;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
