import { noFTL } from "bun:jsc";

/**
 * Keeps a function out of JavaScriptCore's last compiler stage. Its compiler threads took a sixth
 * of the processor time of a run over 100,000 unchanged files, on the cores that the copying
 * threads need, while that code spends its time in system calls and gains nothing: without it such
 * a run takes 8 % less. Returns the function.
 */
export function cheaplyCompiled<Callable>(callable: Callable): Callable {
  noFTL(callable as (...args: unknown[]) => unknown);
  return callable;
}

/** The same for all methods of a class but its private ones, which only its own code can name. */
export function cheaplyCompiledMethods(prototype: object): void {
  for (const { value } of Object.values(Object.getOwnPropertyDescriptors(prototype))) {
    if (typeof value === "function") cheaplyCompiled<unknown>(value);
  }
}
