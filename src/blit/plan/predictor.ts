/**
 * What earlier runs teach about the next one: exponential moving averages per pair of file-system
 * kinds. Pure: the clock and chance are handed in. A value that was never observed falls back to a
 * cautious constant, which is never mixed into the average.
 */
import type { BigFileStrategy, PerfRecord } from "./perf-record.ts";

/** Weight of the newest sample: about the last six runs count. */
const WEIGHT = 0.3;
/** Below so many entries a run measures its own start-up rather than the entries. */
const ENTRIES_MIN = 16;
/** Bytes of a file that are paid for by the cost per entry. */
const SMALL_FILE_BYTES = 64 * 1024;
/** A strategy is known after so many samples … */
const SAMPLES_MIN = 3;
/** … tried anew once in so many runs … */
const EXPLORE_ONE_IN = 20;
/** … and forgotten after 90 days without one. */
const STALE_MS = 90 * 24 * 3600 * 1000;
/** Starting the worker threads and getting their first answer, milliseconds (docs/bun.md). */
const WORKER_START_MS = 10;

const DEFAULT_NEW_FILE_US = 15;
const DEFAULT_UNCHANGED_US = 5;
const DEFAULT_MIB_PER_SECOND = 1000;
const MIB = 1024 * 1024;

/** Key of a pair of file-system kinds, such as "ext4→tmpfs". */
export type ProfileKey = `${string}→${string}`;

/** An average, how many samples it rests on, and when the last one was taken (ms since 1970). */
export interface Estimate {
  readonly value: number;
  readonly samples: number;
  readonly lastMs: number;
}

/** What is known of one pair of file-system kinds. */
export interface LearnedProfile {
  readonly profile: ProfileKey;
  /** Wall time per copied small file, µs, as run (with or without workers). */
  readonly newFileUs: Estimate | undefined;
  /** The same in runs without workers. */
  readonly newFileInlineUs: Estimate | undefined;
  /** Wall time per entry that needed nothing, µs. */
  readonly unchangedUs: Estimate | undefined;
  /** MiB/s of big files by strategy. */
  readonly mibPerSecond: Readonly<Partial<Record<BigFileStrategy, Estimate>>>;
}

/** The predictor; `now` gives ms since 1970, `random` a number in [0, 1). */
export interface Predictor {
  /** Learns from a run. Records that measure nothing change nothing. */
  observe(record: PerfRecord): void;
  /** Expected wall time in ms of copying `files`, and of finding `unchanged` entries up to date. */
  predictTransfer(work: {
    profile: ProfileKey;
    files: number;
    bytes: number;
    unchanged?: number;
  }): number;
  /** The fastest strategy, or undefined when one should be tried to learn (see `leastKnown`). */
  chooseBigFileStrategy(
    profile: ProfileKey,
    candidates: readonly BigFileStrategy[],
  ): BigFileStrategy | undefined;
  /** The candidate with the fewest samples, the oldest of those: the one to try. */
  leastKnown(
    profile: ProfileKey,
    candidates: readonly BigFileStrategy[],
  ): BigFileStrategy | undefined;
  /** Whether doing the work inline is expected to take longer than the start of the workers. */
  shouldStartWorkers(work: { profile: ProfileKey; entries: number; bytes: number }): boolean;
  /** Everything learned, by profile name. */
  learned(): LearnedProfile[];
}

/** The key under which a pair of file-system kinds is remembered. */
export function profileKey(sourceFs: string, targetFs: string): ProfileKey {
  return `${sourceFs}→${targetFs}`;
}

