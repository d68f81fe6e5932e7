/**
 * The memory that all threads of one run see: counters (each thread writes its own row, so no
 * locks), control words, and the cursors of huge files.
 */

/** Columns of a thread's row. */
export const counter = {
  files: 0,
  bytes: 1,
  bytesReflinked: 2,
  folders: 3,
  symlinks: 4,
  hardlinks: 5,
  upToDate: 6,
  attributesOnly: 7,
  deleted: 8,
  skipped: 9,
  vanished: 10,
  failed: 11,
  /** Entries of the source that were looked at. */
  seen: 12,
  /** Bytes of the regular files that were looked at. */
  seenBytes: 13,
  /** Grows with every step: what the stall detector watches. */
  activity: 14,
  specials: 15,
  moved: 16,
  /** Leftovers of killed runs that were removed. */
  swept: 17,
  /** Bytes compared by content. */
  bytesCompared: 18,
  /** Bytes settled, copied or found equal: progress. */
  bytesDone: 19,
  itemsDone: 20,
  bySmall: 21,
  byReflink: 22,
  byCopyRange: 23,
  byBuffered: 24,
  /** Bytes and milliseconds of the chunks of huge files by way: what the predictor learns from. */
  bufferedBytes: 25,
  bySparse: 26,
  bufferedMs: 27,
  rangeBytes: 28,
  rangeMs: 31,
  deletable: 29,
  attributesFailed: 30,
} as const;

const columns = 32;

/** Control words. */
export const control = {
  /** Not 0: stop as soon as possible (1 = asked to, 2 = no space). */
  cancel: 0,
  /** Number of idle threads that want work. */
  hungry: 1,
  /** Listing errors: deletions are off where it is not 0. */
  listingErrors: 2,
  /** Sequence for temporary names. */
  temporary: 3,
  /** One bit for each of `unheld` that a user has been told about. */
  told: 4,
  /** First of `cursorSlots` words: 1 = the slot is taken. */
  slotTaken: 16,
} as const;

/** What a target may turn out not to hold. */
export const unheld = [
  "owner and group",
  "permissions",
  "times of links",
  "symbolic links",
  "devices",
  "these hard links",
  "ACLs",
  "attributes of kind user",
  "attributes of kind trusted",
  "attributes of kind security",
  "other attributes",
] as const;

export type Unheld = (typeof unheld)[number];

export const cancelReason = { none: 0, interrupted: 1, noSpace: 2 } as const;

const cursorSlots = 32;

export type SharedBuffers = {
  readonly counters: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly cursors: SharedArrayBuffer;
  readonly notes: SharedArrayBuffer;
  readonly places: SharedArrayBuffer;
};

/** Bytes per thread for the folder that it is in. */
const noteBytes = 512;

/**
 * Root folders that all threads know by device and inode. Their overlap is refused at the start;
 * what a mount below a root leads to is seen by these on the way. More roots than this go without.
 */
const placesMax = 64;

/** What is known of an open folder or file: its device, and both halves of its inode number. */
export type Place = { readonly dev: number; readonly inoHigh: number; readonly inoLow: number };

export class SharedState {
  readonly buffers: SharedBuffers;
  readonly #counters: Float64Array;
  readonly control: Int32Array;
  readonly #cursors: BigInt64Array;
  readonly #notes: Uint8Array;
  /** Device and inode of source roots, then of target roots; device 0 = none. */
  readonly #places: Float64Array;

  constructor(buffers: SharedBuffers) {
    this.buffers = buffers;
    this.#counters = new Float64Array(buffers.counters);
    this.control = new Int32Array(buffers.control);
    this.#cursors = new BigInt64Array(buffers.cursors);
    this.#notes = new Uint8Array(buffers.notes);
    this.#places = new Float64Array(buffers.places);
  }

