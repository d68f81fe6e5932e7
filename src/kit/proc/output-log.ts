import { closeSync, openSync, writeSync } from "node:fs";
import { Fault } from "../fault/fault.ts";
import { reasonOf } from "../fault/reason.ts";

/** All that programs print, in a file, and its lines one by one. */
export class OutputLog implements Disposable {
  readonly path: string;
  readonly #fd: number;
  readonly #onLine: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #pending = "";

  /** Begins the file anew. @throws node:fs errors */
  constructor(path: string, onLine: (line: string) => void) {
    this.path = path;
    this.#onLine = onLine;
    this.#fd = openSync(path, "w", 0o644);
  }

  /** What a program has printed. @throws {Fault} E_NO_SPACE, E_IO */
  readonly write = (bytes: Uint8Array): void => {
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done);
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new Fault({
        code: code === "ENOSPC" || code === "EDQUOT" ? "E_NO_SPACE" : "E_IO",
        message: `Cannot write "${this.path}": ${reasonOf(error)}`,
        hint: "make room there, or look after the disk, and run the same command again",
      });
    }
    const pieces = (this.#pending + this.#decoder.decode(bytes, { stream: true })).split("\n");
    // Without an end it is no line, and must not grow without end either.
    this.#pending = (pieces.pop() ?? "").slice(-PENDING_CHARACTERS_MAX);
    for (const piece of pieces) this.#onLine(piece);
  };

  /** A line of our own, between those of the programs. */
  say(text: string): void {
    this.write(Buffer.from(`# ${text}\n`));
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

const PENDING_CHARACTERS_MAX = 64 * 1024;
