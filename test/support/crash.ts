import { errno } from "../../ffi/errno.ts";
import { sys } from "../../ffi/sys.ts";

/** The end of a process, as far as the file system can tell: no call is made after it. */
export class SimulatedCrash extends Error {
  override readonly name = "SimulatedCrash";
}

type Table = Record<string, (...args: number[]) => number>;

const table = sys as unknown as Table;
/** Descriptors must not leak into the next run: a process's end would close them as well. */
const LEFT_ALONE: ReadonlySet<string> = new Set(["close", "mmap", "memcmp", "umask"]);

/**
 * Runs something with the calls of ffi/sys.ts counted, and disturbed from the `at`-th one on:
 * `crash` ends it there, as SIGKILL would, and `errno` makes that one call fail.
 */
export async function disturbed<Result>(
  disturbance: { readonly at: number; readonly kind: "crash" | keyof typeof errno },
  run: () => Promise<Result> | Result,
): Promise<{ readonly calls: number; readonly outcome: Result | Error }> {
  const originals = { ...table };
  let calls = 0;
  const opened = new Set<number>();
  for (const [name, original] of Object.entries(originals)) {
    if (LEFT_ALONE.has(name)) continue;
    table[name] = (...args) => {
      calls++;
      if (disturbance.kind === "crash" && calls >= disturbance.at) throw new SimulatedCrash();
      if (calls === disturbance.at && disturbance.kind !== "crash") {
        return -errno[disturbance.kind];
      }
      const result = original(...args);
      if (name === "openat" && result >= 0) opened.add(result);
      return result;
    };
  }
  table["close"] = (fd) => {
    opened.delete(fd as number);
    return (originals["close"] as (fd: number) => number)(fd as number);
  };
  try {
    const outcome = await run();
    return { calls, outcome };
  } catch (error) {
    return { calls, outcome: error as Error };
  } finally {
    Object.assign(table, originals);
    for (const fd of opened) sys.close(fd);
  }
}
