/** What a service says to NOTIFY_SOCKET, as far as rinit listens: sd_notify(3). */
export interface NotifyMessage {
  readonly isReady: boolean;
  readonly isAlive: boolean;
  readonly status: string | undefined;
}

const STATUS_CHARACTERS_MAX = 200;

/** Reads a message; what is not known is ignored, as the protocol wants it. */
export function parseNotify(bytes: Uint8Array): NotifyMessage {
  const lines = new TextDecoder().decode(bytes.subarray(0, 65_536)).split("\n");
  const status = lines.findLast((line) => line.startsWith("STATUS="))?.slice("STATUS=".length);
  return {
    isReady: lines.includes("READY=1"),
    isAlive: lines.includes("WATCHDOG=1"),
    status: status?.slice(0, STATUS_CHARACTERS_MAX),
  };
}
