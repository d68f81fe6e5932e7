import type { CopyWay, Job, RingChoice, RingMode } from "./job.ts";

/** Where the sets are and how large they are. */
export interface Place {
  readonly small: string;
  readonly smallFiles: number;
  readonly smallBytes: number;
  readonly big: string;
  readonly bigBytes: number;
  /** What a copy is written to: a folder, or the big file. */
  readonly target: string;
}

export interface Variant {
  readonly label: string;
  job(place: Place): Job;
}

/** Variants that do the same work, the engine's present way first: the others are held to it. */
export interface Group {
  readonly id: "small" | "big" | "stat" | "empty";
  readonly title: string;
  readonly variants: readonly [Variant, ...Variant[]];
  /** Context switches are given per this many. */
  unit(place: Place): { readonly name: string; readonly count: number };
}

/** How many names the no-op asks for, at any scale: about as many as in 100,000 files twice. */
const statWanted = 200_000;
const statPasses = (files: number): number => Math.max(1, Math.round(statWanted / files));
const emptyWanted = 2_000_000;
const blockBytes = 256 * 1024;

/** Calls need no ring; their process sets one up all the same, outside of the measured part. */
const anyRing: RingChoice = { mode: "defer", workersMax: 0, depth: 100 };

export const GROUPS: readonly Group[] = [1, 2]
  .map(smallGroup)
  .concat(bigGroup(false), bigGroup(true), [1, 2].map(statGroup), emptyGroup());

function smallGroup(threads: number): Group {
  const variant = (label: string, way: CopyWay, ring: RingChoice): Variant => ({
    label,
    job: ({ small, target }) => ({ kind: "small", threads, source: small, target, way, ring }),
  });
  const batched = (mode: RingMode, flags: string): Variant =>
    variant(`all stages batched, ${flags}`, "batched", { mode, workersMax: 0, depth: 100 });
  return {
    id: "small",
    title: `Small files into new folders, ${named(threads)}`,
    variants: [
      variant("one call per operation", "calls", anyRing),
      batched("plain", "no flags"),
      batched("coop", "COOP_TASKRUN"),
      batched("defer", "DEFER_TASKRUN"),
      variant("all stages batched, one io-wq worker", "batched", { ...anyRing, workersMax: 1 }),
      variant("chains over direct descriptors", "chained", anyRing),
      variant("the source's chains only, the rest by calls", "read-chain", anyRing),
      variant("open, read, close batched by 100, the rest by calls", "inline", anyRing),
      variant("the same by 16", "inline", { ...anyRing, depth: 16 }),
    ],
    unit: ({ smallFiles }) => ({ name: "file", count: smallFiles }),
  };
}

function bigGroup(cold: boolean): Group {
  const variant = (way: "calls" | "ring", threads: number, depth: number): Variant => ({
    label:
      way === "calls"
        ? `pread and pwrite, ${named(threads)}`
        : `io_uring, ${named(threads)}, ${depth} in flight each`,
    job: ({ big, target }) => {
      const ring: RingChoice = { mode: "defer", workersMax: 0, depth };
      return { kind: "big", cold, threads, source: big, target, way, ring };
    },
  });
  const more = cold
    ? [variant("ring", 1, 16), variant("ring", 2, 8)]
    : [
        variant("ring", 1, 8),
        variant("ring", 1, 16),
        variant("ring", 1, 32),
        variant("ring", 2, 8),
      ];
  return {
    id: "big",
    title: `One big file by 256 KiB, source ${cold ? "on the disk" : "in the page cache"}`,
    variants: [variant("calls", 2, 1), variant("calls", 1, 1), ...more],
    unit: ({ bigBytes }) => ({ name: "block", count: bigBytes / blockBytes }),
  };
}

function statGroup(threads: number): Group {
  const variant = (label: string, way: "calls" | "ring", ring: RingChoice): Variant => ({
    label,
    job: ({ small, smallFiles }) => {
      const passes = statPasses(smallFiles);
      return { kind: "stat", threads, source: small, way, passes, ring };
    },
  });
  return {
    id: "stat",
    title: `${statWanted.toLocaleString("en")} statx, ${named(threads)}`,
    variants: [
      variant("one call per name", "calls", anyRing),
      variant("batches of 100", "ring", anyRing),
      variant("batches of 100, one io-wq worker", "ring", { ...anyRing, workersMax: 1 }),
    ],
    unit: ({ smallFiles }) => ({ name: "name", count: smallFiles * statPasses(smallFiles) }),
  };
}

function emptyGroup(): Group {
  const variant = (label: string, way: "calls" | "ring"): Variant => ({
    label,
    job: () => ({ kind: "empty", threads: 1, way, count: emptyWanted, ring: anyRing }),
  });
  return {
    id: "empty",
    title: `${emptyWanted.toLocaleString("en")} operations that do nothing`,
    variants: [variant("one call each", "calls"), variant("batches of 100", "ring")],
    unit: () => ({ name: "operation", count: emptyWanted }),
  };
}

function named(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}
