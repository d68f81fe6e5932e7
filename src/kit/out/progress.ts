import { escapeControls } from "../fault/redact.ts";
import {
  formatBytes,
  formatCount,
  formatRate,
  formatSeconds,
  groupDigits,
} from "../text/format.ts";
import type { Printer } from "./printer.ts";
import type { ProgressState, ProgressUpdate } from "./progress-state.ts";
import { foldProgress, startProgress, viewProgress } from "./progress-state.ts";
import { terminalColumns } from "./tty.ts";

export type { ProgressUpdate } from "./progress-state.ts";

/** A progress line at the bottom of the terminal. */
export interface Progress {
  update(update: ProgressUpdate): void;
  /** Takes the line away for good. Further updates are ignored. */
  finish(): void;
  /** Takes the line away while a question is asked. */
  pause(): void;
  resume(): void;
}

/** What a progress line needs. */
export interface ProgressOptions {
  /** What is being done: `Copying`. */
  readonly label: string;
  /** Milliseconds of a clock that never goes back; replaced in tests. */
  readonly now?: () => number;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly columns?: number;
  /** Files are counted, bytes are not: they are left out of the line. */
  readonly countsOnly?: boolean;
}

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const;
const SPINNER_DUMB = ["-", "\\", "|", "/"] as const;
const REDRAW_MS = 100;

const SILENT: Progress = { update() {}, finish() {}, pause() {}, resume() {} };

/**
 * A progress line, or one that shows nothing: when stderr is no terminal, with -q, -v, --json or
 * --no-progress, and where CI is set. Drawn at once, then at most ten times a second, by `update`;
 * a timer keeps the spinner alive between updates and never keeps the process alive.
 */
export function createProgress(printer: Printer, options: ProgressOptions): Progress {
  const environment = options.environment ?? process.env;
  const isWanted =
    printer.progressMode &&
    printer.level === 0 &&
    !printer.jsonMode &&
    (environment["CI"] ?? "") === "" &&
    environment["TERM"] !== "dumb" &&
    printer.isTerminal(2);
  return isWanted ? new ProgressLine(printer, options) : SILENT;
}

class ProgressLine implements Progress {
  readonly #printer: Printer;
  readonly #label: string;
  readonly #countsOnly: boolean;
  readonly #now: () => number;
  readonly #columns: number;
  readonly #spinner: readonly string[];
  readonly #timer: ReturnType<typeof setInterval>;
  #state: ProgressState;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #frame = 0;
  #isShown = true;

  constructor(printer: Printer, options: ProgressOptions) {
    this.#printer = printer;
    this.#label = options.label;
    this.#countsOnly = options.countsOnly ?? false;
    this.#now = options.now ?? (() => performance.now());
    this.#columns = options.columns ?? terminalColumns(2);
    this.#spinner = isUnicode(options.environment ?? process.env) ? SPINNER : SPINNER_DUMB;
    this.#state = startProgress(this.#now());
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
    this.#timer.unref();
    this.#draw();
  }

  update(update: ProgressUpdate): void {
    this.#state = foldProgress(this.#state, update, this.#now());
    this.#draw();
  }

  finish(): void {
    clearInterval(this.#timer);
    this.pause();
  }

  pause(): void {
    this.#isShown = false;
    this.#printer.transient("");
  }

  resume(): void {
    this.#isShown = true;
    this.#draw();
  }

  #draw(): void {
    const nowMs = this.#now();
    if (!this.#isShown || nowMs - this.#drawnMs < REDRAW_MS) {
      return;
    }
    this.#drawnMs = nowMs;
    this.#frame = (this.#frame + 1) % this.#spinner.length;
    const how = { label: this.#label, nowMs, countsOnly: this.#countsOnly };
    const text = progressText(this.#state, how);
    const line = Bun.sliceAnsi(`${this.#spinner[this.#frame]} ${text}`, 0, this.#columns - 1);
    this.#printer.transient(line);
  }
}

/** The line without its spinner: `Copying 12 of 120 files, 1.2 of 3.4 MiB, 35 %, 28 MiB/s, …`. */
export function progressText(
  state: ProgressState,
  options: { readonly label: string; readonly nowMs: number; readonly countsOnly?: boolean },
): string {
  const view = viewProgress(state, options.nowMs);
  const parts = [itemsText(state)];
  if (options.countsOnly !== true) parts.push(bytesText(state));
  if (view.share !== undefined) {
    parts.push(`${Math.floor(view.share * 100)} %`);
  }
  if (options.countsOnly !== true) parts.push(formatRate(view.bytesPerSecond));
  if (view.secondsLeft !== undefined && view.secondsLeft > 0) {
    parts.push(`${formatSeconds(Math.ceil(view.secondsLeft))} left`);
  }
  const current = state.current === undefined ? "" : `  ${escapeControls(state.current)}`;
  return `${options.label} ${parts.join(", ")}${current}`;
}

function itemsText(state: ProgressState): string {
  const total = formatCount(state.totalItems, "file");
  return `${groupDigits(state.doneItems)} of ${state.totalIsFinal ? "" : "at least "}${total}`;
}

function bytesText(state: ProgressState): string {
  const total = formatBytes(state.totalBytes);
  return `${formatBytes(state.doneBytes)} of ${state.totalIsFinal ? "" : "at least "}${total}`;
}

function isUnicode(environment: Readonly<Record<string, string | undefined>>): boolean {
  const locale = environment["LC_ALL"] || environment["LC_CTYPE"] || environment["LANG"] || "";
  return /utf-?8/i.test(locale);
}
