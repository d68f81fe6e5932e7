import { constants, createInflateRaw, inflateRawSync } from "node:zlib";
import { Memory } from "../../../ffi/mem.ts";
import { PIECE_BYTES } from "./limits.ts";

/**
 * Inflates piece by piece into memory of the caller's, on the calling thread. Bun's public calls
 * make a stream object and new memory for every member, which costs more than the inflating itself
 * for the small files that wheels are made of (650 against 230 MB/s over Python sources). So the
 * handle below node:zlib is kept and reset; where a Bun has none, the public call does it.
 */

/** What node:zlib's streams hold inside, in Node.js and in Bun. */
interface ZlibHandle {
  onerror: (message: string, errno: number, code: string) => void;
  reset(): void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputBytes: number,
    output: Uint8Array,
    outputOffset: number,
    outputBytes: number,
  ): void;
}

interface ZlibInside {
  readonly _handle?: ZlibHandle;
  /** Bytes left of the output and of the input, after each call. */
  readonly _writeState?: Uint32Array;
}

/** Takes the inflated bytes; they are overwritten when it returns. */
export type Sink = (piece: Uint8Array) => void;

export class Inflater {
  readonly #output: Uint8Array;
  readonly #handle: ZlibHandle | undefined;
  readonly #state: Uint32Array;
  /** Holds the handle alive. */
  readonly #stream: unknown;
  #failure: string | undefined;

  /** `output` holds one piece at a time. */
  constructor(output: Uint8Array, options: { readonly public?: boolean } = {}) {
    this.#output = output;
    const stream = createInflateRaw();
    const { _handle, _writeState } = stream as unknown as ZlibInside;
    const fits = typeof _handle?.writeSync === "function" && _writeState?.length === 2;
    this.#stream = stream;
    this.#state = _writeState ?? new Uint32Array(2);
    this.#handle = fits && options.public !== true ? _handle : undefined;
    if (this.#handle !== undefined) {
      this.#handle.onerror = (message) => {
        this.#failure = message;
      };
    }
  }

  /** Whether this Bun lets the handle be used: else memory is not bounded by the piece. */
  get isPiecewise(): boolean {
    return this.#handle !== undefined && this.#stream !== undefined;
  }

  /**
   * Inflates one member. `next` gives its compressed bytes piece by piece, an empty one at the end;
   * they have to be `compressedBytes`, and to become exactly `sizeBytes`.
   * Returns undefined, or why it failed.
   */
  inflate(
    next: () => Uint8Array,
    compressedBytes: number,
    sizeBytes: number,
    sink: Sink,
  ): string | undefined {
    if (compressedBytes === 0) return "it is cut off";
    if (this.#handle === undefined) return inflateWhole(next, sizeBytes, sink);
    this.#failure = undefined;
    this.#handle.reset();
    let produced = 0;
    let consumed = 0;
    while (consumed < compressedBytes) {
      const input = next();
      if (input.length === 0) return "it is cut off";
      consumed += input.length;
      const isLast = consumed >= compressedBytes;
      const made = this.#feed(this.#handle, input, isLast, sizeBytes - produced, sink);
      if (typeof made === "string") return made;
      produced += made;
    }
    return produced === sizeBytes ? undefined : "it is shorter than it says";
  }

  /** Inflates one piece of input, to at most `room` bytes. Returns how many, or what is wrong. */
  #feed(
    handle: ZlibHandle,
    input: Uint8Array,
    isLast: boolean,
    room: number,
    sink: Sink,
  ): number | string {
    const state = this.#state;
    const output = this.#output;
    const flush = isLast ? constants.Z_FINISH : constants.Z_NO_FLUSH;
    let offset = 0;
    let made = 0;
    for (;;) {
      // One byte more than may come: that shows whether there is more, and whether it has ended.
      const space = Math.min(output.length, room - made + 1);
      handle.writeSync(flush, input, offset, input.length - offset, output, 0, space);
      if (this.#failure !== undefined) return `its data is damaged (${this.#failure})`;
      const got = space - (state[0] as number);
      offset = input.length - (state[1] as number);
      made += got;
      if (made > room) return "it is longer than it says";
      if (got > 0) sink(output.subarray(0, got));
      if (got < space) break;
    }
    return offset === input.length ? made : "something stands behind its data";
  }
}

/** By the public call: the compressed and the inflated bytes are in memory as a whole. */
function inflateWhole(next: () => Uint8Array, sizeBytes: number, sink: Sink): string | undefined {
  const pieces: Uint8Array[] = [];
  for (let piece = next(); piece.length > 0; piece = next()) pieces.push(piece.slice());
  const input = Buffer.concat(pieces);
  try {
    // What stands behind the data is seen by what the stream has not taken.
    const { buffer, engine } = inflateRawSync(input, {
      maxOutputLength: sizeBytes + 1,
      info: true,
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    if (engine.bytesWritten !== input.length) return "something stands behind its data";
    if (buffer.length !== sizeBytes) return "its size is not what it says";
    if (buffer.length > 0) sink(buffer);
    return undefined;
  } catch (error) {
    return `its data is damaged (${error instanceof Error ? error.message : String(error)})`;
  }
}

let shared: Inflater | undefined;

/** The calling thread's inflater, for one member after the other. */
export function threadInflater(): Inflater {
  shared ??= new Inflater(new Memory(PIECE_BYTES).bytes);
  return shared;
}
