import type { Action, Issue } from "../engine/options.ts";
import { cancelReason, counter } from "../engine/shared-state.ts";
import type { PassPurpose } from "../session/types.ts";
import type { LinkProgress, PassOutcome } from "./link.ts";

/** What a transfer over a link has come to, over both sides and all of its passes. */
export type RemoteOutcome = {
  readonly counts: readonly number[];
  readonly issues: readonly Issue[];
  readonly actions: readonly Action[];
  readonly deletionsSkipped: string | undefined;
  readonly cancelled: number;
};

/** Both sides count how far they are; everything else is counted where it is done. */
const countedTwice: ReadonlySet<number> = new Set([
  counter.bytesDone,
  counter.itemsDone,
  counter.activity,
]);

/** A pass after the first one meets the same again. */
const metAgain: ReadonlySet<number> = new Set([
  counter.upToDate,
  counter.skipped,
  counter.seen,
  counter.seenBytes,
  counter.attributesFailed,
  counter.bytesDone,
  counter.itemsDone,
  counter.deletable,
]);

/** Of a pass that settles a move: it looks at everything once more. */
const countedBySettling: ReadonlySet<number> = new Set([
  counter.moved,
  counter.failed,
  counter.bytesCompared,
]);

/** Counts of both sides of one pass. */
export function sumSides(source: readonly number[], target: readonly number[]): number[] {
  const length = Math.max(source.length, target.length);
  return Array.from({ length }, (_, column) => {
    const [a, b] = [source[column] ?? 0, target[column] ?? 0];
    return countedTwice.has(column) ? Math.max(a, b) : a + b;
  });
}

/** Gathers the passes of a transfer. */
export class OutcomeSum {
  #counts: number[] = [];
  readonly #issues = new Map<string, Issue>();
  #actions: readonly Action[] = [];
  #deletionsSkipped: string | undefined;
  #cancelled: number = cancelReason.none;
  #passes = 0;

  add(purpose: PassPurpose, { source, target }: PassOutcome): void {
    this.#addCounts(purpose, sumSides(source.counts, target.counts));
    for (const issue of [...source.issues, ...target.issues]) {
      this.#issues.set(`${issue.kind} ${issue.root} ${issue.message}\0${issue.path}`, issue);
    }
    this.#actions = [...this.#actions, ...target.actions];
    this.#deletionsSkipped ??= target.deletionsSkipped;
    this.cancel(source.cancelled || target.cancelled);
    this.#passes += 1;
  }

  /** What both sides have counted of a pass that was cut short. */
  addUnfinished(purpose: PassPurpose, progress: LinkProgress): void {
    const { source, target } = progress;
    this.#addCounts(purpose, sumSides(source?.counts ?? [], target?.counts ?? []));
    this.#passes += 1;
  }

  /** The last pass has left something to another one that there is not. */
  addRest(): void {
    const message = "the target was changed all the time: not everything was copied";
    const code = "E_CONFLICT";
    this.#issues.set("rest", { kind: "failed", root: 0, path: "", code, call: undefined, message });
    this.#counts[counter.failed] = (this.#counts[counter.failed] ?? 0) + 1;
  }

  /** The first reason stays. */
  cancel(reason: number): void {
    if (this.#cancelled === cancelReason.none) this.#cancelled = reason;
  }

  get cancelled(): number {
    return this.#cancelled;
  }

  result(): RemoteOutcome {
    return {
      counts: this.#counts,
      issues: [...this.#issues.values()],
      actions: this.#actions,
      deletionsSkipped: this.#deletionsSkipped,
      cancelled: this.#cancelled,
    };
  }

  #addCounts(purpose: PassPurpose, counts: readonly number[]): void {
    const length = Math.max(this.#counts.length, counts.length);
    this.#counts = Array.from({ length }, (_, column) => {
      const [before, now] = [this.#counts[column] ?? 0, counts[column] ?? 0];
      if (this.#passes === 0) return now;
      if (purpose === "settle") return countedBySettling.has(column) ? before + now : before;
      // A later pass also finds up to date what an earlier one has brought.
      if (column === counter.upToDate) return before;
      return metAgain.has(column) ? Math.max(before, now) : before + now;
    });
  }
}
