import { S } from "../../../ffi/abi/constants.ts";
import type { Thread } from "../engine/thread.ts";
import { STATUS_BYTES } from "../wire/frame.ts";
import { StatusSlices } from "../wire/status.ts";
import { checkStatus, type EntryReader, type Payload } from "./manifest.ts";

/** Puts what came over the wire where the engine looks for a source. */
export class HandOver {
  readonly #thread: Thread;
  readonly #source: StatusSlices;

  constructor(t: Thread) {
    this.#thread = t;
    this.#source = new StatusSlices(t.scratch.bytes, t.source.pointer - t.scratch.pointer);
  }

  /** Makes an entry the one at hand: name, status, attributes, text of a link. */
  entry(payload: Payload, entry: EntryReader): void {
    const t = this.#thread;
    t.setEntryBytes(payload.bytes, entry.nameOffset, entry.nameLength);
    this.#source.read(payload.bytes, entry.statusOffset);
    t.received = entry.xattrs(payload);
    if (entry.linkLength === 0) return;
    const { bytes } = t.scratch;
    const start = t.pointers.link - t.scratch.pointer;
    for (let i = 0; i < entry.linkLength; i++) {
      bytes[start + i] = payload.bytes[entry.linkOffset + i] as number;
    }
    bytes[start + entry.linkLength] = 0;
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
