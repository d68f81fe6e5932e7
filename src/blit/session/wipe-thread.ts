import { heapSize } from "bun:jsc";
import { wipeThreadMemory } from "../../../ffi/mem.ts";

/** More than this was mapped: of a session that was out of the ordinary, or of very many. */
const mappedBytesMax = 256 * 1024 * 1024;

/** More than this is kept for nobody. */
const heapBytesMax = 32 * 1024 * 1024;

/** Whatever a thread might gather, it ends. */
const sessionsMax = 100;

let sessions = 0;

/**
 * Whether this worker may serve another session, which nothing of the one that is over may reach:
 * to be asked when no variable leads to any object of it. All memory that the thread has mapped
 * (everything that the kernel reads or writes: names, statuses, content, frames) is zero after it.
 */
export function isWipedForNext(): boolean {
  sessions++;
  const mapped = wipeThreadMemory();
  const isSmall = mapped >= 0 && mapped <= mappedBytesMax && heapSize() <= heapBytesMax;
  return isSmall && sessions < sessionsMax;
}
