import type { Printer } from "../../../kit/out/printer.ts";
import { createProgress, type Progress } from "../../../kit/out/progress.ts";
import type { KernelEvent } from "../../kernel/build.ts";
import { formatSetting } from "../../kernel/config-file.ts";
import type { Override } from "../../kernel/merge.ts";
import type { LostSetting } from "../../kernel/verify.ts";

/** Says on stderr what happens while a kernel is built. */
export class KernelTeller {
  readonly #printer: Printer;
  #progress: Progress | undefined;

  constructor(printer: Printer) {
    this.#printer = printer;
  }

  tell(event: KernelEvent): void {
    switch (event.kind) {
      case "phase":
        this.end();
        this.#printer.note(event.text);
        return;
      case "override":
        this.#override(event.override);
        return;
      case "lost":
        this.#printer.warn(`Lost: ${lostText(event.lost)}`);
        return;
      case "line":
        if (event.text !== "") this.#printer.verbose(event.text);
        if (this.#printer.debugMode && this.#printer.level < 1) this.#printer.debug(event.text);
        return;
      case "compiled":
        this.#progress ??= createProgress(this.#printer, { label: "Compiled", countsOnly: true });
        this.#progress.update({
          doneBytes: 0,
          doneItems: event.done,
          totalItems: event.total,
          totalIsFinal: false,
          ...(event.current === undefined ? {} : { current: event.current }),
        });
    }
  }

  /** What only changes the base's default is what a profile is for, and not worth a line. */
  #override(override: Override): void {
    const text = overrideText(override);
    if (/config$/.test(override.from.layer)) this.#printer.verbose(text);
    else this.#printer.note(text);
  }

  end(): void {
    this.#progress?.finish();
    this.#progress = undefined;
  }
}

/** `CONFIG_X=y (file:3) overrides …`. */
export function overrideText({ symbol, from, to }: Override): string {
  const before = `${from.value} of ${from.layer}`;
  return `${formatSetting(symbol, to.value)} (${to.layer}:${to.line}) overrides ${before}`;
}

function lostText(lost: LostSetting): string {
  const setting = `${formatSetting(lost.symbol, lost.wanted)} (${lost.layer}:${lost.line})`;
  return `${setting} became ${lost.got}: ${lost.reason}`;
}
