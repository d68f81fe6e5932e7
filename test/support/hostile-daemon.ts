import { createServer, type Server, type Socket } from "node:net";
import type { ControlHandlers } from "../../src/blit/control/calls.ts";
import { serveControl } from "./control.ts";
import { frame } from "./hostile-client.ts";

/** A daemon that takes a push as a real one does, and then says on the data plane what it wants. */
export interface HostileDaemon extends AsyncDisposable {
  /** `address:port:`, to put `/module/path` behind. */
  readonly at: string;
  /** All that the client has sent on the data plane. */
  readonly received: () => Buffer;
}

/**
 * @param said is sent when the first FOLDER frame has come
 */
export async function serveHostile(said: Uint8Array): Promise<HostileDaemon> {
  const received: Buffer[] = [];
  const sockets = new Set<Socket>();
  const data = await listen((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    const own: Buffer[] = [];
    let step: "hello" | "pass" | "told" = "hello";
    socket.on("data", (bytes: Buffer) => {
      received.push(bytes);
      own.push(bytes);
      const all = Buffer.concat(own);
      if (step === "hello" && all.length >= 10 + all.readUInt16LE(8)) {
        step = "pass";
        socket.write(Buffer.of(0));
      }
      if (step === "pass" && hasFolder(all.subarray(10 + all.readUInt16LE(8)))) {
        step = "told";
        // Alive, so that what follows is no answer to silence.
        socket.write(Buffer.concat([frame(30), said]));
      }
    });
  });
  const port = portOf(data);
  const push: ControlHandlers["push"] = async function* (requests) {
    const streams = 1;
    yield {
      payload: {
        case: "negotiation",
        value: {
          dataPort: port,
          oneTimeTokens: Array.from({ length: streams }, () => new Uint8Array(66).fill(1)),
          session: new Uint8Array(8),
          fileSystem: "ext4",
          shownPath: Buffer.from("/m"),
        },
      },
    };
    for await (const { payload } of requests) {
      if (payload.case === "finish" || payload.case === "cancel") return;
    }
  };
  const control = await serveControl({ push });
  return {
    at: `127.0.0.1:${control.port}:`,
    received: () => Buffer.concat(received),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      data.close();
      await control.close();
    },
  };
}

/** Whether a FOLDER frame has begun among whole frames. */
function hasFolder(bytes: Buffer): boolean {
  for (let at = 0; at + 16 <= bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) {
    if (bytes[at] === 2) return true;
  }
  return false;
}

function listen(onSocket: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer(onSocket);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
