import { type Pointer, toArrayBuffer } from "bun:ffi";
import { FCNTL, O } from "../../../ffi/abi/constants.ts";
import { MSG, POLL, SOCKET_OPTION } from "../../../ffi/abi/socket.ts";
import { errno } from "../../../ffi/errno.ts";
import { type GrowingMemory, type Memory, takeMemory } from "../../../ffi/mem.ts";
import { check, sys } from "../../../ffi/sys.ts";
import { pwriteFully } from "../engine/content.ts";
import type { StreamSeat } from "../session/types.ts";
import { FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX } from "./frame.ts";
import { isKernelEncrypted } from "./ktls.ts";
import { Pace } from "./pace.ts";
import { allows, SocketWait } from "./socket-wait.ts";
import { SplicePipe } from "./splice-pipe.ts";
import { callsOf, type StreamCalls } from "./stream-calls.ts";
import { RECORD_BYTES_MAX, RECORD_EXTRA_BYTES, RecordSealer } from "./stream-cipher.ts";
import { StreamInput } from "./stream-input.ts";

/** Out of so much that is committed a send is made at the next `reserve`. */
const sendBytes = 256 * 1024;

/** Room for a whole frame beyond that. */
const outBytes = FRAME_PAYLOAD_BYTES_MAX + sendBytes + 4096;

/** One call of sendfile(2): so often a cancelled run is noticed. */
const sendfileBytes = 8 * 1024 * 1024;

/** Below this a splice costs more than it saves. */
const spliceBytesMin = 64 * 1024;

const blockBytes = RECORD_BYTES_MAX;
const sealedBlocks = 4;

/** How a part of a file was sent. `result` is 0 or -errno of that side. */
export type FileSent = {
  readonly sent: number;
  readonly result: number;
  readonly side: "file" | "socket";
};

/** How a part of a file was received; `received` bytes are off the stream, whatever was written. */
export type FileReceived = {
  readonly received: number;
  readonly result: number;
  readonly side: "file" | "socket";
};

export type DataSocketOptions = {
  /** Asked in every wait and between large pieces. */
  isCancelled(): boolean;
  /** Of this stream; 0 or undefined: as fast as it goes. */
  readonly bytesPerSecond?: number | undefined;
  /** Of `sharedPace`: streams that keep to the rate together. */
  readonly pace?: SharedArrayBuffer | undefined;
};

/**
 * A stream of frames for a thread that may block: sends by sendfile(2), receives by splice(2), and
 * encrypts where the seat has keys. While it cannot write it takes in what comes, so two ends that
 * both write do not wait for each other; what has come keeps its place in `input` until `consume`,
 * `need`, `discard` or `receiveToFile` is called.
 *
 * Calls return -errno: -ECANCELED, -ETIMEDOUT (a stall, `lastWait` says in which direction),
 * -ECONNRESET (the peer has closed), -EBADMSG (forged bytes) and those of the calls. A failure of
 * the socket is final: `failure` keeps it, and every later call answers with it.
 */
export class DataSocket {
  /** What is put together for sending: `outPosition` bytes of it are committed. */
  readonly out = takeMemory(outBytes);
  outPosition = 0;
  /** Which direction the last wait was for. */
  lastWait: "send" | "receive" = "receive";
  /** Bytes of the stream that went out; with records not counted. */
  bytesSent = 0;
  /** 0, or the -errno that ended the stream. */
  failure = 0;
  readonly #fd: number;
  readonly #calls: StreamCalls;
  readonly #input: StreamInput;
  readonly #wait: SocketWait;
  readonly #pace: Pace | undefined;
  readonly #pipe = new SplicePipe();
  readonly #offset = takeMemory(4096);
  readonly #offsetValue: BigInt64Array;
  readonly #sealer: RecordSealer | undefined;
  /** Records on their way out, and the part of a file that goes into them. */
  readonly #sealed: Memory | undefined;
  #block: Memory | undefined;
  #canSendfile: boolean;
  #canSplice: boolean;
  #isClosed = false;

