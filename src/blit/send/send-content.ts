import { counter } from "../engine/shared-state.ts";
import type { Sender } from "./sender.ts";
import { StreamBroken } from "./stream-broken.ts";

/** How sending a file's content went, beside 0 and -errno of reading it: it was cut meanwhile. */
export const cut = -1_000_000;

/**
 * Sends the content of a frame that has promised `length` bytes; where the file does not give them,
 * zeros take their place. Returns 0, `cut` or -errno of the file.
 * @throws StreamBroken
 */
export function sendPromised(s: Sender, fd: number, offset: number, length: number): number {
  const startedMs = performance.now();
  const { sent, result, side } = s.socket.sendFile(fd, offset, length);
  s.t.add(counter.bytesDone, sent);
  s.zstd?.sent(sent, performance.now() - startedMs, 0);
  if (sent === length) return 0;
  if (side === "socket") {
    throw new StreamBroken(result, s.socket.lastWait, `stream ${s.t.index}`);
  }
  s.must(s.socket.sendZeros(length - sent));
  return result < 0 ? result : cut;
}
