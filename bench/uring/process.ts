import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { AT, O } from "../../ffi/abi/constants.ts";
import { Memory, writeCString } from "../../ffi/mem.ts";
import { sys } from "../../ffi/sys.ts";
import type { BigJob, Done, FromWorker, Job, Measured, Part, ToWorker } from "./job.ts";
import { must } from "./ring.ts";

/**
 * Does one job in this process and measures it: threads are started, rings set up and the outer
 * folders made before the clock starts.
 * @throws Error when a thread failed
 */
export async function measureJob(job: Job): Promise<Measured> {
  sys.umask(0);
  const hasTree = job.kind === "small" || job.kind === "stat";
  const folders = hasTree ? leafFolders(job.source) : [];
  if (job.kind === "small") makeOuterFolders(job.target, folders);
  if (job.kind === "big") preallocate(job);
  const part: Part = { job, folders, cursor: new SharedArrayBuffer(4) };
  const threads = Array.from({ length: job.threads }, () => new Thread());
  try {
    await Promise.all(threads.map((thread) => thread.ask({ kind: "prepare", part }, "ready")));
    const start = usage();
    const answers = await Promise.all(threads.map((thread) => thread.ask({ kind: "go" }, "done")));
    const end = usage();
    return summed(answers, start, end);
  } finally {
    // A thread left over would keep the process from ending.
    for (const thread of threads) thread.end();
  }
}

function summed(answers: readonly FromWorker[], start: Usage, end: Usage): Measured {
  const dones = answers.map((answer) => (answer as { done: Done }).done);
  const sum = (of: (done: Done) => number): number => dones.reduce((all, one) => all + of(one), 0);
  return {
    items: sum(({ items }) => items),
    bytes: sum(({ bytes }) => bytes),
    checksum: sum(({ checksum }) => checksum),
    wall: (end.at - start.at) / 1e9,
    user: (end.user - start.user) / 1e6,
    system: (end.system - start.system) / 1e6,
    switches: end.switches - start.switches,
  };
}

interface Usage {
  readonly at: number;
  readonly user: number;
  readonly system: number;
  readonly switches: number;
}

/** RUSAGE_SELF has every thread of the process, the io-wq threads of its rings too. */
function usage(): Usage {
  const { userCPUTime, systemCPUTime, ...rest } = process.resourceUsage();
  const switches = rest.voluntaryContextSwitches + rest.involuntaryContextSwitches;
  return { at: Bun.nanoseconds(), user: userCPUTime, system: systemCPUTime, switches };
}

function leafFolders(source: string): string[] {
  const all = [...new Bun.Glob("*/*").scanSync({ cwd: source, onlyFiles: false })];
  return all.sort();
}

function makeOuterFolders(target: string, folders: readonly string[]): void {
  for (const folder of new Set(folders.map((path) => dirname(path)))) {
    mkdirSync(join(target, folder), { recursive: true, mode: 0o755 });
  }
}

/** As the engine does for large files. */
function preallocate(job: BigJob): void {
  const bytes = Bun.file(job.source).size;
  writeFileSync(job.target, "");
  const memory = new Memory(8192);
  writeCString(memory.bytes, 0, job.target);
  const fd = must(sys.openat(AT.FDCWD, memory.pointer, O.WRONLY | O.CLOEXEC, 0), "openat");
  must(sys.fallocate(fd, 0, 0, bytes), "fallocate");
  sys.close(fd);
}

class Thread {
  readonly #worker = new Worker(new URL("./bench.worker.ts", import.meta.url));

  ask(message: ToWorker, wanted: FromWorker["kind"]): Promise<FromWorker> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (data.kind === wanted) resolve(data);
        else reject(new Error(data.kind === "crashed" ? data.message : `got ${data.kind}`));
      };
      this.#worker.onerror = (event) => reject(new Error(event.message));
      this.#worker.postMessage(message);
    });
  }

  end(): void {
    this.#worker.terminate();
  }
}
