import type { DataSocket } from "../wire/data-socket.ts";
import { FRAME_HEADER_BYTES, STATUS_BYTES } from "../wire/frame.ts";

/** Of an entry: name length, bits, length of what follows the name. */
export const entryHeadBytes = 8;

/**
 * Writes one frame after the other straight into a stream's output memory. A frame is begun with
 * room for what may come, grows, and gets its length when it ends.
 */
export class FrameWriter {
  readonly #socket: DataSocket;
  readonly #view: DataView;
  readonly bytes: Uint8Array;
  /** Where the frame at hand begins in the output memory. */
  #start = 0;
  /** Where its next byte goes. */
  position = 0;
  /** End of the room that it has. */
  #end = 0;
  /** When something was last sent, milliseconds of performance.now(). */
  lastFrameMs = 0;

  constructor(socket: DataSocket) {
    this.#socket = socket;
    this.#view = new DataView(socket.out.buffer);
    this.bytes = socket.out.bytes;
  }

  /** Begins a frame of at most `room` bytes of payload. Returns 0 or -errno. */
  begin(room: number): number {
    const result = this.#socket.reserve(FRAME_HEADER_BYTES + room);
    if (result < 0) return result;
    this.#start = this.#socket.outPosition;
    this.position = this.#start + FRAME_HEADER_BYTES;
    this.#end = this.position + room;
    return 0;
  }

  /** Bytes of room that are left. */
  get room(): number {
    return this.#end - this.position;
  }

  /** Bytes of payload so far. */
  get length(): number {
    return this.position - this.#start - FRAME_HEADER_BYTES;
  }

  /** Address of the next byte. */
  get pointer(): number {
    return this.#socket.out.pointer + this.position;
  }

  /**
   * Ends the frame.
   * @param following bytes of payload that are sent behind what is here, by other ways
   */
  end(type: number, flags: number, id: number, following = 0): void {
    const { length } = this;
    this.header(type, flags, id, length + following);
    this.#socket.commit(FRAME_HEADER_BYTES + length);
    this.#end = this.position;
    this.lastFrameMs = performance.now();
  }

  header(type: number, flags: number, id: number, length: number): void {
    const view = this.#view;
    const at = this.#start;
    view.setUint32(at, type | (flags << 8), true);
    view.setUint32(at + 4, id, true);
    view.setUint32(at + 8, length % 4294967296, true);
    view.setUint32(at + 12, Math.floor(length / 4294967296), true);
  }

  u8(value: number): void {
    this.bytes[this.position++] = value;
  }

  u16(value: number): void {
    this.#view.setUint16(this.position, value, true);
    this.position += 2;
  }

  u32(value: number): void {
    this.#view.setUint32(this.position, value, true);
    this.position += 4;
  }

  u64(value: number): void {
    this.#view.setUint32(this.position, value % 4294967296, true);
    this.#view.setUint32(this.position + 4, Math.floor(value / 4294967296), true);
    this.position += 8;
  }

  /** A struct statx, its 32-bit words in `words`, as a status record. */
  status(words: Uint32Array): void {
    const view = this.#view;
    let at = this.position;
    for (let i = 4; i < 12; i++, at += 4) view.setUint32(at, words[i] as number, true);
    for (let i = 16; i < 20; i++, at += 4) view.setUint32(at, words[i] as number, true);
    for (let i = 24; i < 36; i++, at += 4) view.setUint32(at, words[i] as number, true);
    this.position = at;
  }

  /** An entry of a listing that is a plain file: head, status, and the name out of other memory. */
  plainEntry(words: Uint32Array, from: Uint8Array, offset: number, length: number): void {
    const view = this.#view;
    const { bytes } = this;
    let at = this.position;
    view.setUint32(at, length, true);
    view.setUint32(at + 4, 0, true);
    at += entryHeadBytes;
    for (let i = 4; i < 12; i++, at += 4) view.setUint32(at, words[i] as number, true);
    for (let i = 16; i < 20; i++, at += 4) view.setUint32(at, words[i] as number, true);
    for (let i = 24; i < 36; i++, at += 4) view.setUint32(at, words[i] as number, true);
    for (let i = 0; i < length; i++) bytes[at++] = from[offset + i] as number;
    this.position = at;
  }

  /** A status record of nothing but zeros, for what could not be looked at. */
  noStatus(): void {
    this.bytes.fill(0, this.position, this.position + STATUS_BYTES);
    this.position += STATUS_BYTES;
  }

  /** Bytes of other memory. */
  copy(from: Uint8Array, offset: number, length: number): void {
    if (length < 64) {
      let at = this.position;
      for (let i = 0; i < length; i++) this.bytes[at++] = from[offset + i] as number;
    } else this.bytes.set(from.subarray(offset, offset + length), this.position);
    this.position += length;
  }

  /** A latin1 string, one byte per character. */
  text(text: string): void {
    let at = this.position;
    for (let i = 0; i < text.length; i++) this.bytes[at++] = text.charCodeAt(i);
    this.position = at;
  }
}
