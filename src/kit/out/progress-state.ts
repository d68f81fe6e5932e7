/**
 * What a progress line knows, as a pure fold over updates with the clock handed in. The shares and
 * totals that it shows never go backwards, whatever order the updates come in; the rate is that of
 * the recent window, so an early burst does not colour the rest.
 */

/** A report of how far the work is. Numbers are totals since the start, not differences. */
export interface ProgressUpdate {
  readonly doneBytes: number;
  readonly totalBytes?: number;
  readonly doneItems: number;
  readonly totalItems?: number;
  /** False while the listing still runs: totals are then "at least". */
  readonly totalIsFinal: boolean;
  /** What is being worked on. */
  readonly current?: string;
}

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
  readonly items: number;
}

/** The state; treat it as opaque outside of this file and its rendering. */
export interface ProgressState {
  readonly startedMs: number;
  readonly doneBytes: number;
  readonly doneItems: number;
  readonly totalBytes: number;
  readonly totalItems: number;
  readonly totalIsFinal: boolean;
  readonly current: string | undefined;
  /** The highest share shown so far, 0 to 1. */
  readonly share: number;
  readonly samples: readonly Sample[];
}

/** What a line shows. */
export interface ProgressView {
  /** 0 to 1; nothing until the totals are final. Never falls. */
  readonly share: number | undefined;
  readonly bytesPerSecond: number;
  /** Time left in seconds; nothing while the totals are not final or nothing moves. */
  readonly secondsLeft: number | undefined;
}

const WINDOW_MS = 10_000;
const SAMPLES_MAX = 64;
const SAMPLE_DISTANCE_MS = WINDOW_MS / SAMPLES_MAX;

/** The state before the first update. */
export function startProgress(nowMs: number): ProgressState {
  return {
    startedMs: nowMs,
    doneBytes: 0,
    doneItems: 0,
    totalBytes: 0,
    totalItems: 0,
    totalIsFinal: false,
    current: undefined,
    share: 0,
    samples: [{ atMs: nowMs, bytes: 0, items: 0 }],
  };
}

/** The state after one more update. */
export function foldProgress(
  state: ProgressState,
  update: ProgressUpdate,
  nowMs: number,
): ProgressState {
  const doneBytes = Math.max(state.doneBytes, update.doneBytes);
  const doneItems = Math.max(state.doneItems, update.doneItems);
  // A source that grows while it is copied: the total is then at least what is done.
  const totalBytes = Math.max(state.totalBytes, update.totalBytes ?? 0, doneBytes);
  const totalItems = Math.max(state.totalItems, update.totalItems ?? 0, doneItems);
  const totalIsFinal = state.totalIsFinal || update.totalIsFinal;
  const next = { ...state, doneBytes, doneItems, totalBytes, totalItems, totalIsFinal };
  return {
    ...next,
    current: update.current ?? state.current,
    share: totalIsFinal ? Math.max(state.share, shareOf(next)) : state.share,
    samples: addSample(state.samples, { atMs: nowMs, bytes: doneBytes, items: doneItems }),
  };
}

/** What the line shows at this moment. */
export function viewProgress(state: ProgressState, nowMs: number): ProgressView {
  const oldest = state.samples[0] ?? { atMs: state.startedMs, bytes: 0, items: 0 };
  const seconds = Math.max(nowMs - oldest.atMs, 1) / 1000;
  const bytesPerSecond = Math.max(state.doneBytes - oldest.bytes, 0) / seconds;
  const itemsPerSecond = Math.max(state.doneItems - oldest.items, 0) / seconds;
  return {
    share: state.totalIsFinal ? state.share : undefined,
    bytesPerSecond,
    secondsLeft: state.totalIsFinal
      ? secondsLeft(state, { bytesPerSecond, itemsPerSecond })
      : undefined,
  };
}

/** Bytes and items each take their time; the slower of the two decides. */
function secondsLeft(
  state: ProgressState,
  rate: { readonly bytesPerSecond: number; readonly itemsPerSecond: number },
): number | undefined {
  const bytesLeft = state.totalBytes - state.doneBytes;
  const itemsLeft = state.totalItems - state.doneItems;
  const byBytes = timeFor(bytesLeft, rate.bytesPerSecond);
  const byItems = timeFor(itemsLeft, rate.itemsPerSecond);
  if (byBytes === undefined || byItems === undefined) {
    // One huge file moves bytes and no items for minutes; links move items and no bytes.
    return byBytes ?? (bytesLeft === 0 ? byItems : undefined);
  }
  return Math.max(byBytes, byItems);
}

function timeFor(left: number, perSecond: number): number | undefined {
  if (left === 0) {
    return 0;
  }
  return perSecond > 0 ? left / perSecond : undefined;
}

/**
 * The share of bytes, or of items where there are no bytes. One file of many bytes counts as
 * such.
 */
function shareOf(
  state: Pick<ProgressState, "doneBytes" | "totalBytes" | "doneItems" | "totalItems">,
) {
  if (state.totalBytes > 0) {
    return state.doneBytes / state.totalBytes;
  }
  return state.totalItems > 0 ? state.doneItems / state.totalItems : 0;
}

/** Keeps the newest, thinned out so that the window is covered by at most SAMPLES_MAX. */
function addSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.atMs - last.atMs < SAMPLE_DISTANCE_MS) {
    return samples;
  }
  // One sample from before the window stays, so that the window is always covered whole.
  const from = samples.findLastIndex((old) => old.atMs <= sample.atMs - WINDOW_MS);
  const kept = from > 0 ? samples.slice(from) : samples;
  return [...kept.slice(-SAMPLES_MAX), sample];
}
