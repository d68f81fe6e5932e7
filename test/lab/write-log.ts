import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { output } from "./cache.ts";

/**
 * What QEMU's blklogwrites has written down: all writes of a guest to a disk, and its flushes, in
 * the format of the kernel's dm-log-writes. With it the disk can be put back to what a power cut
 * may have left at any moment: everything before the last flush, and any part of what came later.
 */

/** A write or a flush. */
export interface LoggedWrite {
  readonly kind: "write" | "flush" | "discard";
  /** Write-through: on the disk when it has been answered, as by a flush. */
  readonly isDurable: boolean;
  /** Bytes from the begin of the disk. */
  readonly offset: number;
  readonly sizeBytes: number;
  /** Where its bytes are in the log. */
  readonly dataOffset: number;
}

const MAGIC = 0x6a736677736872n;
const FLAGS = { flush: 1, durable: 2, discard: 4 };

/**
 * The writes in a log, in order.
 *
 * @throws Error when the file is no such log
 */
export function readWriteLog(path: string): readonly LoggedWrite[] {
  const fd = openSync(path, "r");
  try {
    const head = Buffer.alloc(512);
    readSync(fd, head, 0, head.length, 0);
    if (head.readBigUInt64LE(0) !== MAGIC) throw new Error(`"${path}" is no log of writes`);
    const sector = head.readUInt32LE(24);
    const end = fstatSync(fd).size;
    const writes: LoggedWrite[] = [];
    // The number of entries in the head is written at the end only: a guest that is cut has none.
    for (let at = sector; at + sector <= end; ) {
      readSync(fd, head, 0, 32, at);
      const flags = Number(head.readBigUInt64LE(16));
      const sizeBytes = Number(head.readBigUInt64LE(8)) * sector;
      const offset = Number(head.readBigUInt64LE(0)) * sector;
      const isDiscard = (flags & FLAGS.discard) !== 0;
      if (sizeBytes === 0 && flags === 0) break;
      const kind = isDiscard ? "discard" : sizeBytes > 0 ? "write" : "flush";
      const isDurable = (flags & (FLAGS.durable | FLAGS.flush)) !== 0;
      writes.push({ kind, isDurable, offset, sizeBytes, dataOffset: at + sector });
      at += sector + (isDiscard ? 0 : sizeBytes);
    }
    return writes;
  } finally {
    closeSync(fd);
  }
}

/** Does some of the writes of a log once more, to a raw image. */
export function replayWrites(log: string, writes: readonly LoggedWrite[], image: string): void {
  const [from, to] = [openSync(log, "r"), openSync(image, "r+")];
  try {
    for (const { kind, offset, sizeBytes, dataOffset } of writes) {
      if (kind !== "write") continue;
      const bytes = Buffer.alloc(sizeBytes);
      readSync(from, bytes, 0, sizeBytes, dataOffset);
      writeSync(to, bytes, 0, sizeBytes, offset);
    }
  } finally {
    closeSync(from);
    closeSync(to);
  }
}

/** Disks as power cuts may have left them. */
export interface CutRequest {
  readonly log: string;
  readonly writes: readonly LoggedWrite[];
  /** A raw image as it was before the first of the writes; it is changed. */
  readonly image: string;
  /** Where the disk of each cut is put, one after the other. */
  readonly to: string;
  /** The cuts happen after this write and before the last one. */
  readonly from: number;
  readonly count: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** A disk after a power cut. */
export interface CutDisk {
  /** After which of the writes it happened. */
  readonly moment: number;
  /** Writes since the last flush that had not reached the disk. */
  readonly lost: number;
}

/**
 * Goes through random moments of a log: at each, the disk has all that was flushed, and of what
 * came later a part, as disks write in an order of their own.
 */
export function* cutDisks(request: CutRequest): Generator<CutDisk> {
  const { log, writes, image, to, random } = request;
  const span = writes.length - request.from;
  const moments = Array.from({ length: request.count }, () => Math.ceil(random() * span));
  let done = 0;
  for (const moment of moments.map((one) => request.from + one).sort((a, b) => a - b)) {
    const flushed = writes.slice(0, moment).findLastIndex(({ isDurable }) => isDurable) + 1;
    replayWrites(log, writes.slice(done, flushed), image);
    done = Math.max(done, flushed);
    output(["cp", "--sparse=always", "--reflink=auto", image, to]);
    const later = writes.slice(flushed, moment);
    const share = random();
    const lucky = later.filter(() => random() < share);
    replayWrites(log, lucky, to);
    yield { moment, lost: later.length - lucky.length };
  }
}
