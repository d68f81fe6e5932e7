import type { Http2Session } from "node:http2";
import type { PingTimes } from "./limits.ts";

/** What has arrived while this process was busy is looked at before the peer is called silent. */
const GRACE_MS = 250;

/**
 * Asks the other end of a connection now and then whether it still is there: a machine that was
 * switched off, or a NAT that has forgotten the connection, says nothing by itself. Whatever it
 * sends counts as an answer.
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
  const interval = setInterval(ask, times.intervalMs);
  interval.unref();

  function ask(): void {
    if (overdue !== undefined || session.destroyed) return;
    const bytesBefore = bytesRead(session);
    const isAnswered = (): boolean => overdue === undefined || bytesRead(session) !== bytesBefore;
    const giveUp = (): void => {
      if (isAnswered()) {
        overdue = undefined;
        return;
      }
      stop();
      onSilence();
    };
    overdue = setTimeout(() => {
      overdue = setTimeout(giveUp, GRACE_MS);
    }, times.timeoutMs);
    try {
      session.ping(() => {
        clearTimeout(overdue);
        overdue = undefined;
      });
    } catch {
      stop();
    }
  }

  function stop(): void {
    clearInterval(interval);
    clearTimeout(overdue);
    overdue = undefined;
  }
  return stop;
}

/** A session that is just being closed has no socket any more. */
function bytesRead(session: Http2Session): number {
  try {
    return session.socket.bytesRead;
  } catch {
    return 0;
  }
}
