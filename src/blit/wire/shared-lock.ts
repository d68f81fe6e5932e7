/**
 * A lock in memory that several threads see, for what takes less than a few microseconds. The word
 * is 1 while somebody has it.
 */
export function acquireLock(words: Int32Array, at: number): void {
  // Held so shortly that whoever waits here has lost the processor, or its holder has.
  while (Atomics.compareExchange(words, at, 0, 1) !== 0) Atomics.wait(words, at, 1, 1);
}

export function releaseLock(words: Int32Array, at: number): void {
  Atomics.store(words, at, 0);
  Atomics.notify(words, at, 1);
}