  /** @throws SystemError where the descriptor is none of a socket */
  constructor(seat: StreamSeat, options: DataSocketOptions) {
    const { fd, keys } = seat;
    const calls = callsOf(seat.transport);
    const flags = check(calls.fcntl(fd, FCNTL.GETFL, 0), "fcntl");
    check(calls.fcntl(fd, FCNTL.SETFL, flags | O.NONBLOCK), "fcntl");
    this.#fd = fd;
    this.#calls = calls;
    if (seat.transport === undefined) this.#sendAtOnce();
    this.#offsetValue = new BigInt64Array(this.#offset.buffer, 0, 1);
    this.#input = new StreamInput(fd, keys, calls);
    const isCancelled = (): boolean => options.isCancelled();
    this.#wait = new SocketWait(fd, { isCancelled, stallMs: seat.stallMs, calls });
    const { bytesPerSecond = 0, pace } = options;
    this.#pace = bytesPerSecond > 0 ? new Pace(bytesPerSecond, pace) : undefined;
    // Its records are 16 KiB: a splice for each costs more than reading many at once.
    const isInKernel = seat.transport === undefined;
    this.#canSendfile = isInKernel;
    this.#canSplice = isInKernel && keys === undefined && !isKernelEncrypted(fd);
    if (keys === undefined) return;
    this.#sealer = new RecordSealer(keys.sendKey, keys.sendIv);
    this.#sealed = takeMemory(sealedBlocks * (RECORD_BYTES_MAX + RECORD_EXTRA_BYTES));
  }

  /** Its views are to be taken anew after each `need`. */
  get input(): GrowingMemory {
    return this.#input.memory;
  }
  /** Where the first byte that is not consumed lies in `input`. */
  get inputOffset(): number {
    return this.#input.offset;
  }
  /** How many bytes are there without any call. */
  get inputAvailable(): number {
    return this.#input.available;
  }
  get bytesReceived(): number {
    return this.#input.received;
  }

  /** No waiting for more to send: what is flushed is meant to go. A local socket knows no such. */
  #sendAtOnce(): void {
    const { IPPROTO_TCP, TCP_NODELAY } = SOCKET_OPTION;
    new Int32Array(this.#offset.buffer, 0, 1)[0] = 1;
    sys.setsockopt(this.#fd, IPPROTO_TCP, TCP_NODELAY, this.#offset.pointer, 4);
  }

  #fail(result: number): number {
    if (this.failure === 0) this.failure = result;
    return this.failure;
  }

  /**
   * Makes room for `bytes` (at most a whole frame) at `outPosition` of `out`, by sending what is
   * committed if it has become much. Returns 0 or -errno.
   */
  reserve(bytes: number): number {
    if (bytes > outBytes) return -errno.EINVAL;
    const isFull = this.outPosition >= sendBytes || outBytes - this.outPosition < bytes;
    return isFull ? this.flush() : this.failure;
  }

  /** The next `bytes` of `out` are to be sent. */
  commit(bytes: number): void {
    this.outPosition += bytes;
  }

  /** Sends all that is committed. Returns 0 or -errno. */
  flush(): number {
    return this.#flush(0);
  }

  #flush(more: number): number {
    const length = this.outPosition;
    if (length === 0) return this.failure;
    this.outPosition = 0;
    if (this.#sealer === undefined) return this.#sendPlain(this.out.pointer, length, more);
    return this.#sendSealed(this.out.bytes, 0, length);
  }

