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
  /** Most that may be sent at once. */
  readonly pieceBytes: number;
  readonly #bytesPerUs: number;
  readonly #nowMs: () => number;
  /** When the next piece may go, microseconds of the clock. */
  readonly #freeAtUs: BigInt64Array;

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

  /** Milliseconds until the next piece may go; 0 or less: now. */
  waitMs(): number {
    return Number(Atomics.load(this.#freeAtUs, 0)) / 1000 - this.#nowMs();
  }

  /** So many bytes have gone. Time that was not used is not made up for later. */
  sent(bytes: number): void {
    const nowUs = BigInt(Math.floor(this.#nowMs() * 1000));
    const takesUs = BigInt(Math.ceil(bytes / this.#bytesPerUs));
    for (;;) {
      const before = Atomics.load(this.#freeAtUs, 0);
      const next = (before > nowUs ? before : nowUs) + takesUs;
      if (Atomics.compareExchange(this.#freeAtUs, 0, before, next) === before) return;
    }
  }
}
