import type { Printer } from "../../kit/out/printer.ts";
import type { Progress } from "../../kit/out/progress.ts";
import type { ProgressUpdate } from "../../kit/out/progress-state.ts";
import { counter } from "../engine/shared-state.ts";
import type { Link, LinkProgress } from "../remote/link.ts";

/** With --json an event this often; short transfers print none. */
const EVENT_MS = 2000;
const REDRAW_MS = 100;

/** Shows how far a transfer over the network is: on the terminal, or as events of --json. */
export class RemoteWatcher {
  readonly #printer: Printer;
  readonly #progress: Progress;
  readonly #timer: Timer;
  #link: Pick<Link, "progress"> | undefined;
  #nextEventMs = performance.now() + EVENT_MS;

  constructor(printer: Printer, progress: Progress) {
    this.#printer = printer;
    this.#progress = progress;
    this.#timer = setInterval(() => this.#show(), REDRAW_MS);
  }

  watch(link: Pick<Link, "progress">): void {
    this.#link = link;
  }

  pause(): void {
    this.#progress.pause();
  }

  resume(): void {
    this.#progress.resume();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#progress.finish();
  }

  #show(): void {
    if (this.#link === undefined) return;
    const update = updateOf(this.#link.progress());
    this.#progress.update(update);
    if (!this.#printer.jsonMode || performance.now() < this.#nextEventMs) return;
    this.#nextEventMs += EVENT_MS;
    this.#printer.json({ schema: "blit.progress/1", ...update });
  }
}

/** The source knows how much there is; either side may be the first to know what is done. */
export function updateOf({ source, target }: LinkProgress): ProgressUpdate {
  const of = (column: number): [number, number] => [
    source?.counts[column] ?? 0,
    target?.counts[column] ?? 0,
  ];
  return {
    doneBytes: Math.max(...of(counter.bytesDone)),
    totalBytes: Math.max(...of(counter.seenBytes)),
    doneItems: Math.max(...of(counter.itemsDone)),
    totalItems: Math.max(...of(counter.seen)),
    totalIsFinal: (source ?? target)?.isFinal ?? false,
  };
}
