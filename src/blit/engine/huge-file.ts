import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { type ContentResult, copyBuffered, copyDataOf, copyDense, cutShort } from "./content.ts";
import { completeFile, copyFile, type HugeFileBegin } from "./copy-file.ts";
import { aloneChunkBytes, aloneFileBytes, chunkBytes } from "./limits.ts";
import type { HugeFileHelp } from "./messages.ts";
import { counter } from "./shared-state.ts";
import type { Thread } from "./thread.ts";
import { childDone } from "./walk.ts";

/**
 * A huge file: a cursor in shared memory hands out chunks, to the thread that began the file and to
 * any that has nothing else to do.
 */
export type HugeFile = {
  readonly id: number;
  readonly begin: HugeFileBegin;
  readonly name: string;
  readonly help: HugeFileHelp;
  readonly status: {
    readonly sizeBytes: number;
    readonly mtimeSec: number;
    readonly mtimeNsec: number;
    readonly ctimeSec: number;
    readonly ctimeNsec: number;
  };
  /** Threads that were given a part and have not answered. */
  helpers: number;
  written: ContentResult;
};

let nextFileId = 1;

/** Opens what the parts need. The entry at hand is the file's, its status in t.source. */
export function openHugeFile(t: Thread, begin: HugeFileBegin): HugeFile | undefined {
  const cursor = t.shared.takeCursor();
  if (cursor < 0) return undefined;
  const { sizeBytes, dataBytes, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec } = t.source;
  const id = nextFileId++;
  const isSparse = dataBytes < sizeBytes;
  const help: HugeFileHelp = {
    thread: t.index,
    fileId: id,
    sourceFd: begin.sourceFd,
    targetFd: begin.targetFd,
    sizeBytes,
    cursor,
    chunkBytes: chunkBytesOf(sizeBytes, dataBytes),
    isSparse,
  };
  const status = { sizeBytes, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec };
  const written = { result: 0, call: "" };
  return { id, begin, name: t.entryName(), help, status, helpers: 0, written };
}

/** Parts of a file with holes are few, however large it is: most of them hold little. */
function chunkBytesOf(sizeBytes: number, dataBytes: number): number {
  const usual = dataBytes <= aloneFileBytes ? aloneChunkBytes : chunkBytes;
  return dataBytes < sizeBytes ? usual * Math.ceil(sizeBytes / (usual * sparseChunks)) : usual;
}

const sparseChunks = 1024;

/**
 * Copies chunks until the cursor is past the end. `between` runs after each: the place to give
 * parts away.
 */
export function copyParts(t: Thread, help: HugeFileHelp, between: () => void): ContentResult {
  for (;;) {
    const outcome = copyNextPart(t, help);
    if (outcome !== undefined) return outcome;
    between();
  }
}

/** Copies one chunk. Returns undefined where there may be more, else how the part ended. */
export function copyNextPart(t: Thread, help: HugeFileHelp): ContentResult | undefined {
  if (t.cancelled) return { result: -errno.ECANCELED, call: "read" };
  const from = t.shared.advanceCursor(help.cursor, help.chunkBytes);
  if (from >= help.sizeBytes) return { result: 0, call: "" };
  const to = Math.min(from + help.chunkBytes, help.sizeBytes);
  const outcome = copyPart(t, help, from, to);
  if (outcome.result >= 0 && outcome !== cutShort) return undefined;
  // The others need not go on.
  t.shared.advanceCursor(help.cursor, help.sizeBytes);
  return outcome;
}

/** One chunk in so many is copied the other way, to see which is faster here and now. */
const probeEvery = 32;

/** The other way has to be this much faster before it becomes the usual one. */
const clearlyFaster = 1.15;

function copyPart(t: Thread, help: HugeFileHelp, from: number, to: number): ContentResult {
  const fds = { source: help.sourceFd, target: help.targetFd };
  if (help.isSparse) return copyDataOf(t, fds, from, to);
  const isProbe = Math.floor(from / chunkBytes) % probeEvery === 1;
  const wantsRange = t.prefersRange !== isProbe && t.paths.copyRange;
  const started = performance.now();
  const outcome = wantsRange ? copyDense(t, fds, from, to) : copyBuffered(t, fds, from, to);
  const elapsedMs = performance.now() - started;
  const isRange = wantsRange && t.paths.copyRange;
  t.add(isRange ? counter.rangeBytes : counter.bufferedBytes, to - from);
  t.add(isRange ? counter.rangeMs : counter.bufferedMs, elapsedMs);
  if (isProbe) judge(t);
  return outcome;
}

function judge(t: Thread): void {
  const rate = (bytes: number, ms: number): number => {
    const time = t.count[ms] as number;
    return time > 0 ? (t.count[bytes] as number) / time : 0;
  };
  const range = rate(counter.rangeBytes, counter.rangeMs);
  const buffered = rate(counter.bufferedBytes, counter.bufferedMs);
  if (range === 0 || buffered === 0) return;
  if (t.prefersRange) t.prefersRange = buffered < range * clearlyFaster;
  else t.prefersRange = range > buffered * clearlyFaster;
}

/**
 * All parts are there: the file gets its attributes and its name, and its folder is told. Returns
 * "changed" where it has to be copied again.
 */
export function completeHugeFile(t: Thread, file: HugeFile): "copied" | "failed" | "changed" {
  closeHugeFile(t, file);
  const { begin, status, help } = file;
  if (help.isSparse && file.written.result === 0) t.add(counter.bySparse, 1);
  t.root = begin.node.root;
  t.setEntry(file.name);
  t.statFd(begin.sourceFd, t.source);
  const isChanged = (): boolean =>
    t.source.sizeBytes !== status.sizeBytes ||
    t.source.mtimeSec !== status.mtimeSec ||
    t.source.mtimeNsec !== status.mtimeNsec ||
    t.source.ctimeSec !== status.ctimeSec ||
    t.source.ctimeNsec !== status.ctimeNsec;
  const opened = {
    node: begin.node,
    source: begin.sourceFd,
    target: begin.targetFd,
    temporaryName: begin.temporaryName,
    options: begin.options,
  };
  const outcome = completeFile(t, opened, file.written, isChanged);
  sys.close(begin.sourceFd);
  return outcome;
}

/** Gives back what the parts needed. */
export function closeHugeFile(t: Thread, file: HugeFile): void {
  t.shared.releaseCursor(file.help.cursor);
}

/**
 * Ends a huge file that others helped with, and tells its folder. One that changed meanwhile is
 * copied again, by this thread alone.
 */
export function settleHugeFile(t: Thread, file: HugeFile): void {
  const { node, options } = file.begin;
  if (completeHugeFile(t, file) === "changed") copyFile(t, node, options);
  childDone(t, node);
}
