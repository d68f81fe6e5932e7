import { S } from "../../../ffi/abi/constants.ts";
import type { Thread } from "../engine/thread.ts";
import { STATUS_BYTES } from "../wire/frame.ts";
import { StatusSlices } from "../wire/status.ts";
import { checkStatus, type EntryReader, type Payload } from "./manifest.ts";
import { unknownXattrs } from "./xattr-blob.ts";

/** 32-bit words of the first slice of a status record; see wire/status.ts. */
const firstWords = 8;

/** Puts what came over the wire where the engine looks for a source. */
export class HandOver {
  readonly #thread: Thread;
  readonly #source: StatusSlices;

  constructor(t: Thread) {
    this.#thread = t;
    this.#source = new StatusSlices(t.scratch.bytes, t.source.pointer - t.scratch.pointer);
  }

  /** Makes an entry the one at hand: name, status, text of a link. Nothing says its attributes. */
  entry(payload: Payload, entry: EntryReader): void {
    const t = this.#thread;
    t.setEntryBytes(payload.bytes, entry.nameOffset, entry.nameLength);
    this.#words(payload.view, entry.statusOffset);
    t.received = unknownXattrs;
    if (entry.linkLength === 0) return;
    const { bytes } = t.scratch;
    const start = t.pointers.link - t.scratch.pointer;
    for (let i = 0; i < entry.linkLength; i++) {
      bytes[start + i] = payload.bytes[entry.linkOffset + i] as number;
    }
    bytes[start + entry.linkLength] = 0;
  }

  /** As StatusSlices does it, without views of its own: this is done for every entry. */
  #words(view: DataView, offset: number): void {
    const words = this.#thread.sourceWords;
    for (let i = 0; i < firstWords; i++) words[4 + i] = view.getUint32(offset + 4 * i, true);
    for (let i = 0; i < 4; i++) words[16 + i] = view.getUint32(offset + 32 + 4 * i, true);
    for (let i = 0; i < 12; i++) words[24 + i] = view.getUint32(offset + 48 + 4 * i, true);
  }

  /** Loads a status record alone. */
  status(bytes: Uint8Array, offset: number): void {
    this.#source.read(bytes, offset);
  }

  /** A status that came with a file's content; false where it is none of a file. */
  restated(bytes: Uint8Array, view: DataView, offset: number): boolean {
    if (offset + STATUS_BYTES > bytes.length) return false;
    if (checkStatus(view, offset) !== S.IFREG) return false;
    this.#source.read(bytes, offset);
    return true;
  }
}
