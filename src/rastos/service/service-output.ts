import { sys } from "../../../ffi/sys.ts";
import { openPipe } from "./descriptors.ts";
import { LogWriter } from "./log-writer.ts";

/** The end of a process may be known before its last words have been read. */
export const LAST_WORDS_MS = 50;

/** What a service prints: two pipes that last as long as rinit does, and the log behind them. */
export class ServiceOutput {
  readonly log: LogWriter;
  readonly #echo: ((text: string) => void) | undefined;
  #isOver = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ends: { readonly out: number; readonly err: number } | undefined;

  /** @param echo gets everything too, for services whose log goes to the console as well */
  constructor(log: LogWriter, echo: ((text: string) => void) | undefined) {
    this.log = log;
    this.#echo = echo;
  }

  /** The ends for writing, for children. They are never closed here: so there is never an end. */
  get ends(): { readonly out: number; readonly err: number } {
    this.#ends ??= { out: this.#open("out"), err: this.#open("err") };
    return this.#ends;
  }

  /** A process is about to write. */
  begin(): void {
    this.#isOver = false;
    clearTimeout(this.#timer);
  }

  /** It has ended: what is still in the pipes is its last, also where no line ends there. */
  end(): void {
    this.#isOver = true;
    this.#finishSoon();
  }

  #finishSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.log.finishLines(), LAST_WORDS_MS);
  }

  #open(stream: "out" | "err"): number {
    const pipe = openPipe();
    void this.#copy(pipe.read, stream);
    return pipe.write;
  }

  /** One chunk at a time: a program that prints faster than we write waits, and nobody else. */
  async #copy(fd: number, stream: "out" | "err"): Promise<void> {
    try {
      for await (const bytes of Bun.file(fd).stream()) {
        this.log.write(stream, bytes);
        if (this.#isOver) this.#finishSoon();
        this.#echo?.(new TextDecoder().decode(bytes));
      }
    } catch {
      this.log.say(`its ${stream === "out" ? "output" : "errors"} cannot be read any more`);
    }
    sys.close(fd);
  }
}

/** A log of a service. */
export function openLog(
  folder: string,
  limits: { readonly size_max: number; readonly keep: number },
): LogWriter {
  return new LogWriter({ folder, sizeMax: limits.size_max, keep: limits.keep });
}
