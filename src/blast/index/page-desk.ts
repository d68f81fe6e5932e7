/** Where answers of indexes become pages, and what is kept is written: here or on a thread. */
import { Fault, faultFromJson } from "../../kit/fault/fault.ts";
import type { MaybePromise } from "../resolve/port.ts";
import type { CacheFolder } from "./cache-folder.ts";
import {
  type FromPageWorker,
  type MadePage,
  makePage,
  type PageJob,
  type ToPageWorker,
} from "./page-work.ts";

/** Answers of so many bytes altogether take less time than the start of a thread (some 30 ms). */
const HERE_BYTES = 1024 * 1024;

/** When more than that waits for the thread, the next answer is read here beside it. */
const BACKLOG_BYTES = 512 * 1024;

interface Waiting {
  readonly bytes: number;
  readonly resolve: (page: MadePage) => void;
  readonly reject: (error: unknown) => void;
}

/** What a desk needs. */
export interface PageDeskOptions {
  readonly cache: CacheFolder;
  readonly cacheFolder: string;
  readonly warn: (text: string, hint?: string) => void;
  /** Starts a thread; undefined: everything happens here. */
  readonly createWorker: (() => Worker) | undefined;
}

/**
 * Reading a page takes milliseconds, of large projects dozens, and the disk may be slow: once there
 * is much of it, a thread does both while the resolver goes on.
 */
export class PageDesk {
  readonly #options: PageDeskOptions;
  #worker: Worker | undefined;
  #isReady = false;
  #seenBytes = 0;
  #nextId = 0;
  #backlogBytes = 0;
  readonly #waiting = new Map<number, Waiting>();
  #onFinished: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  /** There are none, or the one that there is was started already. */
  #hasNoMoreThreads: boolean;

  constructor(options: PageDeskOptions) {
    this.#options = options;
    this.#hasNoMoreThreads = options.createWorker === undefined;
  }

  /** Makes a page and keeps it. @throws {Fault} as `makePage` */
  make(job: PageJob): MaybePromise<MadePage> {
    const bytes = job.answer?.bytes.length ?? 0;
    this.#seenBytes += bytes;
    if (!this.#hasNoMoreThreads && this.#seenBytes > HERE_BYTES) this.#start();
    if (!this.#isReady || this.#backlogBytes > BACKLOG_BYTES) {
      const { cache, warn } = this.#options;
      return makePage(job, cache, warn);
    }
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { bytes, resolve, reject });
      this.#backlogBytes += bytes;
      this.#worker?.ref();
      this.#post({ kind: "page", id, job }, job.answer?.bytes);
    });
  }

  /** Adds to a file of the cache, at the latest by when the desk is closed. */
  append(path: string, text: string): void {
    if (this.#isReady) this.#post({ kind: "append", path, text });
    else this.#options.cache.append(path, text);
  }

  /** Ends the thread, when what it was given is written. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#hasNoMoreThreads = true;
    const worker = this.#worker;
    if (worker !== undefined && this.#isReady) {
      const finished = new Promise<void>((resolve) => (this.#onFinished = resolve));
      worker.ref();
      this.#post({ kind: "finish" });
      this.#isReady = false;
      await finished;
    }
    worker?.terminate();
    this.#lose("the index was closed");
  }

  #start(): void {
    let worker: Worker | undefined;
    try {
      worker = this.#options.createWorker?.();
    } catch {
      // No memory, or too many threads: it goes without.
    }
    this.#hasNoMoreThreads = true;
    if (worker === undefined) return;
    this.#worker = worker;
    // Only one that is at work keeps the process from ending.
    worker.unref();
    worker.onmessage = (event: MessageEvent<FromPageWorker>) => this.#receive(event.data);
    worker.onerror = (event: ErrorEvent) => this.#lose(event.message);
    worker.addEventListener("close", () => this.#lose("its thread has ended"));
    this.#post({ kind: "open", cacheFolder: this.#options.cacheFolder });
  }

  #post(message: ToPageWorker, bytes?: Uint8Array): void {
    const isOwn = bytes !== undefined && bytes.byteLength === bytes.buffer.byteLength;
    this.#worker?.postMessage(message, isOwn ? [bytes.buffer as ArrayBuffer] : []);
  }

  #receive(message: FromPageWorker): void {
    switch (message.kind) {
      case "ready":
        this.#isReady = true;
        break;
      case "warning":
        this.#options.warn(message.text, message.hint);
        break;
      case "done":
        this.#onFinished?.();
        break;
      case "page":
        this.#taken(message.id)?.resolve(message.page);
        break;
      case "fault":
        this.#taken(message.id)?.reject(faultFromJson(message.fault));
    }
  }

  #taken(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    this.#backlogBytes -= waiting?.bytes ?? 0;
    if (this.#waiting.size === 0 && this.#closing === undefined) this.#worker?.unref();
    return waiting;
  }

  /** The thread is gone: so is what it was given, and the rest is done here. */
  #lose(reason: string): void {
    this.#isReady = false;
    const fault = new Fault({ code: "E_BUG", message: `A worker failed: ${reason}` });
    for (const id of [...this.#waiting.keys()]) this.#taken(id)?.reject(fault);
    this.#onFinished?.();
  }
}
