import { FALLOC, O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import {
  type ContentResult,
  copyBuffered,
  copyDense,
  cutShort,
  preadFully,
  pwriteFully,
} from "./content.ts";
import { completeFile, type HugeFileBegin } from "./copy-file.ts";
import { blockBytes, chunkBytes } from "./limits.ts";
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
  const { sizeBytes, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec } = t.source;
  // Space is taken first: the extents are long then, and a full disk is known at once.
  sys.fallocate(begin.targetFd, FALLOC.KEEP_SIZE, 0, sizeBytes);
  const id = nextFileId++;
  let strategy = t.options.hugeFileStrategy;
  let directFd = -1;
  if (strategy === "direct") {
    directFd = openDirect(t, begin);
    if (directFd < 0) strategy = "buffered";
  }
  const help: HugeFileHelp = {
    thread: t.index,
    fileId: id,
    sourceFd: begin.sourceFd,
    targetFd: begin.targetFd,
    directFd,
    sizeBytes,
    cursor,
    strategy,
  };
  const status = { sizeBytes, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec };
  const written = { result: 0, call: "" };
  return { id, begin, name: t.entryName(), help, status, helpers: 0, written };
}

/** A second descriptor of the temporary file, for writes that bypass the page cache. */
function openDirect(t: Thread, begin: HugeFileBegin): number {
  const name = t.cTemporary(begin.temporaryName);
  return sys.openat(begin.node.targetFd, name, O.WRONLY | O.DIRECT | O.NOFOLLOW | O.CLOEXEC, 0);
}

/**
 * Copies chunks until the cursor is past the end. `between` runs after each: the place to give
 * parts away.
 */
export function copyParts(t: Thread, help: HugeFileHelp, between: () => void): ContentResult {
  for (;;) {
    if (t.cancelled) return { result: -errno.ECANCELED, call: "read" };
    const from = t.shared.advanceCursor(help.cursor, chunkBytes);
    if (from >= help.sizeBytes) return { result: 0, call: "" };
    const to = Math.min(from + chunkBytes, help.sizeBytes);
    const outcome = copyPart(t, help, from, to);
    if (outcome.result < 0 || outcome === cutShort) {
      // The others need not go on.
      t.shared.advanceCursor(help.cursor, help.sizeBytes);
      return outcome;
    }
    between();
  }
}

function copyPart(t: Thread, help: HugeFileHelp, from: number, to: number): ContentResult {
  const fds = { source: help.sourceFd, target: help.targetFd };
  if (help.strategy === "direct") return copyDirect(t, help, from, to);
  if (help.strategy === "buffered") return copyBuffered(t, fds, from, to);
  return copyDense(t, fds, from, to);
}

/** O_DIRECT wants offsets, lengths and memory in multiples of the block size (open(2)). */
const directAlignment = 4096;

function copyDirect(t: Thread, help: HugeFileHelp, from: number, to: number): ContentResult {
  const pointer = t.direct.pointer;
  let offset = from;
  while (offset < to) {
    if (t.cancelled) return { result: -errno.ECANCELED, call: "pread" };
    const want = Math.min(directBlockBytes, to - offset);
    const got = preadFully(help.sourceFd, pointer, want, offset);
    if (got < 0) return { result: got, call: "pread" };
    if (got < want) return cutShort;
    const isAligned = got % directAlignment === 0;
    let result = isAligned ? pwriteFully(help.directFd, pointer, got, offset) : -errno.EINVAL;
    if (result === -errno.EINVAL) result = pwriteFully(help.targetFd, pointer, got, offset);
    if (result < 0) return { result, call: "pwrite" };
    t.add(counter.bytesDone, got);
    offset += got;
  }
  t.add(counter.byDirect, 1);
  return { result: 0, call: "" };
}

/** One direct write: large enough that the device is busy while the next block is read. */
export const directBlockBytes = 4 * blockBytes;

/**
 * All parts are there: the file gets its attributes and its name, and its folder is told. Returns
 * "changed" where it has to be copied again.
 */
export function completeHugeFile(t: Thread, file: HugeFile): "copied" | "failed" | "changed" {
  closeHugeFile(t, file);
  const { begin, status } = file;
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
  if (file.help.directFd >= 0) sys.close(file.help.directFd);
  t.shared.releaseCursor(file.help.cursor);
}

/** Ends a huge file that others helped with, and tells its folder. */
export function settleHugeFile(t: Thread, file: HugeFile): void {
  const outcome = completeHugeFile(t, file);
  if (outcome === "changed") {
    const path = file.begin.node.pathOf(file.name);
    const message = "it changed while it was copied";
    t.report({ kind: "failed", path, code: "E_CHANGED", call: undefined, message });
  }
  childDone(t, file.begin.node);
}
