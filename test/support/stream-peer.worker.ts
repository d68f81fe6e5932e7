/** The other end of a stream in a thread of its own: does what it is told, one step at a time. */

import type { StreamSeat } from "../../src/blit/session/types.ts";
import { DataSocket } from "../../src/blit/wire/data-socket.ts";
import type { PeerStep } from "./stream-peer.ts";

declare const self: Worker;

function run(socket: DataSocket, step: PeerStep): unknown {
  switch (step.kind) {
    case "send-file":
      return socket.sendFile(step.fd, step.offset, step.length);
    case "receive-file":
      return socket.receiveToFile(step.fd, step.offset, step.length);
    case "send-zeros":
      return socket.sendZeros(step.length);
    case "flush":
      return socket.flush();
    case "discard":
      return socket.discard(step.length);
    case "need":
      return socket.need(step.length);
    case "take": {
      const result = socket.need(step.length);
      if (result < 0) return result;
      const text = socket.input.text.latin1Slice(
        socket.inputOffset,
        socket.inputOffset + step.length,
      );
      socket.consume(step.length);
      return text;
    }
    case "say": {
      const result = socket.reserve(step.text.length);
      if (result < 0) return result;
      socket.commit(socket.out.text.latin1Write(step.text, socket.outPosition));
      return 0;
    }
    case "close":
      return socket.close();
  }
}

self.onmessage = ({ data }: MessageEvent<{ seat: StreamSeat; steps: readonly PeerStep[] }>) => {
  const socket = new DataSocket(data.seat, { isCancelled: () => false });
  const results = data.steps.map((step) => run(socket, step));
  self.postMessage({ results, sent: socket.bytesSent, received: socket.bytesReceived });
};
