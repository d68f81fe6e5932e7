/** A rate is looked at for so long, milliseconds: long enough for a few packs of small files. */
const WINDOW_MS = 500;
/** What is on its way when the number changes counts for neither. */
const SETTLE_MS = 250;
/** So long until something is tried out: the first time, and at most after trials in vain. */
const trialMs = { first: 1000, max: 30_000 } as const;
/** Less of a gain than that may be chance. */
const GAIN = 1.05;

/**
 * Finds out while a transfer runs how many of its streams are best at work: now and then there is
 * one less or one more for a moment, and it stays so where that was faster than both before and
 * after. More streams than a link or a disk can use only take processor time from each other.
 */
export class StreamTuner {
  readonly #streams: number;
  #active: number;
  #phase: "base" | "trial" | "again" = "base";
  #direction: 1 | -1 = -1;
  #intervalMs: number = trialMs.first;
  #trialAtMs: number | undefined;
  /** Begin of the window, undefined while what is on its way still counts for what was before. */
  #window: { readonly startMs: number; readonly done: number } | undefined;
  #changedMs = 0;
  #baseRate = 0;
  #trialRate = 0;

  /** @param streams how many there are; all of them are at work at first */
  constructor(streams: number) {
    this.#streams = streams;
    this.#active = streams;
  }

  /**
   * To be called a few times a second. Returns how many streams are to be at work.
   * @param done what is done so far, in any unit that grows with the time it takes
   */
  step(nowMs: number, done: number): number {
    this.#trialAtMs ??= nowMs + this.#intervalMs;
    if (this.#window === undefined) {
      if (nowMs - this.#changedMs >= SETTLE_MS) this.#window = { startMs: nowMs, done };
      return this.#active;
    }
    const { startMs, done: doneBefore } = this.#window;
    if (nowMs - startMs < WINDOW_MS) return this.#active;
    this.#measured((done - doneBefore) / (nowMs - startMs), nowMs);
    if (this.#window !== undefined) this.#window = { startMs: nowMs, done };
    return this.#active;
  }

  #measured(rate: number, nowMs: number): void {
    switch (this.#phase) {
      case "base":
        this.#baseRate = rate;
        if (nowMs >= (this.#trialAtMs ?? 0) && rate > 0) this.#try(nowMs);
        break;
      case "trial":
        this.#trialRate = rate;
        this.#change(-this.#direction, "again", nowMs);
        break;
      case "again":
        this.#decide(Math.max(rate, this.#baseRate), nowMs);
    }
  }

  #try(nowMs: number): void {
    const next = this.#active + this.#direction;
    if (next < 1 || next > this.#streams) this.#direction = this.#direction === 1 ? -1 : 1;
    this.#change(this.#direction, "trial", nowMs);
  }

  #decide(rate: number, nowMs: number): void {
    if (this.#trialRate > rate * GAIN) {
      this.#intervalMs = trialMs.first;
      this.#change(this.#direction, "base", nowMs);
    } else {
      this.#intervalMs = Math.min(this.#intervalMs * 2, trialMs.max);
      this.#direction = this.#direction === 1 ? -1 : 1;
      this.#phase = "base";
    }
    this.#trialAtMs = nowMs + this.#intervalMs;
  }

  #change(by: number, phase: "base" | "trial" | "again", nowMs: number): void {
    this.#active += by;
    this.#phase = phase;
    this.#window = undefined;
    this.#changedMs = nowMs;
  }
}
