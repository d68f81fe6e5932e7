/**
 * The stall detector of seed 004: ten seconds in which neither planner nor workers do anything
 * while work is left. A worker that waits for storage is not idle: that is told, not ended. Pure.
 */
export const stallMs = 10_000;
/** Heartbeat, and the faster one while a worker has nothing to do. */
export const heartbeatMs = 1000;
export const starvedHeartbeatMs = 500;

export type Observation = {
  readonly nowMs: number;
  /** Any number that changes when something is done. */
  readonly activity: number;
  /** Planner and every worker have nothing to do. */
  readonly isAllIdle: boolean;
};

export type Verdict =
  | { readonly kind: "fine" }
  /** Someone works, and nothing has come of it for a while. Told once per episode. */
  | { readonly kind: "waiting"; readonly forMs: number }
  /** Nobody works and the run is not done: a fault of ours. */
  | { readonly kind: "stalled"; readonly forMs: number };

export class StallDetector {
  #activity = Number.NaN;
  #sinceMs = 0;
  #isTold = false;

  observe(observation: Observation): Verdict {
    const { nowMs, activity, isAllIdle } = observation;
    if (activity !== this.#activity) {
      this.#activity = activity;
      this.#sinceMs = nowMs;
      this.#isTold = false;
      return { kind: "fine" };
    }
    const forMs = nowMs - this.#sinceMs;
    if (forMs < stallMs) return { kind: "fine" };
    if (isAllIdle) return { kind: "stalled", forMs };
    if (this.#isTold) return { kind: "fine" };
    this.#isTold = true;
    return { kind: "waiting", forMs };
  }
}