  /** Sends memory outside of JavaScript's heap, behind what is committed. Returns 0 or -errno. */
  sendMemory(pointer: number, length: number): number {
    const flushed = this.#flush(length > 0 ? MSG.MORE : 0);
    if (flushed < 0 || length === 0) return flushed;
    if (this.#sealer === undefined) return this.#sendPlain(pointer, length, 0);
    const bytes = new Uint8Array(toArrayBuffer(pointer as Pointer, 0, length));
    return this.#sendSealed(bytes, 0, length);
  }

  /** Sends so many zero bytes: for a file that was cut after its length was promised. */
  sendZeros(length: number): number {
    let rest = length;
    while (rest > 0) {
      const part = Math.min(rest, sendBytes);
      const room = this.reserve(part);
      if (room < 0) return room;
      this.out.bytes.fill(0, this.outPosition, this.outPosition + part);
      this.commit(part);
      rest -= part;
    }
    return this.failure;
  }

  /** Sends all of a piece of memory as it is. */
  #sendPlain(pointer: number, length: number, more: number): number {
    if (this.failure < 0) return this.failure;
    let done = 0;
    while (done < length) {
      const allowed = this.#allowed(length - done);
      if (allowed < 0) return this.#fail(allowed);
      const flags = MSG.NOSIGNAL | MSG.DONTWAIT | more;
      const sent = this.#calls.send(this.#fd, pointer + done, allowed, flags);
      if (sent > 0) {
        done += sent;
        this.#sent(sent);
      } else {
        const waited = sent === -errno.EAGAIN ? this.#waitToSend() : sent;
        if (waited < 0) return this.#fail(waited);
      }
    }
    return 0;
  }

  #sent(bytes: number): void {
    this.#wait.moved();
    this.#pace?.sent(bytes);
    if (this.#sealer === undefined) this.bytesSent += bytes;
  }

