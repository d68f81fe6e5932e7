import { Fault } from "../../kit/fault/fault.ts";
import type { Printer } from "../../kit/out/printer.ts";
import type { Issue } from "../engine/options.ts";

/** Tells what went wrong on the way, entry by entry, and what the exit code is in the end. */
export class Troubles {
  readonly #printer: Printer;
  /** Entries that were not dealt with. */
  count = 0;
  #isNothing = true;

  constructor(printer: Printer) {
    this.#printer = printer;
  }

  /** Problems with single entries. */
  tell(issues: readonly Issue[]): void {
    for (const issue of issues) {
      if (issue.kind !== "warning") this.count += 1;
      this.#printer.warn(issue.message);
    }
  }

  /** One of the command's places failed as a whole. @throws what is no Fault */
  fail(error: unknown): void {
    if (!(error instanceof Fault)) throw error;
    this.count += 1;
    this.#printer.error(error);
  }

  /** One of the command's places was dealt with. */
  done(): void {
    this.#isNothing = false;
  }

  /** 0; 4 where something failed; 1 where everything did. */
  get exitCode(): number {
    if (this.count === 0) return 0;
    return this.#isNothing ? 1 : 4;
  }
}
