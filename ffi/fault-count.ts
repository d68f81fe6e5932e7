import { readdirSync, readlinkSync, writeFileSync } from "node:fs";

/**
 * Counts the calls of every thread, for tests that make each of them fail in turn. Threads end
 * without notice, so they count in a file that they all map; when the process exits, the main
 * thread writes what it holds as JSON in its place.
 */

/** What TRIAD_FAULTS_COUNT's file holds in the end. */
export type FaultCount = {
  /** The main thread first. */
  readonly threads: readonly {
    /** Calls of any name. */
    readonly total: number;
    readonly calls: Readonly<Record<string, number>>;
  }[];
  /** What descriptors were still open at the exit, as /proc has it: leaks are among them. */
  readonly open: readonly string[];
};

const threadsMax = 64;

/**
 * Returns what notes a call, by the index of its name. With an empty path nothing is counted.
 * @throws Error where the file cannot be written
 */
export function countCalls(path: string, names: readonly string[]): (index: number) => void {
  if (path === "") return () => {};
  // One word says how many threads there are; then a row for each.
  const columns = names.length + 1;
  const words = 1 + threadsMax * columns;
  if (Bun.isMainThread) writeFileSync(path, new Uint8Array(words * 4));
  const bytes = Bun.mmap(path, { shared: true });
  const table = new Uint32Array(bytes.buffer, bytes.byteOffset, words);
  const thread = Bun.isMainThread ? 0 : Atomics.add(table, 0, 1) + 1;
  if (thread >= threadsMax) throw new Error(`Cannot count more than ${threadsMax} threads`);
  const row = 1 + thread * columns;
  if (Bun.isMainThread) process.on("exit", () => write(path, table, names));
  return (index) => {
    table[row] = (table[row] ?? 0) + 1;
    table[row + 1 + index] = (table[row + 1 + index] ?? 0) + 1;
  };
}

function write(path: string, table: Uint32Array, names: readonly string[]): void {
  const columns = names.length + 1;
  const threads = Array.from({ length: (table[0] ?? 0) + 1 }, (_, thread) => {
    const row = table.subarray(1 + thread * columns, 1 + (thread + 1) * columns);
    const counts = names.map((name, index): [string, number] => [name, row[index + 1] ?? 0]);
    return {
      total: row[0] ?? 0,
      calls: Object.fromEntries(counts.filter(([, count]) => count > 0)),
    };
  });
  const count: FaultCount = { threads, open: openDescriptors() };
  writeFileSync(path, `${JSON.stringify(count)}\n`);
}

function openDescriptors(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      // The listing's own descriptor.
      return [];
    }
  });
}
