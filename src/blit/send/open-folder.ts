import { sys } from "../../../ffi/sys.ts";
import { cheaplyCompiled } from "../engine/compile-cost.ts";

/** What is kept of an entry's status: 32-bit words [16, 48) and [96, 128) of its struct statx. */
export const keptWords = 16;

/** Where things lie in the words that are kept. */
export const kept = {
  nlink: 0,
  mode: 3,
  inoLow: 4,
  inoHigh: 5,
  sizeLow: 6,
  sizeHigh: 7,
  ctimeSec: 8,
  ctimeNsec: 10,
  mtimeSec: 12,
  mtimeSecHigh: 13,
  mtimeNsec: 14,
} as const;

/**
 * A folder whose entries have been sent, open until the target has decided about all of them and
 * has what it asked for, and until its subfolders are open. Names and statuses lie in three arrays,
 * however many entries there are.
 */
export class OpenFolder {
  readonly id: number;
  readonly root: number;
  /** Below the root, latin1; "" for the root itself. */
  readonly path: string;
  readonly fd: number;
  /** Holds what the command line names: its entries' names are no part of their paths. */
  readonly isHolder: boolean;
  names: Uint8Array = new Uint8Array(0);
  /** Where the name of each entry ends in `names`. */
  nameEnds: Uint32Array = new Uint32Array(0);
  statuses: Uint32Array = new Uint32Array(0);
  /** Entries that are no folders, and bytes of the regular files among them: for progress. */
  items = 0;
  bytes = 0;
  /** What the target has asked for of these. */
  needed = 0;
  neededBytes = 0;
  /** The device that it is on. */
  dev = 0;
  /** What it stands for has been sent with its attributes: a file of several names. */
  hasToldAttributes = false;
  /** Subfolders that are still to be opened through this one. */
  unopened = 0;
  /** NEED frames of it that wait to be answered. */
  unanswered = 0;
  /** The target has sent its last NEED. */
  isDecided = false;
  #isClosed = false;

  constructor(setup: { id: number; root: number; path: string; fd: number; isHolder: boolean }) {
    this.id = setup.id;
    this.root = setup.root;
    this.path = setup.path;
    this.fd = setup.fd;
    this.isHolder = setup.isHolder;
  }

  get count(): number {
    return this.nameEnds.length;
  }

  /** Where the name of an entry begins in `names`. */
  nameStart(index: number): number {
    return index === 0 ? 0 : (this.nameEnds[index - 1] as number);
  }

  /** The name of an entry, latin1. */
  nameOf(index: number): string {
    const start = this.nameStart(index);
    const { buffer, byteOffset } = this.names;
    const end = this.nameEnds[index] as number;
    return Buffer.from(buffer, byteOffset + start, end - start).toString("latin1");
  }

  /** Path of an entry below the root, latin1. */
  pathOf(name: string): string {
    if (this.isHolder) return "";
    return this.path === "" ? name : `${this.path}/${name}`;
  }

  sizeOf(index: number): number {
    const at = index * keptWords;
    const high = this.statuses[at + kept.sizeHigh] as number;
    return high * 4294967296 + (this.statuses[at + kept.sizeLow] as number);
  }

  modeOf(index: number): number {
    return (this.statuses[index * keptWords + kept.mode] as number) & 0xffff;
  }

  nlinkOf(index: number): number {
    return this.statuses[index * keptWords + kept.nlink] as number;
  }

  /** Closes it when nothing needs it any more. Returns whether it is closed. */
  closeIfDone(): boolean {
    if (!this.isDecided || this.unanswered > 0 || this.unopened > 0) return false;
    this.close();
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    sys.close(this.fd);
  }
}

/** Collects the entries of one folder; its memory is used again for the next. */
export class EntryCollector {
  #names = new Uint8Array(64 * 1024);
  #nameEnds = new Uint32Array(1024);
  #statuses = new Uint32Array(1024 * keptWords);
  #count = 0;
  #nameBytes = 0;

  get count(): number {
    return this.#count;
  }

  reset(): void {
    this.#count = 0;
    this.#nameBytes = 0;
  }

  /**
   * Adds an entry.
   * @param from memory that holds its name at `offset`
   * @param status its struct statx as 32-bit words; undefined where it could not be looked at
   */
  add(from: Uint8Array, offset: number, length: number, status: Uint32Array | undefined): void {
    const index = this.#count++;
    if (this.#nameBytes + length > this.#names.length) this.#names = grown(this.#names, length);
    const names = this.#names;
    let end = this.#nameBytes;
    for (let i = 0; i < length; i++) names[end++] = from[offset + i] as number;
    this.#nameBytes = end;
    if (index === this.#nameEnds.length) {
      const ends = new Uint32Array(2 * index);
      ends.set(this.#nameEnds);
      this.#nameEnds = ends;
      const statuses = new Uint32Array(2 * index * keptWords);
      statuses.set(this.#statuses);
      this.#statuses = statuses;
    }
    this.#nameEnds[index] = end;
    const at = index * keptWords;
    const to = this.#statuses;
    if (status === undefined) to.fill(0, at, at + keptWords);
    else keepStatus(status, to, at);
  }

  /** Hands everything to the folder that it belongs to. */
  moveTo(folder: OpenFolder): void {
    folder.names = this.#names.slice(0, this.#nameBytes);
    folder.nameEnds = this.#nameEnds.slice(0, this.#count);
    folder.statuses = this.#statuses.slice(0, this.#count * keptWords);
    this.reset();
  }
}

function grown(bytes: Uint8Array, room: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * (bytes.length + room));
  larger.set(bytes);
  return larger;
}

cheaplyCompiled(keepStatus);

function keepStatus(from: Uint32Array, to: Uint32Array, at: number): void {
  for (let i = 0; i < 8; i++) to[at + i] = from[4 + i] as number;
  for (let i = 0; i < 8; i++) to[at + 8 + i] = from[24 + i] as number;
}

/** Whether a struct statx says what was sent: everything but access time and allocation. */
export function isAsSent(folder: OpenFolder, index: number, status: Uint32Array): boolean {
  const sent = folder.statuses;
  const at = index * keptWords;
  for (let i = 0; i < 8; i++) if (sent[at + i] !== status[4 + i]) return false;
  for (let i = 0; i < 7; i++) if (sent[at + 8 + i] !== status[24 + i]) return false;
  return true;
}

/**
 * As `isAsSent` for what one name of a file says about its content: the removal of another name
 * changes the number of names and the change time.
 */
export function isSameContent(folder: OpenFolder, index: number, status: Uint32Array): boolean {
  const sent = folder.statuses;
  const at = index * keptWords;
  for (let i = kept.mode; i <= kept.sizeHigh; i++) if (sent[at + i] !== status[4 + i]) return false;
  for (let i = kept.mtimeSec; i <= kept.mtimeNsec; i++) {
    if (sent[at + i] !== status[16 + i]) return false;
  }
  return true;
}
