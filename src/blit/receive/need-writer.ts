import type { DataSocket } from "../wire/data-socket.ts";
import { FRAME_HEADER_BYTES, frameFlag, frameType } from "../wire/frame.ts";

/** Bytes of one entry, its extra not counted. */
const needBytes = 12;
/** A frame goes out when so much is together. */
const gatheredMax = 16 * 1024 * needBytes;
/** In NEED: hashes follow in the extra. */
const hasHashes = 1;

/** Writes the frames that go to the source. */
export class NeedWriter {
  readonly #socket: DataSocket;
  readonly #must: (result: number) => void;
  readonly #gathered = new Uint8Array(gatheredMax);
  readonly #view = new DataView(this.#gathered.buffer);
  #length = 0;
  #id = 0;
  lastFrameMs = 0;

  /** @param must throws for a -errno of the socket */
  constructor(socket: DataSocket, must: (result: number) => void) {
    this.#socket = socket;
    this.#must = must;
  }

  /** What follows is about this folder. */
  begin(id: number): void {
    this.#id = id;
    this.#length = 0;
  }

  /** Asks for an entry; `kind` is a needKind. */
  add(index: number, kind: number): void {
    if (this.#length + needBytes > gatheredMax) this.#send(frameFlag.more);
    this.#entry(index, kind, 0, 0);
  }

  /** Asks for an entry of which the target has something: `hashes` go along. */
  addWithHashes(index: number, kind: number, hashes: Uint8Array): void {
    if (this.#length > 0) this.#send(frameFlag.more);
    this.#entry(index, kind, hasHashes, hashes.length);
    this.#send(frameFlag.more, hashes);
  }

  /** The end of what is known of the folder so far, or of all of it. */
  end(isFinal: boolean): void {
    if (isFinal || this.#length > 0) this.#send(isFinal ? 0 : frameFlag.more);
  }

  #entry(index: number, kind: number, flags: number, extraLength: number): void {
    const at = this.#length;
    const view = this.#view;
    view.setUint32(at, index, true);
    view.setUint8(at + 4, kind);
    view.setUint8(at + 5, flags);
    view.setUint16(at + 6, 0, true);
    view.setUint32(at + 8, extraLength, true);
    this.#length = at + needBytes;
  }

  #send(flags: number, extra: Uint8Array = nothing): void {
    const length = this.#length;
    const payload = length + extra.length;
    this.#must(this.#socket.reserve(FRAME_HEADER_BYTES + payload));
    const { bytes } = this.#socket.out;
    const at = this.#header(frameType.need, flags, this.#id, payload);
    bytes.set(length === gatheredMax ? this.#gathered : this.#gathered.subarray(0, length), at);
    bytes.set(extra, at + length);
    this.#socket.commit(FRAME_HEADER_BYTES + payload);
    this.#length = 0;
  }

  /** A frame without payload, sent at once. */
  bare(type: number): void {
    this.#must(this.#socket.reserve(FRAME_HEADER_BYTES));
    this.#header(type, 0, 0, 0);
    this.#socket.commit(FRAME_HEADER_BYTES);
    this.#must(this.#socket.flush());
  }

  #header(type: number, flags: number, id: number, payload: number): number {
    const { out, outPosition: at } = this.#socket;
    const { bytes } = out;
    this.lastFrameMs = performance.now();
    bytes.fill(0, at, at + FRAME_HEADER_BYTES);
    bytes[at] = type;
    bytes[at + 1] = flags;
    for (let i = 0; i < 4; i++) {
      bytes[at + 4 + i] = (id >>> (8 * i)) & 255;
      bytes[at + 8 + i] = (payload >>> (8 * i)) & 255;
    }
    return at + FRAME_HEADER_BYTES;
  }
}

const nothing = new Uint8Array(0);
