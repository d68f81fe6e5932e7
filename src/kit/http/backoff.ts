/** When to ask a server again that did not answer well. No I/O. */

const FIRST_DELAY_MS = 250;
const DELAY_MS_MAX = 10_000;
/** A server that wants to be left alone for longer is taken at its word: no further try. */
const RETRY_AFTER_MS_MAX = 60_000;

/**
 * Exponential backoff with jitter: 250 ms, 500 ms, 1 s … 10 s, each between half and the whole.
 * What the server asked for is the least.
 *
 * @param attempt of the try that failed, from 0
 * @param random from 0 to 1
 * @returns milliseconds, or undefined when the server asked for more than is reasonable
 */
export function retryDelayMs(
  attempt: number,
  random: number,
  retryAfterMs: number | undefined,
): number | undefined {
  if (retryAfterMs !== undefined && retryAfterMs > RETRY_AFTER_MS_MAX) return undefined;
  const whole = Math.min(FIRST_DELAY_MS * 2 ** attempt, DELAY_MS_MAX);
  const delayMs = whole * (0.5 + random / 2);
  return Math.max(delayMs, retryAfterMs ?? 0);
}

/** The Retry-After header (RFC 9110 section 10.2.3) in milliseconds from now. */
export function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

/** Statuses that mean "not now" and not "no". */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}