  /** Memory for `threads` threads. */
  static create(threads: number): SharedState {
    return new SharedState({
      counters: new SharedArrayBuffer(threads * columns * 8),
      control: new SharedArrayBuffer(256),
      cursors: new SharedArrayBuffer(cursorSlots * 8),
      notes: new SharedArrayBuffer(threads * noteBytes),
      places: new SharedArrayBuffer(2 * placesMax * 3 * 8),
    });
  }

  /** The row of one thread: it alone writes there. */
  row(thread: number): Float64Array {
    return this.#counters.subarray(thread * columns, (thread + 1) * columns);
  }

  /** Sum of a column over all threads. */
  total(column: number): number {
    let sum = 0;
    for (let i = column; i < this.#counters.length; i += columns) sum += this.#counters[i] ?? 0;
    return sum;
  }

  /** Notes which folder a thread is in (the end of its path), for messages about stalls. */
  note(thread: number, path: string): void {
    const start = thread * noteBytes;
    const from = Math.max(0, path.length - (noteBytes - 1));
    let at = start;
    for (let i = from; i < path.length; i++) this.#notes[at++] = path.charCodeAt(i);
    this.#notes[at] = 0;
  }

  /** Makes a root folder known to all threads. */
  notePlace(side: "source" | "target", place: Place): void {
    const start = side === "source" ? 0 : placesMax * 3;
    for (let at = start; at < start + placesMax * 3; at += 3) {
      if (this.#places[at] !== 0) continue;
      this.#places.set([place.dev, place.inoHigh, place.inoLow], at);
      return;
    }
  }

  /** Whether this is one of the root folders. */
  isPlace(side: "source" | "target", place: Place): boolean {
    const start = side === "source" ? 0 : placesMax * 3;
    const places = this.#places;
    for (let at = start; at < start + placesMax * 3 && places[at] !== 0; at += 3) {
      const isSameInode = places[at + 1] === place.inoHigh && places[at + 2] === place.inoLow;
      if (isSameInode && places[at] === place.dev) return true;
    }
    return false;
  }

  /** The folder that a thread noted last, latin1. */
  whereabouts(thread: number): string {
    const row = this.#notes.slice(thread * noteBytes, (thread + 1) * noteBytes);
    const end = row.indexOf(0);
    return Buffer.from(row.subarray(0, end < 0 ? noteBytes : end)).toString("latin1");
  }

  /** Asks every thread to stop. The first reason stays. */
  cancel(reason: number): void {
    Atomics.compareExchange(this.control, control.cancel, cancelReason.none, reason);
  }

  /** The reason to stop, 0 for none. */
  cancelled(): number {
    return Atomics.load(this.control, control.cancel);
  }

  /** Whether this is the first thread to tell that the target cannot hold something. */
  isFirstToTell(what: Unheld): boolean {
    const bit = 1 << unheld.indexOf(what);
    return (Atomics.or(this.control, control.told, bit) & bit) === 0;
  }

  /** A cursor for a huge file, or -1 where all are in use. */
  takeCursor(): number {
    for (let slot = 0; slot < cursorSlots; slot++) {
      if (Atomics.compareExchange(this.control, control.slotTaken + slot, 0, 1) === 0) {
        Atomics.store(this.#cursors, slot, 0n);
        return slot;
      }
    }
    return -1;
  }

  /** Moves a cursor on by `step` bytes; returns where it was. */
  advanceCursor(slot: number, step: number): number {
    return Number(Atomics.add(this.#cursors, slot, BigInt(step)));
  }

  releaseCursor(slot: number): void {
    Atomics.store(this.control, control.slotTaken + slot, 0);
  }

  /** Takes one hungry thread's claim, if there is one: true = work may be given away. */
  claimHungry(): boolean {
    for (;;) {
      const hungry = Atomics.load(this.control, control.hungry);
      if (hungry <= 0) return false;
      const seen = Atomics.compareExchange(this.control, control.hungry, hungry, hungry - 1);
      if (seen === hungry) return true;
    }
  }
}
