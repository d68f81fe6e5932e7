import { acquireLock, releaseLock } from "../wire/shared-lock.ts";

/**
 * Folders that any stream may take, in memory that all sending workers share: a stack of bytes
 * behind a lock. So a worker can sleep in a system call for the whole of a pass; no message has to
 * reach it.
 */

const word = { lock: 0, top: 1, walking: 2, hungry: 3, changes: 4, parked: 5 } as const;
const headBytes = 64;
const stackBytes = 4 * 1024 * 1024;
/** Root u16, length of the path u32, once more behind the path, so that the top can be found. */
const frameBytes = 6;

/** A folder to be walked; "" is the root itself. */
export type QueuedFolder = { readonly root: number; readonly path: string };

export class FolderQueue {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, headBytes / 4);
    this.#view = new DataView(buffer, headBytes);
    this.#bytes = new Uint8Array(buffer, headBytes);
  }

  static create(): FolderQueue {
    return new FolderQueue(new SharedArrayBuffer(headBytes + stackBytes));
  }

  /** Folders that are known and not walked yet, here or with a worker. 0: the walk is over. */
  get walking(): number {
    return Atomics.load(this.#words, word.walking);
  }

  /** Notes folders that were found (positive) or one that has been walked (-1). */
  addWalking(count: number): void {
    const before = Atomics.add(this.#words, word.walking, count);
    if (before + count === 0) this.wake();
  }

  /** How many workers wait for a folder. */
  get hungry(): number {
    return Atomics.load(this.#words, word.hungry);
  }

  addHungry(count: 1 | -1): void {
    Atomics.add(this.#words, word.hungry, count);
  }

  /** Streams from this number on take nothing new; 0: all of them do. */
  get parkedFrom(): number {
    return Atomics.load(this.#words, word.parked);
  }

  park(from: number): void {
    if (Atomics.exchange(this.#words, word.parked, from) !== from) this.wake();
  }

  get isEmpty(): boolean {
    return Atomics.load(this.#words, word.top) === 0;
  }

  /** Puts a folder on the stack; false where there is no room for it. */
  push(root: number, path: string): boolean {
    acquireLock(this.#words, word.lock);
    const top = this.#words[word.top] as number;
    const end = top + path.length + frameBytes;
    const fits = end <= stackBytes;
    if (fits) {
      for (let i = 0; i < path.length; i++) this.#bytes[top + i] = path.charCodeAt(i);
      this.#view.setUint32(end - frameBytes, path.length, true);
      this.#view.setUint16(end - 2, root, true);
      this.#words[word.top] = end;
    }
    releaseLock(this.#words, word.lock);
    if (fits) this.wake();
    return fits;
  }

  pop(): QueuedFolder | undefined {
    if (this.isEmpty) return undefined;
    acquireLock(this.#words, word.lock);
    const top = this.#words[word.top] as number;
    let found: QueuedFolder | undefined;
    if (top > 0) {
      const length = this.#view.getUint32(top - frameBytes, true);
      const start = top - frameBytes - length;
      // A copy: text is not made of shared memory everywhere.
      const bytes = Buffer.from(this.#bytes.slice(start, start + length));
      found = { root: this.#view.getUint16(top - 2, true), path: bytes.toString("latin1") };
      this.#words[word.top] = start;
    }
    releaseLock(this.#words, word.lock);
    return found;
  }

  /**
   * Sleeps until something is pushed, the walk is over, `wake` is called or `ms` have passed; not
   * at all where `isDue` says that there is something to do.
   */
  wait(ms: number, isDue: () => boolean): void {
    const changes = Atomics.load(this.#words, word.changes);
    if (isDue()) return;
    Atomics.wait(this.#words, word.changes, changes, ms);
  }

  /** Ends the sleep of all. */
  wake(): void {
    Atomics.add(this.#words, word.changes, 1);
    Atomics.notify(this.#words, word.changes);
  }

  /** Forgets everything: a pass was cancelled. */
  clear(): void {
    acquireLock(this.#words, word.lock);
    this.#words[word.top] = 0;
    this.#words[word.walking] = 0;
    this.#words[word.hungry] = 0;
    this.#words[word.parked] = 0;
    releaseLock(this.#words, word.lock);
    this.wake();
  }
}
