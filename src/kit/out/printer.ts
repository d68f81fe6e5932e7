import type { Fault } from "../fault/fault.ts";
import { sanitise } from "../fault/redact.ts";
import { renderFault } from "../fault/render.ts";
import type { Style } from "./style.ts";
import { PLAIN_STYLE } from "./style.ts";
import type { OutputFd } from "./tty.ts";
import { isTerminal } from "./tty.ts";
import { BrokenPipe, writeFully } from "./write-fully.ts";

/** -1 quiet (`-q`), 0 normal, 1 verbose (`-v`), 2 very verbose (`-vv`). */
export type Level = -1 | 0 | 1 | 2;

/** What a printer is made of; everything has a default. */
export interface PrinterOptions {
  readonly level?: Level;
  /** `--json`: stdout holds JSON only. */
  readonly json?: boolean;
  /** `--debug`: stacks and codes with every failure. */
  readonly debug?: boolean;
  /** False with `--no-progress`. */
  readonly progress?: boolean;
  /** For stderr. */
  readonly style?: Style;
  /** For stdout. */
  readonly dataStyle?: Style;
  /** Replaced in tests. @throws {BrokenPipe} */
  readonly write?: (fd: OutputFd, bytes: Uint8Array) => void;
  /** Replaced in tests. */
  readonly isTerminal?: (fd: OutputFd) => boolean;
}

const BUFFER_CHARACTERS_MAX = 64 * 1024;
const CLEAR_LINE = "\r\u001b[2K";

/**
 * The sole writer to fd 1 and 2. Data goes to stdout, everything else to stderr. Lines for stdout
 * are gathered until the current turn of the event loop ends, so a listing of 100,000 names costs
 * a few writes, and a reader of a slow stream still sees each line when it is made.
 */
export class Printer {
  readonly level: Level;
  readonly jsonMode: boolean;
  readonly debugMode: boolean;
  readonly progressMode: boolean;
  /** For text that goes to stderr. */
  readonly style: Style;
  /** For text that goes to stdout. */
  readonly dataStyle: Style;
  readonly #write: (fd: OutputFd, bytes: Uint8Array) => void;
  readonly #isTerminal: (fd: OutputFd) => boolean;
  readonly #encoder = new TextEncoder();
  #pending: string[] = [];
  #pendingCharacters = 0;
  #flushScheduled = false;
  #stdoutFailure: Error | undefined;
  #stderrClosed = false;
  #transient = "";

  constructor(options: PrinterOptions = {}) {
    this.level = options.level ?? 0;
    this.jsonMode = options.json ?? false;
    this.debugMode = options.debug ?? false;
    this.progressMode = options.progress ?? true;
    this.style = options.style ?? PLAIN_STYLE;
    this.dataStyle = options.dataStyle ?? PLAIN_STYLE;
    this.#write = options.write ?? writeFully;
    this.#isTerminal = options.isTerminal ?? isTerminal;
  }

  /** A line of data on stdout. @throws {BrokenPipe} when nobody reads any more */
  out(text: string): void {
    this.#gather(`${text}\n`);
  }

  /** Text on stdout exactly as it is, without a line break of its own. @throws {BrokenPipe} */
  raw(text: string): void {
    this.#gather(text);
  }

  /** One line of JSON on stdout. @throws {BrokenPipe} */
  json(value: unknown): void {
    this.#gather(`${JSON.stringify(value)}\n`);
  }

  /** A failure on stderr, whatever the level. */
  error(fault: Fault): void {
    this.#say(renderFault(fault, { style: this.style, debug: this.debugMode }));
  }

  /** A warning on stderr, whatever the level. Outside text in it is made harmless here. */
  warn(text: string, hint?: string): void {
    this.#say(`${this.style.warning("warning:")} ${sanitise(text)}`);
    if (hint !== undefined) {
      this.#say(`${this.style.hint("hint:")} ${sanitise(hint)}`);
    }
  }

  /** Help on stderr for a command line that says too little; `-q` does not hide it. */
  usage(text: string): void {
    this.#say(text);
  }

  /** A line on stderr that `-q` hides: summaries, what is being done. */
  note(text: string): void {
    if (this.level >= 0) {
      this.#say(text);
    }
  }

  /** A line on stderr that only `-v` shows. */
  verbose(text: string): void {
    if (this.level >= 1) {
      this.#say(text);
    }
  }

  /** A line on stderr that only `-vv` or `--debug` shows. */
  debug(text: string): void {
    if (this.level >= 2 || this.debugMode) {
      this.#say(this.style.dim(text));
    }
  }

  /** Text on stderr without line break, for a question that is about to be read. */
  prompt(text: string): void {
    this.transient("");
    this.#writeStderr(text);
  }

  /** The one line at the bottom of the terminal that is overwritten; "" takes it away. */
  transient(line: string): void {
    if (line === this.#transient) {
      return;
    }
    this.#transient = line;
    this.#writeStderr(CLEAR_LINE + line);
  }

  /** True if the descriptor is a terminal. */
  isTerminal(fd: OutputFd): boolean {
    return this.#isTerminal(fd);
  }

  /** True once the reader of stdout has gone: further output is pointless. */
  get stdoutClosed(): boolean {
    return this.#stdoutFailure instanceof BrokenPipe;
  }

  /** Writes what is gathered. @throws {BrokenPipe} @throws {Fault} E_IO, E_NO_SPACE */
  flush(): void {
    if (this.#stdoutFailure !== undefined) {
      throw this.#stdoutFailure;
    }
    if (this.#pending.length === 0) {
      return;
    }
    const text = this.#pending.join("");
    this.#pending = [];
    this.#pendingCharacters = 0;
    this.#hideTransient();
    try {
      this.#write(1, this.#encoder.encode(text));
    } catch (error) {
      this.#stdoutFailure = error as Error;
      throw error;
    }
  }

  #gather(text: string): void {
    this.#pending.push(text);
    this.#pendingCharacters += text.length;
    if (this.#stdoutFailure !== undefined || this.#pendingCharacters >= BUFFER_CHARACTERS_MAX) {
      this.flush();
    } else if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      queueMicrotask(() => {
        this.#flushScheduled = false;
        this.#flushQuietly();
      });
    }
  }

  /** A failure is kept and thrown by the next call that writes to stdout, and by `flush`. */
  #flushQuietly(): void {
    try {
      this.flush();
    } catch {
      // Kept in #stdoutFailure.
    }
  }

  #say(text: string): void {
    this.#flushQuietly();
    this.#hideTransient();
    this.#writeStderr(`${text}\n`);
  }

  #hideTransient(): void {
    if (this.#transient !== "") {
      this.#transient = "";
      this.#writeStderr(CLEAR_LINE);
    }
  }

  /** Nobody listening on stderr is no reason to break off work: it goes on in silence. */
  #writeStderr(text: string): void {
    if (this.#stderrClosed) {
      return;
    }
    try {
      this.#write(2, this.#encoder.encode(text));
    } catch {
      this.#stderrClosed = true;
    }
  }
}
