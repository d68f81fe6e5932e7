import { S, SEEK } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { preadFully } from "../engine/content.ts";
import { changedRetries } from "../engine/limits.ts";
import { counter } from "../engine/shared-state.ts";
import {
  FRAME_HEADER_BYTES,
  fileOutcome,
  frameFlag,
  frameType,
  STATUS_BYTES,
} from "../wire/frame.ts";
import { isAsSent, type OpenFolder } from "./open-folder.ts";
import { cut, sendPromised } from "./send-content.ts";
import { sendSplit, splits } from "./send-split.ts";
import type { Sender } from "./sender.ts";
import {
  isSameStatus,
  openEntry,
  reportChanged,
  reportUnread,
  type SmallPack,
} from "./small-pack.ts";

/** Content of one DATA frame; the other streams' hunger and progress are looked at in between. */
const pieceBytes = 8 * 1024 * 1024;
/** The same where it is compressed: the target unpacks it in memory. */
const packedPieceBytes = 1024 * 1024;
/** Offset and length of a DATA frame. */
const dataHeadBytes = 16;
/** Index, mode, size. */
const fileHeadBytes = 16;

export const fileMode = { whole: 0, sparse: 1, delta: 2 } as const;

/** Sends a file by itself: as it lies in the page cache, or without its holes. */
export function sendLarge(s: Sender, pack: SmallPack, folder: OpenFolder, index: number): void {
  const fd = openEntry(s, folder, index);
  if (fd < 0) {
    pack.addOutcome(index, reportUnread(s, folder, index, fd, "openat"));
    return;
  }
  try {
    pack.close();
    sendAttempts(s, folder, index, fd, 1);
  } finally {
    sys.close(fd);
  }
}

/** Sends an open file until it has held still for once; an attempt takes the place of the last. */
export function sendAttempts(
  s: Sender,
  folder: OpenFolder,
  index: number,
  fd: number,
  firstAttempt: number,
): void {
  const { t } = s;
  let outcome: number = fileOutcome.failed;
  for (let attempt = firstAttempt; attempt <= changedRetries; attempt++) {
    const doneBefore = t.count[counter.bytesDone] as number;
    const inParts = attempt === 1 ? sendInParts(s, folder, index, fd) : undefined;
    const result = inParts ?? sendOnce(s, folder, index, fd);
    if (result < 0 && result !== cut) {
      outcome = reportUnread(s, folder, index, result, "read");
      break;
    }
    if (result === 0 && t.statFd(fd, t.other) === 0 && isSameStatus(s)) {
      outcome = isAsSent(folder, index, t.sourceWords) ? fileOutcome.same : fileOutcome.restated;
      break;
    }
    if (attempt === changedRetries) outcome = reportChanged(s, folder, index);
    else {
      const helped = inParts === undefined ? 0 : (s.board?.helpedBytes(s.stream) ?? 0);
      t.count[counter.bytesDone] = doneBefore - helped;
    }
  }
  endFile(s, folder, outcome, index);
}

/** The same over several streams; undefined: it is nothing for these. */
function sendInParts(s: Sender, folder: OpenFolder, index: number, fd: number): number | undefined {
  const { board, t } = s;
  const { sizeBytes, blocks, mode } = t.statFd(fd, t.source) === 0 ? t.source : notThere;
  const isDense = (mode & S.IFMT) === S.IFREG && blocks * 512 >= sizeBytes;
  if (board === undefined || !isDense || !splits(s, sizeBytes)) return undefined;
  return sendSplit(s, board, { folder, index, fd, sizeBytes });
}

const notThere = { sizeBytes: 0, blocks: 0, mode: 0 };

/** Sends head and content. Status is in t.source. Returns 0, `cut` or -errno of the file. */
function sendOnce(s: Sender, folder: OpenFolder, index: number, fd: number): number {
  const { t } = s;
  const looked = t.statFd(fd, t.source);
  const isFile = looked === 0 && (t.source.mode & S.IFMT) === S.IFREG;
  const { sizeBytes, blocks } = t.source;
  const isSparse = isFile && blocks * 512 < sizeBytes;
  const mode = isSparse ? fileMode.sparse : fileMode.whole;
  sendHead(s, folder, index, mode, isFile ? sizeBytes : 0);
  if (!isFile) return looked < 0 ? looked : -errno.EINVAL;
  return isSparse ? sendData(s, folder, fd, sizeBytes) : sendRange(s, folder, fd, 0, sizeBytes);
}

