/** One measured thread: prepares, waits for the word, works, answers. */
import { Memory } from "../../ffi/mem.ts";
import { sys } from "../../ffi/sys.ts";
import { SETUP } from "./abi.ts";
import { BigRing, blockBytes, copyBigByCalls, openBig } from "./copy-big.ts";
import { copyWays } from "./copy-small.ts";
import type {
  BigJob,
  Done,
  EmptyJob,
  FromWorker,
  Part,
  RingChoice,
  RingMode,
  ToWorker,
} from "./job.ts";
import { depthMax, Pair } from "./pair.ts";
import { Ring, type RingOptions } from "./ring.ts";
import { statWays } from "./stat.ts";

declare const self: Worker;

/** Three operations for each file in flight, and a power of two. */
const entriesSmall = 512;

const flagsOf: Readonly<Record<RingMode, number>> = {
  plain: 0,
  coop: SETUP.SINGLE_ISSUER | SETUP.COOP_TASKRUN,
  defer: SETUP.SINGLE_ISSUER | SETUP.DEFER_TASKRUN,
};

let work: (() => Done) | undefined;

function optionsOf({ mode, workersMax }: RingChoice): RingOptions {
  return { flags: flagsOf[mode], workersMax };
}

function prepare({ job, folders, cursor }: Part): () => Done {
  const next = new Int32Array(cursor);
  if (job.kind === "big") return prepareBig(job, next);
  if (job.kind === "empty") return prepareEmpty(job);
  const pair = new Pair();
  const ring = new Ring(entriesSmall, optionsOf(job.ring));
  ring.registerFiles(depthMax);
  const { depth } = job.ring;
  const batch = job.kind === "small" ? copyWays[job.way] : statWays[job.way];
  const passes = job.kind === "stat" ? job.passes : 1;
  return () => {
    let items = 0;
    let sum = 0;
    for (;;) {
      const folder = folders[Atomics.add(next, 0, 1)];
      if (folder === undefined) break;
      const target = job.kind === "small" ? `${job.target}/${folder}` : undefined;
      pair.open(`${job.source}/${folder}`, target);
      for (let pass = 0; pass < passes; pass++) {
        for (let from = 0; from < pair.count; from += depth) {
          sum += batch(pair, ring, from, Math.min(from + depth, pair.count));
        }
      }
      items += pair.count * passes;
      pair.close();
    }
    return job.kind === "small"
      ? { items, bytes: sum, checksum: 0 }
      : { items, bytes: 0, checksum: sum };
  };
}

function prepareBig(job: BigJob, next: Int32Array): () => Done {
  const { source, target } = openBig(job.source, job.target);
  const sizeBytes = Bun.file(job.source).size;
  const take = (): number => Atomics.add(next, 0, 1) * blockBytes;
  const file = { sourceFd: source, targetFd: target, sizeBytes, take };
  if (job.way === "calls") {
    const buffer = new Memory(blockBytes);
    return () => ({ items: 1, bytes: copyBigByCalls(file, buffer), checksum: 0 });
  }
  const ring = new BigRing(job.ring.depth, optionsOf(job.ring));
  return () => ({ items: 1, bytes: ring.copy(file), checksum: 0 });
}

function prepareEmpty({ way, count, ring: choice }: EmptyJob): () => Done {
  const ring = new Ring(entriesSmall, optionsOf(choice));
  const { depth } = choice;
  return () => {
    for (let done = 0; done < count; done += depth) {
      for (let index = 0; index < depth; index++) {
        if (way === "calls") sys.close(-1);
        else ring.close(-1, index);
      }
      ring.runAll();
    }
    return { items: count, bytes: 0, checksum: 0 };
  };
}

function answer(message: FromWorker): void {
  self.postMessage(message);
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  try {
    if (data.kind === "prepare") {
      work = prepare(data.part);
      answer({ kind: "ready" });
    } else if (work !== undefined) {
      answer({ kind: "done", done: work() });
    }
  } catch (error) {
    answer({ kind: "crashed", message: error instanceof Error ? error.message : String(error) });
  }
};
