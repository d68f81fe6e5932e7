import { errno } from "../../../ffi/errno.ts";
import { frameType, PART_BYTES_MAX, PARTS_MAX } from "../wire/frame.ts";
import type { OpenFolder } from "./open-folder.ts";
import type { PartBoard, TakenPart } from "./part-board.ts";
import { sendPromised } from "./send-content.ts";
import type { Sender } from "./sender.ts";
import { StreamBroken } from "./stream-broken.ts";

/** Below this a file has gone before another stream is awake. */
const splitBytesMin = 16 * 1024 * 1024;
/** Of such a file: the last parts end at about the same time. */
const smallPartBytes = 4 * 1024 * 1024;
const partBytes = 8 * 1024 * 1024;
const smallSplitBytes = 256 * 1024 * 1024;
/** FILE: index, mode, size, sequence, bytes of a part. */
const splitHeadBytes = 24;
/** DATA: offset, length; PART: sequence, zeros, offset. */
const contentHeadBytes = 16;
/** So often an owner that waits for others reads what comes, and shows life. */
const waitMs = 20;

/** The mode of a FILE frame whose content comes in parts, over any stream. */
export const splitMode = 3;

/** Whether a dense file of this size goes over several streams. */
export function splits(s: Sender, sizeBytes: number): boolean {
  const { board, zstd } = s;
  if (board === undefined || board.streams < 2 || zstd !== undefined) return false;
  return sizeBytes >= splitBytesMin && sizeBytes <= PARTS_MAX * PART_BYTES_MAX;
}

function partBytesOf(sizeBytes: number): number {
  let bytes = sizeBytes < smallSplitBytes ? smallPartBytes : partBytes;
  while (sizeBytes / bytes > PARTS_MAX) bytes *= 2;
  return bytes;
}

/**
 * Sends a dense file together with the streams that have nothing else to do. Returns 0, `cut` or
 * -errno of the file.
 */
export function sendSplit(
  s: Sender,
  board: PartBoard,
  file: {
    readonly folder: OpenFolder;
    readonly index: number;
    readonly fd: number;
    readonly sizeBytes: number;
  },
): number {
  const { folder, index, fd, sizeBytes } = file;
  const sequence = s.nextSequence();
  const partLength = partBytesOf(sizeBytes);
  s.must(s.frames.begin(splitHeadBytes));
  s.frames.u32(index);
  s.frames.u32(splitMode);
  s.frames.u64(sizeBytes);
  s.frames.u32(sequence);
  s.frames.u32(partLength);
  s.frames.end(frameType.file, 0, folder.id);
  // The target waits for what announces the file before it takes parts of it.
  s.flush();
  board.offer(s.stream, { fd, sequence, sizeBytes, partBytes: partLength });
  try {
    s.queue.wake();
    for (;;) {
      const part = board.take(s.stream);
      if (part === undefined) break;
      const result = sendOwn(s, folder, fd, part);
      if (result !== 0) board.fail(s.stream, result);
    }
    awaitHelpers(s, board);
    return board.failure(s.stream);
  } finally {
    board.close(s.stream);
  }
}

/** A part of this stream's own file: a DATA frame. */
function sendOwn(s: Sender, folder: OpenFolder, fd: number, part: TakenPart): number {
  const { frames } = s;
  s.must(frames.begin(contentHeadBytes));
  frames.u64(part.offset);
  frames.u64(part.length);
  frames.end(frameType.data, 0, folder.id, part.length);
  const result = sendPromised(s, fd, part.offset, part.length);
  s.between();
  return result;
}

/**
 * Waits until the others have sent what they took. What the target says meanwhile is read: it waits
 * for this stream with what it says, and others may wait for the target.
 */
function awaitHelpers(s: Sender, board: PartBoard): void {
  while (!board.isSent(s.stream, waitMs)) {
    if (s.t.cancelled) throw new StreamBroken(-errno.ECANCELED, "send", `stream ${s.t.index}`);
    s.must(s.socket.takeIn());
    s.between();
  }
}

/** Sends a part of another stream's file, if there is one. Returns whether there was. */
export function helpOthers(s: Sender, board: PartBoard): boolean {
  const part = board.takeFor(s.stream);
  if (part === undefined) return false;
  const { frames } = s;
  let result: number = -errno.EPIPE;
  try {
    s.must(frames.begin(contentHeadBytes));
    frames.u32(part.sequence);
    frames.u32(0);
    frames.u64(part.offset);
    frames.end(frameType.part, 0, part.owner, part.length);
    result = sendPromised(s, part.fd, part.offset, part.length);
  } finally {
    board.giveBack(part, result);
  }
  s.between();
  return true;
}
