import type { StreamSeat } from "../../src/blit/session/types.ts";
import { DataSocket } from "../../src/blit/wire/data-socket.ts";
import { frameFlag, frameType } from "../../src/blit/wire/frame.ts";

/** An entry as it came in a FOLDER frame. */
export interface SeenEntry {
  readonly root: number;
  /** Below the root, latin1. */
  readonly path: string;
  readonly index: number;
  readonly bits: number;
  readonly mode: number;
  readonly nlink: number;
  readonly size: number;
  readonly mtimeSec: number;
  /** Of a symbolic link. */
  readonly to: string | undefined;
}

/** What is wanted of an entry. */
export interface Want {
  readonly kind: number;
  readonly extra?: Uint8Array;
}

/** A part of a file that was announced on another stream. */
export interface SeenPart {
  readonly owner: number;
  readonly sequence: number;
  readonly offset: number;
  readonly content: Buffer;
}

/** A file that is announced to come in parts. */
export interface SeenSplit {
  readonly key: string;
  readonly sequence: number;
  readonly partBytes: number;
}

type Folder = { root: number; path: string; count: number; entries: SeenEntry[] };

/**
 * The receiving end of a stream for tests of the sending one: keeps what comes in memory, written
 * from docs/concepts/wire.md and nothing else. It asks for what `wants` says.
 */
export class FrameTarget {
  readonly socket: DataSocket;
  readonly entries: SeenEntry[] = [];
  readonly folders = new Map<number, Folder>();
  /** Content by "root:path". */
  readonly contents = new Map<string, Buffer>();
  readonly outcomes = new Map<string, number>();
  readonly flags: number[] = [];
  /** Names of files of several names: "root:path", by frame. */
  readonly links: string[][] = [];
  /** Blobs of ATTRIBUTES frames by "root:path"; undefined where the source could not tell. */
  readonly attributes = new Map<string, Buffer | undefined>();
  readonly types = new Map<number, number>();
  /** Called when a FILE frame has come, with the number of it. */
  onFile: ((attempt: number) => void) | undefined;
  files = 0;
  readonly parts: SeenPart[] = [];
  readonly splits: SeenSplit[] = [];
  /** In place of NEED frames. */
  answers: ((id: number) => void) | undefined;
  purpose = 0;
  key: Buffer = Buffer.alloc(0);
  #file: { path: string; mode: number; content: Buffer } | undefined;

  constructor(seat: StreamSeat) {
    this.socket = new DataSocket(seat, { isCancelled: () => false });
  }

  /** Receives one pass and says that it is done. */
  async pass(wants: (entry: SeenEntry) => Want | undefined): Promise<void> {
    for (;;) {
      while (!this.socket.hasInput()) await Bun.sleep(1);
      if (!this.frame(wants)) break;
    }
    this.send(frameType.passDone, 0, 0, Buffer.alloc(0));
  }

  /** Takes one frame; false at the end of the pass. */
  frame(wants: (entry: SeenEntry) => Want | undefined): boolean {
    const header = this.take(16);
    const type = header.readUInt8(0);
    const flags = header.readUInt8(1);
    const id = header.readUInt32LE(4);
    const payload = this.take(Number(header.readBigUInt64LE(8)));
    this.types.set(type, (this.types.get(type) ?? 0) + 1);
    switch (type) {
      case frameType.pass:
        this.purpose = payload.readUInt8(0);
        this.key = payload.subarray(4, 36);
        return true;
      case frameType.folder:
        this.#folder(id, flags, payload, wants);
        return true;
      case frameType.links:
        this.#links(id, payload, wants);
        return true;
      case frameType.files:
        this.#files(id, payload);
        return true;
      case frameType.file:
      case frameType.data:
      case frameType.fileEnd:
        this.#large(type, id, payload);
        return true;
      case frameType.part:
        this.parts.push({
          owner: id,
          sequence: payload.readUInt32LE(0),
          offset: Number(payload.readBigUInt64LE(8)),
          content: Buffer.from(payload.subarray(16)),
        });
        return true;
      case frameType.attributes:
        this.#attributes(id, payload);
        return true;
      case frameType.alive:
        return true;
      case frameType.passEnd:
        return false;
      default:
        throw new Error(`a frame of type ${type}`);
    }
  }

