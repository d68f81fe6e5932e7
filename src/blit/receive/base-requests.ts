import { O } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { deltaBytesMin, parseRequest, requestFlag } from "../delta/delta-request.ts";
import { preadFully } from "../engine/content.ts";
import type { FolderNode } from "../engine/folder-node.ts";
import { largeFileBytes, settledSeconds } from "../engine/limits.ts";
import { partialName } from "../engine/staging.ts";
import type { Thread } from "../engine/thread.ts";
import { openPart } from "./large-file.ts";
import type { DeltaBase, ReceivedFolder, SettledBase } from "./received-folder.ts";
import type { Receiver } from "./receiver.ts";

/** What a source is told of the content that the target has. */
export type BaseRequest = DeltaBase & {
  readonly request: Uint8Array;
  /** The base is what an interrupted run left, not the file itself. */
  readonly isPart: boolean;
};

const readFlags = O.RDONLY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;

/** Of one folder, so that what is kept of many files stays small. */
const settledMax = 8;

/** Keeps what has to be known of a base when the answer comes. */
export function keepBase(folder: ReceivedFolder, index: number, base: BaseRequest): void {
  const { blockBytesLog2, coveredBytes } = base;
  const settled = folder.bases.size < settledMax ? base.settled : undefined;
  folder.bases.set(index, { blockBytesLog2, coveredBytes, settled });
}

/** Whether a base still is what was hashed; `fd` is open on it. */
export function isStillSettled(t: Thread, fd: number, base: SettledBase): boolean {
  const { other } = t;
  return (
    t.statFd(fd, other) === 0 &&
    other.sizeBytes === base.sizeBytes &&
    other.ctimeSec === base.ctimeSec &&
    other.ctimeNsec === base.ctimeNsec
  );
}

/** Hashes what the target has of files, where that may save the sending of it. */
export class BaseRequests {
  readonly #r: Receiver;
  readonly #t: Thread;

  constructor(receiver: Receiver) {
    this.#r = receiver;
    this.#t = receiver.t;
  }

  /** The entry at hand is to be sent: what there is of it, if it is worth it. */
  forContent(
    node: FolderNode,
    targetName: string | undefined,
    replaces: boolean,
  ): BaseRequest | undefined {
    const t = this.#t;
    const { sizeBytes } = t.source;
    if (sizeBytes < deltaBytesMin || this.#r.avoidsDelta) return undefined;
    if (sizeBytes > largeFileBytes) {
      const fd = openPart(t, node, partialName(t.entryName()));
      const part = fd < 0 ? undefined : this.#request(fd, t.other.sizeBytes, true);
      if (fd >= 0) sys.close(fd);
      if (part !== undefined) return part;
    }
    if (!replaces) return undefined;
    const { sizeBytes: baseBytes } = t.target;
    const question = { sourceBytes: sizeBytes, baseBytes, isResume: false };
    const { linkBytesPerSecond } = this.#r;
    if (!this.#r.judge.wantsDelta({ ...question, linkBytesPerSecond })) return undefined;
    return this.#opened(node, targetName, baseBytes);
  }

  /** Both sides have a file of one size: whether it is the same. undefined: it cannot be read. */
  forComparison(node: FolderNode, targetName: string | undefined): BaseRequest | undefined {
    const t = this.#t;
    const { sizeBytes } = t.target;
    if (sizeBytes >= deltaBytesMin) return this.#opened(node, targetName, sizeBytes);
    const fd = this.#open(node, targetName);
    if (fd < 0) return undefined;
    const got = preadFully(fd, t.copy.pointer, sizeBytes, 0);
    sys.close(fd);
    if (got !== sizeBytes) return undefined;
    const request = this.#r.hasher.smallRequest(t.copy.bytes.subarray(0, got));
    return described(request, false);
  }

  #open(node: FolderNode, targetName: string | undefined): number {
    const t = this.#t;
    const pointer = targetName === undefined ? t.entryPointer : t.cTargetName(targetName);
    return t.openToRead(node.targetFd, pointer, readFlags);
  }

  #opened(
    node: FolderNode,
    targetName: string | undefined,
    baseBytes: number,
  ): BaseRequest | undefined {
    const fd = this.#open(node, targetName);
    if (fd < 0) return undefined;
    const t = this.#t;
    const looked = t.statFd(fd, t.other);
    const { sizeBytes, ctimeSec, ctimeNsec } = t.other;
    const base = this.#request(fd, baseBytes, false);
    sys.close(fd);
    const isSettled = looked === 0 && ctimeSec < t.options.startedAtSec - settledSeconds;
    if (base === undefined || !isSettled) return base;
    return { ...base, settled: { request: base.request, sizeBytes, ctimeSec, ctimeNsec } };
  }

  #request(fd: number, baseBytes: number, isPart: boolean): BaseRequest | undefined {
    if (baseBytes === 0) return undefined;
    const r = this.#r;
    // What is written over as it is read can be found at its own place only.
    const anchors = isPart ? 0 : requestFlag.anchors;
    // Without the mark for reuse the hashes say no more than whether the content is equal.
    const flags = r.avoidsDelta ? 0 : requestFlag.reuse | anchors;
    const between = (): number => r.between();
    const request = r.hasher.request(fd, baseBytes, { flags, between });
    return typeof request === "number" ? undefined : described(request, isPart);
  }
}

function described(request: Uint8Array, isPart: boolean): BaseRequest | undefined {
  const parsed = parseRequest(request);
  if (parsed === undefined) return undefined;
  const { coveredBytes, blockBytes } = parsed;
  return { request, isPart, coveredBytes, blockBytesLog2: Math.log2(blockBytes) };
}
