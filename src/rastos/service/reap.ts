import { ptr } from "bun:ffi";
import { processCalls } from "../../../ffi/process.ts";
import type { Exit } from "./machine.ts";

const WNOHANG = 1;
const status = new Int32Array(1);

/**
 * Takes the end of every child that has ended, ours and the orphans of others (waitpid(2)). Bun
 * must have started none of them: it would wait for its own in vain.
 */
export function reapAll(onExit: (pid: number, exit: Exit) => void): "no-children" | "some-live" {
  for (;;) {
    const pid = processCalls().waitpid(-1, ptr(status), WNOHANG);
    if (pid < 0) return "no-children";
    if (pid === 0) return "some-live";
    onExit(pid, decodeStatus(status[0] ?? 0));
  }
}

/** The status of waitpid(2) as code or signal. */
export function decodeStatus(word: number): Exit {
  const signal = word & 0x7f;
  if (signal === 0) return { code: (word >> 8) & 0xff, signal: undefined };
  return { code: undefined, signal };
}