/** A predictor that has seen `records`, oldest first. */
export function createPredictor(options: {
  readonly records: readonly PerfRecord[];
  readonly now: () => number;
  readonly random: () => number;
}): Predictor {
  const profiles = new Map<ProfileKey, MutableProfile>();
  const known = (profile: ProfileKey, strategy: BigFileStrategy): Estimate | undefined => {
    const estimate = profiles.get(profile)?.mibPerSecond[strategy];
    return estimate !== undefined && options.now() - estimate.lastMs <= STALE_MS
      ? estimate
      : undefined;
  };
  const predictor: Predictor = {
    observe: (record) => observe(profiles, record),
    predictTransfer: ({ profile, files, bytes, unchanged = 0 }) => {
      const learned = profiles.get(profile);
      const unchangedMs =
        (unchanged * (learned?.unchangedUs?.value ?? DEFAULT_UNCHANGED_US)) / 1000;
      const fileUs = learned?.newFileUs?.value ?? DEFAULT_NEW_FILE_US;
      return unchangedMs + workMs(files, bytes, fileUs, learned);
    },
    chooseBigFileStrategy: (profile, candidates) => {
      if (candidates.length === 1) return candidates[0];
      if (options.random() < 1 / EXPLORE_ONE_IN) return undefined;
      return fastest(candidates.map((strategy) => ({ strategy, ...known(profile, strategy) })));
    },
    leastKnown: (profile, candidates) =>
      candidates
        .map((strategy) => ({ strategy, estimate: known(profile, strategy) }))
        .sort(
          (a, b) =>
            (a.estimate?.samples ?? 0) - (b.estimate?.samples ?? 0) ||
            (a.estimate?.lastMs ?? 0) - (b.estimate?.lastMs ?? 0),
        )[0]?.strategy,
    shouldStartWorkers: ({ profile, entries, bytes }) => {
      const learned = profiles.get(profile);
      const entryUs = learned?.newFileInlineUs?.value ?? DEFAULT_NEW_FILE_US;
      return workMs(entries, bytes, entryUs, learned) > WORKER_START_MS;
    },
    learned: () => [...profiles.values()].sort((a, b) => (a.profile < b.profile ? -1 : 1)),
  };
  for (const record of options.records) predictor.observe(record);
  return predictor;
}

type MutableProfile = {
  -readonly [K in keyof LearnedProfile]: LearnedProfile[K];
} & { mibPerSecond: Partial<Record<BigFileStrategy, Estimate>> };

function observe(profiles: Map<ProfileKey, MutableProfile>, record: PerfRecord): void {
  const key = profileKey(record.sourceFs, record.targetFs);
  const profile = profiles.get(key) ?? emptyProfile(key);
  profiles.set(key, profile);
  const add = (old: Estimate | undefined, sample: number) =>
    average(old, sample, record.timestampMs);

  const runMs = record.transferMs > 0 ? record.transferMs : record.totalMs;
  const entries = record.files + record.upToDate;
  const sampled = entries >= ENTRIES_MIN && record.failed === 0 && record.stalls === 0;
  // A mixed run tells neither cost: nine tenths of one kind do.
  if (sampled && record.files >= entries * 0.9 && record.bytes <= record.files * SMALL_FILE_BYTES) {
    const sample = (runMs * 1000) / record.files;
    profile.newFileUs = add(profile.newFileUs, sample);
    if (record.workers === 0) profile.newFileInlineUs = add(profile.newFileInlineUs, sample);
  }
  if (sampled && record.upToDate >= entries * 0.9) {
    profile.unchangedUs = add(profile.unchangedUs, (runMs * 1000) / record.upToDate);
  }
  if (record.bigFile !== null) {
    const { strategy, mibPerSecond } = record.bigFile;
    const estimate = add(profile.mibPerSecond[strategy], mibPerSecond);
    if (estimate !== undefined) profile.mibPerSecond[strategy] = estimate;
  }
}

function emptyProfile(profile: ProfileKey): MutableProfile {
  return {
    profile,
    newFileUs: undefined,
    newFileInlineUs: undefined,
    unchangedUs: undefined,
    mibPerSecond: {},
  };
}

/** The first sample is the average; a sample that is no positive number is none. */
function average(
  old: Estimate | undefined,
  sample: number,
  timestampMs: number,
): Estimate | undefined {
  if (!Number.isFinite(sample) || sample <= 0) return old;
  if (old === undefined) return { value: sample, samples: 1, lastMs: timestampMs };
  return {
    value: old.value + (sample - old.value) * WEIGHT,
    samples: old.samples + 1,
    lastMs: Math.max(old.lastMs, timestampMs),
  };
}

function workMs(
  files: number,
  bytes: number,
  entryUs: number,
  learned: LearnedProfile | undefined,
): number {
  const rates = Object.values(learned?.mibPerSecond ?? {}).map((estimate) => estimate.value);
  const rate = rates.length > 0 ? Math.max(...rates) : DEFAULT_MIB_PER_SECOND;
  const bigBytes = Math.max(0, bytes - files * SMALL_FILE_BYTES);
  return (files * entryUs) / 1000 + (bigBytes / MIB / rate) * 1000;
}

function fastest(
  candidates: readonly ({ readonly strategy: BigFileStrategy } & Partial<Estimate>)[],
): BigFileStrategy | undefined {
  let best: { strategy: BigFileStrategy; value: number } | undefined;
  for (const { strategy, value, samples } of candidates) {
    if (value === undefined || samples === undefined || samples < SAMPLES_MIN) return undefined;
    if (best === undefined || value > best.value) best = { strategy, value };
  }
  return best?.strategy;
}