/** Sends what is data of a file (lseek(2)); what is left out are its holes. */
function sendData(s: Sender, folder: OpenFolder, fd: number, sizeBytes: number): number {
  let offset = 0;
  while (offset < sizeBytes) {
    const data = sys.lseek(fd, offset, SEEK.DATA);
    if (data === -errno.ENXIO) break; // Only a hole is left.
    if (data === -errno.EINVAL) return sendRange(s, folder, fd, offset, sizeBytes);
    if (data < 0) return data;
    const hole = sys.lseek(fd, data, SEEK.HOLE);
    if (hole < 0) return hole;
    const end = Math.min(hole, sizeBytes);
    if (data >= end) break;
    s.t.add(counter.bytesDone, data - offset);
    const result = sendRange(s, folder, fd, data, end);
    if (result !== 0) return result;
    offset = end;
  }
  s.t.add(counter.bytesDone, sizeBytes - offset);
  return 0;
}

/** Sends bytes `from` to `to` of a file. */
function sendRange(s: Sender, folder: OpenFolder, fd: number, from: number, to: number): number {
  let offset = from;
  while (offset < to) {
    const length = Math.min(pieceBytes, to - offset);
    const { zstd } = s;
    if (zstd !== undefined && !zstd.skips(length)) {
      const result = sendPacked(s, folder, fd, offset, offset + length);
      if (result !== 0) return result;
      offset += length;
      continue;
    }
    dataHead(s, folder, offset, length);
    const result = sendPromised(s, fd, offset, length);
    if (result !== 0) return result;
    offset += length;
    s.between();
  }
  return 0;
}

/** The same by way of memory, compressed where that pays. */
function sendPacked(s: Sender, folder: OpenFolder, fd: number, from: number, to: number): number {
  const { pointer, bytes } = s.deltaBuffer.atLeast(packedPieceBytes);
  let offset = from;
  while (offset < to) {
    const length = Math.min(packedPieceBytes, to - offset);
    const got = preadFully(fd, pointer, length, offset);
    if (got < 0) return got;
    if (got < length) return cut;
    sendPiece(s, folder, offset, bytes.subarray(0, length));
    s.t.add(counter.bytesDone, length);
    offset += length;
    s.between();
  }
  return 0;
}

/** A DATA frame of bytes that are in memory. */
export function sendPiece(
  s: Sender,
  folder: OpenFolder,
  offset: number,
  content: Uint8Array,
): void {
  const { frames } = s;
  const packed = s.zstd?.pack(content);
  const bytes = packed ?? content;
  s.must(frames.begin(dataHeadBytes + bytes.length));
  frames.u64(offset);
  frames.u64(content.length);
  frames.copy(bytes, 0, bytes.length);
  frames.end(frameType.data, packed === undefined ? 0 : frameFlag.zstd, folder.id);
  s.flushIfMuch();
}

/** Begins a DATA frame whose content follows by another way. */
export function dataHead(s: Sender, folder: OpenFolder, offset: number, length: number): void {
  const { frames } = s;
  s.must(frames.begin(dataHeadBytes));
  frames.u64(offset);
  frames.u64(length);
  frames.end(frameType.data, 0, folder.id, length);
}

/** Begins a file. One that is begun again while it is open starts from nothing. */
export function sendHead(
  s: Sender,
  folder: OpenFolder,
  index: number,
  mode: number,
  sizeBytes: number,
): void {
  const { frames } = s;
  s.must(frames.begin(fileHeadBytes));
  frames.u32(index);
  frames.u32(mode);
  frames.u64(sizeBytes);
  frames.end(frameType.file, 0, folder.id);
}

/**
 * Ends a file.
 * @param hash of a delta: the keyed hash of its whole content
 */
export function endFile(
  s: Sender,
  folder: OpenFolder,
  outcome: number,
  index: number,
  hash?: Uint8Array,
): void {
  const { frames, t } = s;
  s.must(frames.begin(8 + STATUS_BYTES + 16 + FRAME_HEADER_BYTES));
  frames.u32(index);
  frames.u32(outcome);
  if (outcome === fileOutcome.restated) frames.status(t.sourceWords);
  if (hash !== undefined) frames.copy(hash, 0, hash.length);
  frames.end(frameType.fileEnd, 0, folder.id);
  t.add(counter.itemsDone, 1);
}