  /** The next bytes of the stream. */
  take(length: number): Buffer {
    const parts: Buffer[] = [];
    for (let rest = length; rest > 0; ) {
      const part = Math.min(rest, 1024 * 1024);
      const result = this.socket.need(part);
      if (result < 0) throw new Error(`the stream ended: ${result}`);
      const at = this.socket.inputOffset;
      parts.push(Buffer.from(this.socket.input.bytes.slice(at, at + part)));
      this.socket.consume(part);
      rest -= part;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  send(type: number, flags: number, id: number, payload: Uint8Array): void {
    const { socket } = this;
    const length = 16 + payload.length;
    if (socket.reserve(length) < 0) throw new Error("the stream is gone");
    const frame = Buffer.alloc(length);
    frame.writeUInt8(type, 0);
    frame.writeUInt8(flags, 1);
    frame.writeUInt32LE(id, 4);
    frame.writeUInt32LE(payload.length, 8);
    frame.set(payload, 16);
    socket.out.bytes.set(frame, socket.outPosition);
    socket.commit(length);
    if (socket.flush() < 0) throw new Error("the stream is gone");
  }

  /** A NEED frame of any number of entries. */
  need(id: number, wanted: readonly (Want & { readonly index: number })[], hasMore: boolean): void {
    if (this.answers !== undefined) {
      this.answers(id);
      return;
    }
    const parts = wanted.map(({ index, kind, extra = new Uint8Array(0) }) => {
      const head = Buffer.alloc(12);
      head.writeUInt32LE(index, 0);
      head.writeUInt8(kind, 4);
      head.writeUInt8(extra.length > 0 ? 1 : 0, 5);
      head.writeUInt32LE(extra.length, 8);
      return Buffer.concat([head, extra]);
    });
    this.send(frameType.need, hasMore ? frameFlag.more : 0, id, Buffer.concat(parts));
  }

  #folder(
    id: number,
    flags: number,
    payload: Buffer,
    wants: (entry: SeenEntry) => Want | undefined,
  ): void {
    this.flags.push(flags);
    let at = 0;
    let folder = this.folders.get(id);
    if ((flags & frameFlag.first) !== 0) {
      const pathLength = payload.readUInt32LE(4);
      const path = payload.toString("latin1", 8, 8 + pathLength);
      at = 8 + pathLength + 96;
      at += 4 + payload.readUInt32LE(at);
      folder = { root: payload.readUInt16LE(0), path, count: 0, entries: [] };
      this.folders.set(id, folder);
    }
    if (folder === undefined) throw new Error("a folder that never began");
    const wanted: (Want & { index: number })[] = [];
    while (at < payload.length) {
      const { entry, end } = readEntry(payload, at, folder);
      at = end;
      this.entries.push(entry);
      folder.entries.push(entry);
      folder.count++;
      const want = wants(entry);
      if (want !== undefined) wanted.push({ ...want, index: entry.index });
    }
    const hasMore = (flags & frameFlag.more) !== 0;
    if (wanted.length > 0 || !hasMore) this.need(id, wanted, hasMore);
  }

  #links(id: number, payload: Buffer, wants: (entry: SeenEntry) => Want | undefined): void {
    let at = 96;
    at += 4 + payload.readUInt32LE(at);
    const count = payload.readUInt32LE(at);
    at += 4;
    const names: string[] = [];
    const places: { root: number; path: string }[] = [];
    for (let i = 0; i < count; i++) {
      const root = payload.readUInt16LE(at);
      const nameLength = payload.readUInt16LE(at + 2);
      const pathLength = payload.readUInt32LE(at + 4);
      at += 8;
      const folder = payload.toString("latin1", at, at + pathLength);
      const name = payload.toString("latin1", at + pathLength, at + pathLength + nameLength);
      at += pathLength + nameLength;
      const path = folder === "" ? name : `${folder}/${name}`;
      names.push(`${root}:${path}`);
      places.push({ root, path });
    }
    this.links.push(names);
    const [first] = places;
    if (first === undefined) throw new Error("a file without names");
    const status = readStatus(payload, 0);
    const shown = { ...first, index: 0, bits: 0, to: undefined };
    const entry = { ...shown, ...status };
    this.folders.set(id, { root: first.root, path: "", count: 1, entries: [entry] });
    const want = wants(entry);
    this.need(id, want === undefined ? [] : [{ ...want, index: 0 }], false);
  }

