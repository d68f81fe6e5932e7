import type { StreamSeat } from "../../src/blit/session/types.ts";

/** What the other end of a stream is to do. */
export type PeerStep =
  | { readonly kind: "send-file" | "receive-file"; fd: number; offset: number; length: number }
  | { readonly kind: "send-zeros" | "discard" | "need" | "take"; readonly length: number }
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "flush" | "close" };

export type PeerDone = {
  /** Of each step. */
  readonly results: readonly unknown[];
  readonly sent: number;
  readonly received: number;
};

/** Does the steps on the other end of a stream, in a thread of its own. */
export async function inThread(seat: StreamSeat, steps: readonly PeerStep[]): Promise<PeerDone> {
  const worker = new Worker(new URL("./stream-peer.worker.ts", import.meta.url));
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<PeerDone>) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({ seat, steps });
    });
  } finally {
    worker.terminate();
  }
}
