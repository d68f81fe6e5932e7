/** What a build prints: kept in a file, and its end in memory for the message. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { escapeControls, redactCredentials } from "../../kit/fault/redact.ts";

/** Of the end, for a message. */
const LINES_MAX = 20;
/** A line that goes on and on is cut; what is looked through for secrets is somewhat more. */
const LINE_CHARACTERS_MAX = 500;
const LOOKED_AT_CHARACTERS_MAX = 4096;

/** @see {@link BuildLog.lines} */
export class BuildLog {
  readonly path: string;
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #decoder = new TextDecoder();
  #fd: number | undefined;
  #pending = "";
  #last: string[] = [];

  /**
   * @param path of a file that need not exist; nobody else may read it
   * @param onLine told each line as it comes
   */
  constructor(path: string, onLine?: (line: string) => void) {
    this.path = path;
    this.#onLine = onLine;
  }

  /** A line of our own, between those of the build. */
  say(text: string): void {
    this.write(Buffer.from(`${text}\n`));
  }

  write(bytes: Uint8Array): void {
    if (this.#fd === undefined) {
      mkdirSync(dirname(this.path), { recursive: true });
      this.#fd = openSync(this.path, "a", 0o600);
    }
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#fd, bytes, done, bytes.length - done);
    }
    const pieces = (this.#pending + this.#decoder.decode(bytes, { stream: true })).split(
      /\r\n|[\r\n]/,
    );
    this.#pending = (pieces.pop() ?? "").slice(0, LOOKED_AT_CHARACTERS_MAX);
    for (const piece of pieces) this.#add(piece);
  }

  /** The last lines that say something, fit to be shown. */
  lines(): readonly string[] {
    if (this.#pending !== "") this.#add(this.#pending);
    this.#pending = "";
    return this.#last;
  }

  /** Ends the file; `remove`: nobody will want to read it. */
  close(options: { readonly remove: boolean }): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    if (options.remove) rmSync(this.path, { force: true });
  }

  #add(piece: string): void {
    const start = Bun.stripANSI(piece.slice(0, LOOKED_AT_CHARACTERS_MAX));
    const plain = redactCredentials(start).trimEnd();
    if (plain === "") return;
    const line = escapeControls(plain.replace(/\t/g, "    ").slice(0, LINE_CHARACTERS_MAX));
    this.#onLine?.(line);
    this.#last.push(line);
    if (this.#last.length > LINES_MAX) this.#last = this.#last.slice(-LINES_MAX);
  }
}
