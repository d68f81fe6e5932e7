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
  /** Bytes as latin1 text, here and below: a character for each. */
  readonly #partial = new Map<LogStream, string>();
  #fd: number | undefined;
  #size = 0;
  #held: string[] = [];
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
    const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    const lines = `${this.#partial.get(stream) ?? ""}${given}`.split("\n");
    const rest = this.#break(stream, lines.pop() ?? "");
    const pieces = lines.flatMap((line) => {
      const { broken, last } = this.#break(stream, line);
      return [...broken, `${this.#mark(stream)}${last}\n`];
    });
    if (rest.last === "") this.#partial.delete(stream);
    else this.#partial.set(stream, rest.last);
    this.#append([...pieces, ...rest.broken]);
  }

  /** A line of rinit's own. */
  say(text: string): void {
    const bytes = Buffer.from(text.replaceAll("\n", " ")).toString("latin1");
    this.#append([`${this.#mark("run")}${bytes}\n`]);
  }

  /** Ends unfinished lines: the process that wrote them is gone. */
  finishLines(): void {
    for (const [stream, text] of this.#partial) this.#append([`${this.#mark(stream)}${text}\n`]);
    this.#partial.clear();
  }

  /** Ends unfinished lines, and closes the file until something is written again. */
  close(): void {
    this.finishLines();
    this.#close();
  }

  /** The pieces of what is too long for a line, and what is left. */
  #break(stream: LogStream, line: string): { broken: readonly string[]; last: string } {
    if (line.length <= LINE_BYTES_MAX) return { broken: [], last: line };
    const broken: string[] = [];
    let start = 0;
    for (; line.length - start > LINE_BYTES_MAX; start += LINE_BYTES_MAX) {
      broken.push(`${this.#mark(`${stream}+`)}${line.slice(start, start + LINE_BYTES_MAX)}\n`);
    }
    return { broken, last: line.slice(start) };
  }

  #mark(mark: string): string {
    return `${this.#now().toISOString()} ${mark} `;
  }

  #append(pieces: readonly string[]): void {
    for (const piece of pieces) {
      this.#held.push(piece);
      this.#heldBytes += piece.length;
    }
    if (this.#heldBytes === 0) return;
    if (this.#open()) this.#writeHeld();
    let dropped = 0;
    while (this.#heldBytes > HELD_BYTES_MAX) {
      const { length } = this.#held[dropped] ?? "";
      dropped += 1;
      this.#heldBytes -= length;
      this.#lostBytes += length;
    }
    this.#held.splice(0, dropped);
  }

  #writeHeld(): void {
    let written = 0;
    try {
      if (this.#lostBytes > 0) {
        this.#writeAll(`${this.#mark("run")}${this.#lostBytes} bytes were lost\n`);
        this.#lostBytes = 0;
      }
      while (written < this.#held.length) {
        // As many as fit at once: a call for each line would cost more than all the rest.
        let together = this.#held[written] ?? "";
        if (this.#size > 0 && this.#size + together.length > this.#options.sizeMax) this.#rotate();
        let count = 1;
        for (let next = this.#held[written + count]; next !== undefined; ) {
          if (this.#size + together.length + next.length > this.#options.sizeMax) break;
          together += next;
          count += 1;
          next = this.#held[written + count];
        }
        this.#writeAll(together);
        written += count;
        this.#heldBytes -= together.length;
      }
    } catch {
      this.#fail();
    }
    this.#held.splice(0, written);
  }

  #writeAll(text: string): void {
    if (this.#fd === undefined) throw new Error("The log is not open");
    const bytes = Buffer.from(text, "latin1");
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