  /** Sends bytes `from` to `to` as records. */
  #sendSealed(bytes: Uint8Array, from: number, to: number): number {
    const sealer = this.#sealer as RecordSealer;
    const sealed = this.#sealed as Memory;
    let offset = from;
    while (offset < to) {
      let length = 0;
      for (let i = 0; i < sealedBlocks && offset < to; i++) {
        const end = Math.min(offset + RECORD_BYTES_MAX, to);
        length += sealer.seal(bytes.subarray(offset, end), sealed.bytes, length);
        this.bytesSent += end - offset;
        offset = end;
      }
      const result = this.#sendPlain(sealed.pointer, length, 0);
      if (result < 0) return result;
    }
    return 0;
  }

  /** How much may be sent now; waits where a rate is set. */
  #allowed(length: number): number {
    const pace = this.#pace;
    if (pace === undefined) return length;
    for (;;) {
      const waitMs = pace.waitMs(length);
      if (waitMs <= 0) return Math.min(length, pace.allowance);
      const ready = this.#wait.waitAtMost(this.#input.hasRoom ? POLL.IN : 0, waitMs);
      if (ready < 0) return ready;
      const taken = this.#takeIn(ready);
      if (taken < 0) return taken;
      // A broken connection cannot be waited for: the next send says what it has.
      if ((ready & (POLL.ERR | POLL.HUP)) !== 0) return Math.min(length, pace.allowance);
    }
  }

  /** While the peer takes nothing, what it says is taken in. Returns 0 or -errno. */
  #waitToSend(): number {
    this.lastWait = "send";
    for (;;) {
      const ready = this.#wait.wait(this.#input.hasRoom ? POLL.OUT | POLL.IN : POLL.OUT);
      if (ready < 0) return ready;
      const taken = this.#takeIn(ready);
      if (taken < 0) return taken;
      if (allows(ready, POLL.OUT)) return 0;
    }
  }

  /** Reads what is there, for whoever does not read otherwise for a while. Returns 0 or -errno. */
  takeIn(): number {
    return this.failure < 0 ? this.failure : this.#takeIn(POLL.IN);
  }

  #takeIn(events: number): number {
    if ((events & POLL.IN) === 0 || !this.#input.hasRoom) return 0;
    const got = this.#input.fill(0);
    if (got > 0) this.#wait.moved();
    // That the peer has closed is told by sending, or when what is missing is asked for.
    return got === -errno.EBADMSG ? got : 0;
  }

  /**
   * Sends `length` bytes of a file from `offset`, behind what is committed. Fewer bytes with
   * `result` 0 mean that the file has ended before. With `side` "file" the stream goes on: what
   * was promised has to be filled up by `sendZeros`.
   */
  sendFile(fd: number, offset: number, length: number): FileSent {
    const flushed = this.#flush(length > 0 ? MSG.MORE : 0);
    if (flushed < 0) return { sent: 0, result: flushed, side: "socket" };
    if (this.#sealer !== undefined || !this.#canSendfile) {
      return this.#sendFileByRead(fd, offset, length);
    }
    this.#offsetValue[0] = BigInt(offset);
    let sent = 0;
    while (sent < length) {
      const { cancelled } = this.#wait;
      const allowed = cancelled < 0 ? cancelled : this.#allowed(length - sent);
      if (allowed < 0) return { sent, result: this.#fail(allowed), side: "socket" };
      const part = Math.min(allowed, sendfileBytes);
      const moved = sys.sendfile(this.#fd, fd, this.#offset.pointer, part);
      if (moved > 0) {
        sent += moved;
        this.#sent(moved);
      } else if (moved === 0) {
        return { sent, result: 0, side: "file" };
      } else if (moved === -errno.EAGAIN) {
        const waited = this.#waitToSend();
        if (waited < 0) return { sent, result: this.#fail(waited), side: "socket" };
      } else {
        // Whether it was the file or the socket is told by doing it in two steps.
        if (moved === -errno.EINVAL || moved === -errno.ENOSYS) this.#canSendfile = false;
        const rest = this.#sendFileByRead(fd, offset + sent, length - sent);
        return { ...rest, sent: sent + rest.sent };
      }
    }
    return { sent, result: 0, side: "file" };
  }

  #sendFileByRead(fd: number, offset: number, length: number): FileSent {
    this.#block ??= takeMemory(sealedBlocks * blockBytes + 4096);
    const block = this.#block;
    let sent = 0;
    while (sent < length) {
      const { cancelled } = this.#wait;
      if (cancelled < 0) return { sent, result: this.#fail(cancelled), side: "socket" };
      const part = Math.min(length - sent, sealedBlocks * blockBytes);
      // As the file's pages are aligned, so is the memory: see stream-cipher.ts.
      const at = (offset + sent) % 64;
      const got = sys.pread(fd, block.pointer + at, part, offset + sent);
      if (got <= 0) return { sent, result: got, side: "file" };
      const result =
        this.#sealer === undefined
          ? this.#sendPlain(block.pointer + at, got, 0)
          : this.#sendSealed(block.bytes, at, at + got);
      if (result < 0) return { sent, result, side: "socket" };
      sent += got;
    }
    return { sent, result: 0, side: "file" };
  }

  /**
   * Waits until `bytes` lie in one piece at `inputOffset` of `input`. What is committed is sent
   * before it waits. Returns 0 or -errno.
   */
  need(bytes: number): number {
    return this.#input.available >= bytes ? 0 : this.#receive(bytes);
  }

  #receive(bytes: number): number {
    if (this.failure < 0) return this.failure;
    const input = this.#input;
    if (bytes > FRAME_PAYLOAD_BYTES_MAX + FRAME_HEADER_BYTES) return -errno.EINVAL;
    input.makeRoom(bytes);
    while (input.available < bytes) {
      const got = input.fill(bytes - input.available);
      const result = got === -errno.EAGAIN ? this.#waitToReceive() : got;
      if (result < 0) return this.#fail(result);
      if (got > 0) this.#wait.moved();
    }
    return 0;
  }

  #waitToReceive(): number {
    const flushed = this.flush();
    if (flushed < 0) return flushed;
    this.lastWait = "receive";
    const ready = this.#wait.wait(POLL.IN);
    return Math.min(ready, 0);
  }

  /** The first `bytes` at `inputOffset` are used up. */
  consume(bytes: number): void {
    this.#input.consume(bytes);
  }

  /** Whether a frame's header, or the end of the stream, is there without waiting. */
  hasInput(): boolean {
    const input = this.#input;
    if (input.available >= FRAME_HEADER_BYTES || this.failure < 0) return true;
    if (!input.hasRoom) return input.isEnded;
    if (input.fill(0) > 0) this.#wait.moved();
    return input.isEnded || input.available >= FRAME_HEADER_BYTES;
  }

  /**
   * Waits at most so long for something to come in. Returns whether there is anything to find out
   * by `need`: bytes, the end, an error, or that the run is cancelled.
   */
  waitInput(timeoutMs: number): boolean {
    const input = this.#input;
    if (input.available > 0 || this.flush() < 0 || input.isEnded) return true;
    // A record may have been left for want of room.
    if (input.fill(0) > 0) this.#wait.moved();
    if (input.available > 0 || input.isEnded) return true;
    return this.#wait.waitAtMost(POLL.IN, timeoutMs) !== 0;
  }

  /**
   * Writes the next `length` bytes of the stream at an offset of a file. With `side` "file" the
   * stream goes on: what is left of the promised bytes has to be discarded.
   */
  receiveToFile(fd: number, fileOffset: number, length: number): FileReceived {
    let received = 0;
    while (received < length) {
      const { cancelled } = this.#wait;
      if (cancelled < 0) return { received, result: this.#fail(cancelled), side: "socket" };
      const rest = length - received;
      const isSpliced = this.#canSplice && this.#input.available === 0 && rest >= spliceBytesMin;
      const moved = isSpliced
        ? this.#spliceStep(fd, fileOffset + received, rest)
        : this.#writeStep(fd, fileOffset + received, rest);
      received += moved.received;
      if (moved.result < 0) return { ...moved, received };
    }
    return { received, result: 0, side: "file" };
  }

  /** Writes what is there of the next `length` bytes, after waiting for some. */
  #writeStep(fd: number, fileOffset: number, length: number): FileReceived {
    const input = this.#input;
    const needed = this.need(Math.min(length, blockBytes));
    if (needed < 0) return { received: 0, result: needed, side: "socket" };
    const part = Math.min(length, input.available);
    const pointer = input.memory.pointer + input.offset;
    const result = pwriteFully(fd, pointer, part, fileOffset);
    input.consume(part);
    return { received: part, result, side: "file" };
  }

  #spliceStep(fd: number, fileOffset: number, length: number): FileReceived {
    const opened = this.#pipe.open();
    const taken = opened < 0 ? opened : this.#pipe.take(this.#fd, length);
    if (taken > 0) {
      this.#wait.moved();
      this.#input.received += taken;
      this.#input.expectContent();
      const result = this.#pipe.drain(fd, fileOffset, taken);
      return { received: taken, result, side: "file" };
    }
    if (taken === -errno.EAGAIN) {
      const result = this.#waitToReceive();
      return { received: 0, result: result < 0 ? this.#fail(result) : 0, side: "socket" };
    }
    // No pipe to be had, no splice with this socket, or the end: reading tells.
    this.#canSplice = false;
    return { received: 0, result: 0, side: "socket" };
  }

  /** Skips the next bytes of the stream. Returns 0 or -errno. */
  discard(length: number): number {
    let rest = length;
    for (;;) {
      const part = Math.min(rest, this.#input.available);
      this.consume(part);
      rest -= part;
      if (rest === 0) return 0;
      const { cancelled } = this.#wait;
      const result = cancelled < 0 ? this.#fail(cancelled) : this.need(Math.min(rest, blockBytes));
      if (result < 0) return result;
    }
  }

  /** Closes the seat's descriptor and gives the memory back. What is committed is not sent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#fail(-errno.ECANCELED);
    this.#calls.close(this.#fd);
    this.#pipe.close();
    this.#input.close();
    this.#wait.close();
    for (const memory of [this.out, this.#offset, this.#sealed, this.#block]) memory?.release();
  }
}
