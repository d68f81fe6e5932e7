import type { Http2Session } from "node:http2";
import type { PingTimes } from "./limits.ts";

/**
 * Asks the other end of a connection now and then whether it still is there: a machine that was
 * switched off, or a NAT that has forgotten the connection, says nothing by itself.
 *
 * @param onSilence is called once, when an answer is overdue
 * @returns ends the watch
 */
export function watchSession(
  session: Http2Session,
  times: PingTimes,
  onSilence: () => void,
): () => void {
  let overdue: ReturnType<typeof setTimeout> | undefined;
  const interval = setInterval(() => {
    if (overdue !== undefined || session.destroyed || session.closed) return;
    overdue = setTimeout(() => {
      stop();
      onSilence();
    }, times.timeoutMs);
    overdue.unref();
    try {
      session.ping(() => {
        clearTimeout(overdue);
        overdue = undefined;
      });
    } catch {
      stop();
    }
  }, times.intervalMs);
  interval.unref();
  function stop(): void {
    clearInterval(interval);
    clearTimeout(overdue);
  }
  return stop;
}
