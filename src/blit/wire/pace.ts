/** Pieces of a twentieth of a second: an even flow, and never taken for a stall. */
const piecesPerSecond = 20;

/** Keeps the bytes of one stream to a rate (--bwlimit). */
export class Pace {
  /** Most that may be sent at once. */
  readonly pieceBytes: number;
  readonly #bytesPerMs: number;
  readonly #nowMs: () => number;
  #freeAtMs = 0;

  /** @param bytesPerSecond above 0 */
  constructor(bytesPerSecond: number, nowMs: () => number = () => performance.now()) {
    if (!(bytesPerSecond > 0)) throw new Error("A rate has to be above 0");
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.pieceBytes = Math.ceil(bytesPerSecond / piecesPerSecond);
    this.#nowMs = nowMs;
  }

  /** Milliseconds until the next piece may go; 0 or less: now. */
  waitMs(): number {
    return this.#freeAtMs - this.#nowMs();
  }

  /** So many bytes have gone. Time that was not used is not made up for later. */
  sent(bytes: number): void {
    const nowMs = this.#nowMs();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + bytes / this.#bytesPerMs;
  }
}
