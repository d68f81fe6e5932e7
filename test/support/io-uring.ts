import { Ring } from "../../bench/uring/ring.ts";

/** A reason when the kernel has no io_uring, or this process may not use it (containers). */
export function needsIoUring(): string | undefined {
  try {
    using ring = new Ring(8, { flags: 0, workersMax: 0 });
    return ring.entries === 8 ? undefined : "needs an io_uring of 8 entries";
  } catch {
    return "needs io_uring";
  }
}
