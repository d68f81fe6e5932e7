/** Pages that an answer came from, so that it can be taken again while they are the same. */
import { statSync } from "node:fs";
import { stampOf } from "./cache-folder.ts";

/** A page in the cache. */
export interface ConsultedPage {
  readonly path: string;
  /** How long it may be used after it was written, or found to be still right. */
  readonly limitMs: number;
  readonly stamp: string;
}

/** A file from the future tells of a clock that was wrong. */
const CLOCK_SLACK_MS = 60_000;

/** True if a page of this age may be used without asking for it again. */
export function isYoung(ageMs: number, limitMs: number): boolean {
  return limitMs > 0 && ageMs < limitMs && ageMs > -CLOCK_SLACK_MS;
}

/**
 * True if all of these pages are in the cache as they were, and may still be used without asking.
 *
 * @param offline then they may be of any age
 */
export function areUnchanged(
  pages: readonly ConsultedPage[],
  options: { readonly offline: boolean; readonly nowMs: number },
): boolean {
  return pages.every(({ path, limitMs, stamp }) => {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined || stampOf(status) !== stamp) return false;
    return options.offline || isYoung(options.nowMs - status.mtimeMs, limitMs);
  });
}
