import { check, sys } from "./sys.ts";

/** fcntl(2): a copy of a descriptor that is closed on exec. */
const F_DUPFD_CLOEXEC = 1030;

/**
 * A file descriptor with one owner: `using folder = new Fd(sys.openat(…))` closes it when its scope
 * ends, however it ends. One made of a failed call holds nothing but the reason: `isOpen` is false
 * and `number` is -errno, so that a caller can decide and report. Not for hot paths, where the
 * plain number is passed.
 *
 * @example
 * using folder = new Fd(sys.openat(parent, name, flags, 0));
 * if (!folder.isOpen) return report(folder.number);
 */
export class Fd implements Disposable {
  #number: number;

  /** Takes ownership of what a call returned: a descriptor, or -errno. */
  constructor(result: number) {
    this.#number = result;
  }

  get isOpen(): boolean {
    return this.#number >= 0;
  }

  /**
   * The descriptor, still owned here; -errno where the call failed.
   * @throws Error after close or transfer: the number may be another file's by then
   */
  get number(): number {
    if (Number.isNaN(this.#number)) throw new Error("Cannot use a descriptor that was given away");
    return this.#number;
  }

  /** Gives the number to a new owner, who closes it. A failed one passes on its -errno. */
  transfer(): number {
    const { number } = this;
    this.#number = Number.NaN;
    return number;
  }

  /**
   * A second descriptor of the same open file (offset and flags are shared), owned apart.
   * @throws SystemError where the process may open no more
   */
  dup(): Fd {
    return new Fd(check(sys.fcntl(this.number, F_DUPFD_CLOEXEC, 0), "fcntl"));
  }

  /** Closes early. Returns 0 or the -errno of close(2): for writers on network file systems. */
  close(): number {
    const wasOpen = this.isOpen;
    const number = this.#number;
    this.#number = Number.NaN;
    return wasOpen ? sys.close(number) : 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
