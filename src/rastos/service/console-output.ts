import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";

/** Opening a terminal must not make it ours. */
const NOCTTY = 0o400;
/** How long a line waits for a slow console, in all. */
const WAIT_MS_MAX = 200;
const STEP_MS = 5;

/**
 * Where the first process says what it does. Somebody may have stopped that terminal (Ctrl-S), or
 * nobody read from it: a write that waits for him would be the end of all supervision, so what
 * does not get through in a moment is lost.
 */
export class Console {
  readonly #fd: number;
  /** Nothing has got through the last time: until something does, nothing waits. */
  #isStuck = false;

  /** @param fd open for writing, not blocking */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * The standard error that this process has; undefined where it cannot be opened again, or is a
   * file, which nobody has to wait for.
   */
  static open(path = "/proc/self/fd/2"): Console | undefined {
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | NOCTTY);
      if (!fstatSync(fd).isFile()) return new Console(fd);
      closeSync(fd);
    } catch {
      // As it is, then.
    }
    return undefined;
  }

  /** Never throws: there is nobody who could be told. */
  write(bytes: Uint8Array): void {
    let waitedMs = 0;
    for (let done = 0; done < bytes.length; ) {
      try {
        done += writeSync(this.#fd, bytes, done);
        this.#isStuck = false;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EINTR") continue;
        if (code !== "EAGAIN" || this.#isStuck || waitedMs >= WAIT_MS_MAX) {
          this.#isStuck = code === "EAGAIN";
          return;
        }
        Bun.sleepSync(STEP_MS);
        waitedMs += STEP_MS;
      }
    }
  }
}
