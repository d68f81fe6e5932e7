import type { NoSolution } from "./no-solution.ts";

/** Tells why there is no solution. */
export function explain(failure: NoSolution): { message: string; hint?: string } {
  return { message: failure.message };
}
