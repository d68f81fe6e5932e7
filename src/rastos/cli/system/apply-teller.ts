import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { createProgress, type Progress } from "../../../kit/out/progress.ts";
import type { ApplyEvent } from "../../system/apply.ts";
import { listenForInterruption } from "../packages/interruption.ts";

const LABELS: Readonly<Record<string, string>> = {
  aur: "Building packages of the AUR",
  databases: "Fetching the databases",
  packages: "Changing packages",
  settings: "Writing settings",
  snapshot: "Keeping the snapshot",
};

/** Tells what happens, and hands Ctrl-C on while it does. */
export class ApplyTeller implements Disposable {
  readonly #printer: Printer;
  readonly #interruption = listenForInterruption();
  #progress: Progress | undefined;

  constructor(printer: Printer) {
    this.#printer = printer;
  }

  /** Set off by Ctrl-C and SIGTERM. */
  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  tell(event: ApplyEvent): void {
    switch (event.kind) {
      case "begin": {
        this.#progress?.finish();
        const label = LABELS[event.what] ?? event.what;
        this.#progress = createProgress(this.#printer, { label, countsOnly: true });
        this.#printer.verbose(escapeControls(label));
        break;
      }
      case "line":
        this.#printer.verbose(`  ${escapeControls(event.line)}`);
        break;
      case "note":
        this.#printer.note(`note: ${escapeControls(event.text)}`);
        break;
      case "package":
        if (event.event.kind === "note") this.#printer.verbose(escapeControls(event.event.text));
        else if (event.event.kind === "hook") {
          this.#printer.verbose(`hook: ${escapeControls(event.event.name)}`);
        }
        break;
    }
  }

  /** Takes the progress line away, as for a question. */
  pause(): void {
    this.#progress?.finish();
    this.#progress = undefined;
  }

  [Symbol.dispose](): void {
    this.pause();
    this.#interruption[Symbol.dispose]();
  }
}
