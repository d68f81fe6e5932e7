/** How long the event loop waits for one caller's work at most, milliseconds. */
const sliceMs = 8;

/** Says when the event loop is to have its turn. */
export class Slice {
  #startMs = performance.now();

  /** True once the time is used up, and the next slice begins with the next question. */
  isOver(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#startMs < sliceMs) return false;
    this.#startMs = nowMs;
    return true;
  }
}

/**
 * Runs a generator that does a bounded amount of work between its yields; `undefined` is only a
 * turn for the event loop. Ends early when the caller has gone.
 */
export async function* paced<Chunk>(
  work: Generator<Chunk | undefined>,
  signal?: AbortSignal,
): AsyncGenerator<Chunk> {
  try {
    for (const chunk of work) {
      if (signal?.aborted === true) return;
      if (chunk === undefined) await turn();
      else yield chunk;
    }
  } finally {
    work.return(undefined);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
