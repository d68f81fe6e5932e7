import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../kit/fault/fault.ts";
import { LATE_REASON_MS, mayBeEcho } from "./link.ts";

/**
 * The reason that says most, where a session here and the call to the daemon both break: a socket
 * that closes is often the echo of what the daemon is about to say.
 */
export async function withReasonOf<T>(
  talk: { readonly over: Promise<void>; readonly failure: unknown },
  work: Promise<T>,
): Promise<T> {
  const broken = talk.over.then(() => {
    throw (
      talk.failure ?? new Fault({ code: "E_NETWORK", message: "The daemon ended the transfer" })
    );
  });
  // Whichever of the two comes later has nobody who waits for it.
  for (const each of [work, broken]) each.catch(() => {});
  try {
    return await Promise.race([work, broken]);
  } catch (error) {
    if (!(error instanceof Fault) || !mayBeEcho(error)) throw error;
    await Promise.race([talk.over, sleep(LATE_REASON_MS)]);
    const said = talk.failure;
    throw said instanceof Fault && !mayBeEcho(said) ? said : error;
  }
}
