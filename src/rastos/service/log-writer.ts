import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Where a line is from: the program's two streams, or rinit itself. */
export type LogStream = "out" | "err" | "run";

/** Where and how much is kept. */
export interface LogOptions {
  /** Made when it is not there; holds `log`, `log.1` and so on. */
  readonly folder: string;
  readonly sizeMax: number;
  /** Rotated logs that are kept. */
  readonly keep: number;
  /** For the time of each line. */
  readonly now?: () => Date;
}

/** Longer lines are broken; the pieces but the last are marked with a "+". */
const LINE_BYTES_MAX = 8192;
/** What is kept in memory while the log cannot be written, such as before /var is mounted. */
const HELD_BYTES_MAX = 256 * 1024;
const RETRY_MS = 1000;

/**
 * The log of one service: a line for each line that it prints, with the time and the stream in
 * front: `2026-11-21T20:10:09.123Z err text`. Rotated by size. Never throws: what cannot be
 * written is held for a while, and then counted as lost.
 */
export class LogWriter {
  readonly #options: LogOptions;
  readonly #now: () => Date;
  readonly #partial = new Map<LogStream, Uint8Array>();
  #fd: number | undefined;
  #size = 0;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #lostBytes = 0;
  #retryAtMs = 0;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
  }

  /** Path of the log that is being written. */
  get path(): string {
    return join(this.#options.folder, "log");
  }

  /** What a stream has given; an unfinished line waits for its rest. */
  write(stream: LogStream, bytes: Uint8Array): void {
    const before = this.#partial.get(stream);
    const all = before === undefined ? bytes : Buffer.concat([before, bytes]);
    const pieces: Uint8Array[] = [];
    let start = 0;
    for (;;) {
      const end = all.indexOf(10, start);
      const length = (end < 0 ? all.length : end) - start;
      if (length > LINE_BYTES_MAX) {
        pieces.push(this.#line(`${stream}+`, all.subarray(start, start + LINE_BYTES_MAX)));
        start += LINE_BYTES_MAX;
        continue;
      }
      if (end < 0) break;
      pieces.push(this.#line(stream, all.subarray(start, end)));
      start = end + 1;
    }
    // A copy: the caller may use its buffer again.
    if (start < all.length) this.#partial.set(stream, Buffer.from(all.subarray(start)));
    else this.#partial.delete(stream);
    this.#append(pieces);
  }

  /** A line of rinit's own. */
  say(text: string): void {
    this.#append([this.#line("run", Buffer.from(text.replaceAll("\n", " ")))]);
  }

  /** Ends unfinished lines: the process that wrote them is gone. */
  finishLines(): void {
    for (const [stream, bytes] of this.#partial) this.#append([this.#line(stream, bytes)]);
    this.#partial.clear();
  }

  /** Ends unfinished lines, and closes the file until something is written again. */
  close(): void {
    this.finishLines();
    this.#close();
  }

  #line(mark: string, text: Uint8Array): Uint8Array {
    return Buffer.concat([
      Buffer.from(`${this.#now().toISOString()} ${mark} `),
      text,
      Buffer.from("\n"),
    ]);
  }

  #append(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      this.#held.push(piece);
      this.#heldBytes += piece.length;
    }
    if (this.#heldBytes === 0) return;
    if (this.#open()) this.#writeHeld();
    while (this.#heldBytes > HELD_BYTES_MAX) {
      const dropped = this.#held.shift()?.length ?? 0;
      this.#heldBytes -= dropped;
      this.#lostBytes += dropped;
    }
  }

  #writeHeld(): void {
    try {
      if (this.#lostBytes > 0) {
        this.#writeAll(this.#line("run", Buffer.from(`${this.#lostBytes} bytes were lost`)));
        this.#lostBytes = 0;
      }
      for (let piece = this.#held[0]; piece !== undefined; piece = this.#held[0]) {
        if (this.#size > 0 && this.#size + piece.length > this.#options.sizeMax) this.#rotate();
        this.#writeAll(piece);
        this.#held.shift();
        this.#heldBytes -= piece.length;
      }
    } catch {
      this.#fail();
    }
  }

  #writeAll(bytes: Uint8Array): void {
    if (this.#fd === undefined) throw new Error("The log is not open");
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
    this.#size += bytes.length;
  }

  #open(): boolean {
    if (this.#fd !== undefined) return true;
    const nowMs = this.#now().getTime();
    // A clock that was set back must not keep the log shut.
    if (nowMs < this.#retryAtMs && this.#retryAtMs - nowMs <= RETRY_MS) return false;
    try {
      mkdirSync(this.#options.folder, { recursive: true, mode: 0o750 });
      this.#fd = openSync(this.path, "a", 0o640);
      this.#size = fstatSync(this.#fd).size;
      return true;
    } catch {
      this.#fail();
      return false;
    }
  }

  #rotate(): void {
    this.#close();
    const { keep } = this.#options;
    const name = (index: number): string => (index === 0 ? this.path : `${this.path}.${index}`);
    rmSync(name(keep), { force: true });
    for (let index = keep - 1; index >= 0; index -= 1) rename(name(index), name(index + 1));
    if (!this.#open()) throw new Error("The log cannot be opened");
  }

  #fail(): void {
    this.#close();
    this.#retryAtMs = this.#now().getTime() + RETRY_MS;
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
