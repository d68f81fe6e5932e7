import { sys } from "../../../ffi/sys.ts";
import { counter } from "../engine/shared-state.ts";
import { PART_BYTES_MAX, PART_BYTES_MIN, PARTS_MAX } from "../wire/frame.ts";
import { broken, readU64 } from "./check.ts";
import type { LargeFile } from "./large-file.ts";
import type { Receiver } from "./receiver.ts";

/** A file whose parts come over several streams: what each of them has to do for it. */

/** PART: sequence, zeros, offset. */
const partHeadBytes = 16;
/** So much goes straight into a file before the clock is looked at. */
const straightBytes = 4 * 1024 * 1024;
/** So often a stream that waits for another shows life. */
const waitMs = 100;

/** What a FILE frame says of the parts of a file. */
export type SplitInto = { readonly sequence: number; readonly partBytes: number };

/** The end of a FILE frame of mode 3. @throws Fault E_INTEGRITY */
export function readSplit(view: DataView, at: number, sizeBytes: number): SplitInto {
  const sequence = view.getInt32(at, true);
  const partBytes = view.getUint32(at + 4, true);
  const isInBounds = partBytes >= PART_BYTES_MIN && partBytes <= PART_BYTES_MAX;
  if (!isInBounds || (partBytes & (partBytes - 1)) !== 0) broken("parts of a wrong size");
  if (sequence < 1 || sizeBytes > partBytes * PARTS_MAX) broken("a file of too many parts");
  return { sequence, partBytes };
}

/** Lets the other streams find a file that was begun. */
export function announceSplit(r: Receiver, file: LargeFile, split: SplitInto): void {
  const { fd, sizeBytes, written } = file;
  const awaited = { ...split, fd: written.result < 0 ? -1 : fd, sizeBytes };
  if (!r.parts.announce(r.stream, awaited)) broken("a file in parts out of order");
}

/** A part of this stream's own file, of which `length` bytes are next. */
export function takeOwnPart(
  r: Receiver,
  file: LargeFile,
  sequence: number,
  piece: { readonly offset: number; readonly length: number },
): void {
  const { offset, length } = piece;
  const claim = r.parts.claimOwn(r.stream, sequence, offset, length);
  if (claim === "wrong" || claim === "early") broken("a part of a file that is none, or twice");
  if (claim === "void") {
    r.must(r.socket.discard(length));
    return;
  }
  const result = writePart(r, file.fd, offset, length);
  r.parts.settle(r.stream, sequence, result);
  if (result >= 0) return;
  file.written = { result, call: "write" };
  r.parts.close(r.stream);
}

/** A PART frame: of the file that another stream has announced. */
export function takePart(r: Receiver, owner: number, frameBytes: number): void {
  if (frameBytes <= partHeadBytes || owner === r.stream) broken("a part of a file that is none");
  r.must(r.socket.need(partHeadBytes));
  const { bytes } = r.socket.input;
  const view = new DataView(bytes.buffer, bytes.byteOffset + r.socket.inputOffset, partHeadBytes);
  const sequence = view.getInt32(0, true);
  const offset = readU64(view, 8);
  r.socket.consume(partHeadBytes);
  const length = frameBytes - partHeadBytes;
  const { claim, fd } = awaitClaim(r, { owner, sequence, offset, length });
  if (claim === "wrong") broken("a part of a file that is none, or twice");
  if (claim === "void" || fd < 0) {
    r.must(r.socket.discard(length));
    if (claim !== "void") r.parts.settle(owner, sequence, fd);
    return;
  }
  let result = -1;
  try {
    result = writePart(r, fd, offset, length);
  } finally {
    sys.close(fd);
  }
  r.parts.settle(owner, sequence, result);
  r.t.add(counter.bytesDone, length);
  r.failIfCancelled();
}

/** The stream that announces the file may be behind this one. */
function awaitClaim(
  r: Receiver,
  part: {
    readonly owner: number;
    readonly sequence: number;
    readonly offset: number;
    readonly length: number;
  },
): ReturnType<Receiver["parts"]["claim"]> {
  const { parts } = r;
  for (;;) {
    const { changes } = parts;
    const isAlone = parts.running <= 1;
    const claimed = parts.claim(part.owner, part.sequence, part.offset, part.length);
    if (claimed.claim !== "early") return claimed;
    // Whoever could announce it has come to its end.
    if (isAlone) broken("a part of a file that nobody has begun");
    parts.wait(changes, waitMs);
    if (r.between() < 0) r.failIfCancelled();
  }
}

/**
 * Puts the next bytes of the stream in their place. Returns 0 or -errno of the file: the bytes are
 * off the stream then, too.
 */
function writePart(r: Receiver, fd: number, offset: number, length: number): number {
  for (let done = 0; done < length; ) {
    const want = Math.min(length - done, straightBytes);
    const { received, result, side } = r.socket.receiveToFile(fd, offset + done, want);
    done += received;
    if (result < 0) {
      if (side === "socket") r.must(result);
      r.must(r.socket.discard(length - done));
      return result;
    }
    if (r.between() < 0) r.failIfCancelled();
  }
  return 0;
}

/**
 * Waits until the parts that others bring are written: what they have sent lies before the end of
 * the file in time.
 */
export function awaitParts(r: Receiver, file: LargeFile): void {
  const { parts } = r;
  for (;;) {
    const { changes } = parts;
    const isAlone = parts.running <= 1;
    const state = parts.state(r.stream);
    if (typeof state === "number") file.written = { result: state, call: "write" };
    if (state !== "open") return;
    if (isAlone) broken("a file that is cut off");
    parts.wait(changes, waitMs);
    if (r.between() < 0) r.failIfCancelled();
  }
}
