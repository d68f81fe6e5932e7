/** Pieces of a twentieth of a second: an even flow, and never taken for a stall. */
const piecesPerSecond = 20;

/** Milliseconds of a clock that all threads of the process share. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Memory for the one pace of streams in several threads. */
export function sharedPace(): SharedArrayBuffer {
  return new SharedArrayBuffer(8);
}

/** Keeps the bytes of a stream, or of several together, to a rate (--bwlimit). */
export class Pace {
  /** Most that has its turn at once. */
  readonly pieceBytes: number;
  readonly #bytesPerUs: number;
  readonly #nowMs: () => number;
  /** When the next piece may go that nobody has asked for, microseconds of the clock. */
  readonly #freeAtUs: BigInt64Array;
  /** Bytes that have been asked for, and when they may go. */
  #reserved = 0;
  #dueMs = 0;

  /**
   * @param bytesPerSecond above 0
   * @param shared of `sharedPace`: all that have it keep to the rate together
   */
  constructor(
    bytesPerSecond: number,
    shared: SharedArrayBuffer = sharedPace(),
    nowMs: () => number = monotonicMs,
  ) {
    if (!(bytesPerSecond > 0)) throw new Error("A rate has to be above 0");
    this.#bytesPerUs = bytesPerSecond / 1e6;
    this.pieceBytes = Math.ceil(bytesPerSecond / piecesPerSecond);
    this.#freeAtUs = new BigInt64Array(shared);
    this.#nowMs = nowMs;
  }

  /**
   * Milliseconds until the next of `bytes` may go; 0 or less: `allowance` of them may go now.
   * Streams that ask have their turns in the order of asking, so that none waits for ever beside a
   * faster one.
   */
  waitMs(bytes: number): number {
    if (this.#reserved === 0) this.#reserve(Math.min(bytes, this.pieceBytes));
    return this.#dueMs - this.#nowMs();
  }

  /** So many bytes have their turn. */
  get allowance(): number {
    return this.#reserved;
  }

  /** So many of these have gone. */
  sent(bytes: number): void {
    this.#reserved = Math.max(0, this.#reserved - bytes);
  }

  /** Time that was not used is not made up for later. */
  #reserve(bytes: number): void {
    const nowUs = BigInt(Math.floor(this.#nowMs() * 1000));
    const takesUs = BigInt(Math.ceil(bytes / this.#bytesPerUs));
    for (;;) {
      const before = Atomics.load(this.#freeAtUs, 0);
      const due = before > nowUs ? before : nowUs;
      if (Atomics.compareExchange(this.#freeAtUs, 0, before, due + takesUs) !== before) continue;
      this.#reserved = bytes;
      this.#dueMs = Number(due) / 1000;
      return;
    }
  }
}