  #keyOf(id: number, index: number): string {
    const entry = this.folders.get(id)?.entries[index];
    if (entry === undefined) throw new Error(`no entry ${index} in folder ${id}`);
    return `${entry.root}:${entry.path}`;
  }

  #files(id: number, payload: Buffer): void {
    let at = 0;
    while (at < payload.length) {
      const key = this.#keyOf(id, payload.readUInt32LE(at));
      const length = payload.readUInt32LE(at + 4);
      const outcome = payload.readUInt8(at + 8);
      at += 12 + (outcome === 1 ? 96 : 0);
      this.outcomes.set(key, outcome);
      if (outcome <= 1) this.contents.set(key, Buffer.from(payload.subarray(at, at + length)));
      at += length;
    }
  }

  #attributes(id: number, payload: Buffer): void {
    const length = payload.readUInt32LE(8);
    if (length !== payload.length - 12) throw new Error("attributes of a wrong length");
    const isTold = payload.readUInt32LE(4) === 0;
    const key = this.#keyOf(id, payload.readUInt32LE(0));
    this.attributes.set(key, isTold ? payload.subarray(12) : undefined);
  }

  #large(type: number, id: number, payload: Buffer): void {
    if (type === frameType.file) {
      const path = this.#keyOf(id, payload.readUInt32LE(0));
      const size = Number(payload.readBigUInt64LE(8));
      this.files++;
      if (payload.readUInt8(4) === 3) {
        const [sequence, partBytes] = [payload.readUInt32LE(16), payload.readUInt32LE(20)];
        this.splits.push({ key: path, sequence, partBytes });
      }
      this.onFile?.(this.files);
      this.#file = { path, mode: payload.readUInt8(4), content: Buffer.alloc(size) };
      return;
    }
    const file = this.#file;
    if (file === undefined) throw new Error("content of no file");
    if (type === frameType.data) {
      file.content.set(payload.subarray(16), Number(payload.readBigUInt64LE(0)));
      return;
    }
    const outcome = payload.readUInt8(4);
    this.outcomes.set(file.path, outcome);
    if (outcome <= 1) this.contents.set(file.path, file.content);
    this.#file = undefined;
  }
}

function readStatus(payload: Buffer, at: number) {
  return {
    nlink: payload.readUInt32LE(at),
    mode: payload.readUInt16LE(at + 12),
    size: Number(payload.readBigUInt64LE(at + 24)),
    mtimeSec: Number(payload.readBigInt64LE(at + 48 + 16)),
  };
}

function readEntry(
  payload: Buffer,
  start: number,
  folder: Folder,
): { entry: SeenEntry; end: number } {
  const nameLength = payload.readUInt16LE(start);
  const bits = payload.readUInt16LE(start + 2);
  const extraLength = payload.readUInt32LE(start + 4);
  const nameAt = start + 8 + 96;
  const name = payload.toString("latin1", nameAt, nameAt + nameLength);
  const extraAt = nameAt + nameLength;
  const extra = payload.subarray(extraAt + 4, extraAt + extraLength);
  const { root, path, count } = folder;
  const entry = {
    root,
    path: path === "" ? name : `${path}/${name}`,
    index: count,
    bits,
    ...readStatus(payload, start + 8),
    to: (bits & 2) === 0 ? undefined : extra.toString("latin1"),
  };
  return { entry, end: extraAt + extraLength };
}
