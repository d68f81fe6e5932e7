/**
 * Messages on their way into a stream: pushed by whoever has one, taken one by one by the stream's
 * writer. Who pushes much asks for room first, so that a slow peer slows down its source.
 */
export class MessageQueue<M> implements AsyncIterable<M> {
  readonly #bytesMax: number;
  readonly #waiting: { readonly message: M; readonly bytes: number }[] = [];
  #bytes = 0;
  #isEnded = false;
  #failure: unknown;
  #wakeReader: (() => void) | undefined;
  readonly #wakeWriters: (() => void)[] = [];

  /** @param bytesMax so much may wait before `whenRoom` waits too */
  constructor(bytesMax = 2 * 1024 * 1024) {
    this.#bytesMax = bytesMax;
  }

  /** Adds a message, also where there is no room. Nothing is taken after the end. */
  push(message: M, bytes = 0): void {
    if (this.#isEnded) return;
    this.#waiting.push({ message, bytes });
    this.#bytes += bytes;
    this.#wake();
  }

  get hasRoom(): boolean {
    return this.#bytes < this.#bytesMax || this.#isEnded;
  }

  /** Resolves as soon as there is room, or nobody takes anything any more. */
  async whenRoom(): Promise<void> {
    while (!this.hasRoom) await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
  }

  /** No more messages; those that wait are still taken. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
    this.#letWritersGo();
  }

  /** As `end`, but whoever takes the next message gets this thrown. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#waiting.length = 0;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<M> {
    try {
      for (;;) {
        const next = this.#waiting.shift();
        if (next !== undefined) {
          this.#bytes -= next.bytes;
          if (this.hasRoom) this.#letWritersGo();
          yield next.message;
        } else if (this.#failure !== undefined) {
          throw this.#failure;
        } else if (this.#isEnded) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve;
          });
        }
      }
    } finally {
      // The reader has gone: nothing must wait for it.
      this.#waiting.length = 0;
      this.#bytes = 0;
      this.end();
    }
  }

  #wake(): void {
    const wake = this.#wakeReader;
    this.#wakeReader = undefined;
    wake?.();
  }

  #letWritersGo(): void {
    for (const wake of this.#wakeWriters.splice(0)) wake();
  }
}
