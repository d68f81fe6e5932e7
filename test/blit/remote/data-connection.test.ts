import { describe, expect, test } from "bun:test";
import { sys } from "../../../ffi/sys.ts";
import { connectData, DataPortUnreachable } from "../../../src/blit/remote/data-connection.ts";

const token = Uint8Array.from({ length: 66 }, (_, index) => index);
const signal = new AbortController().signal;

function listen(onData: (socket: { end(bytes?: Uint8Array): void }, all: Buffer) => void) {
  let all = Buffer.alloc(0);
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, data) {
        all = Buffer.concat([all, data]);
        onData({ end: (bytes) => (bytes === undefined ? socket.end() : socket.write(bytes)) }, all);
      },
    },
  });
  return { port: listener.port, stop: () => listener.stop(true), received: () => all };
}

async function failure(to: { address: string; port: number }, aborted = signal): Promise<unknown> {
  return connectData(to, token, aborted).catch((error: unknown) => error);
}

describe("a data connection", () => {
  test("begins with the magic, the length of the token and the token", async () => {
    const server = listen((socket, all) => {
      if (all.length === 76) socket.end(Uint8Array.of(0));
    });
    const fd = await connectData({ address: "127.0.0.1", port: server.port }, token, signal);
    expect(fd).toBeGreaterThan(2);
    sys.close(fd);
    const head = Buffer.concat([Buffer.from("BLITDAT1"), Buffer.from([66, 0]), token]);
    expect(server.received().equals(head)).toBe(true);
    server.stop();
  });

  test("a refused token, silence and a closed port mean another way", async () => {
    const refusing = listen((socket, all) => {
      if (all.length === 76) socket.end(Uint8Array.of(1));
    });
    const refused = await failure({ address: "127.0.0.1", port: refusing.port });
    expect(refused).toBeInstanceOf(DataPortUnreachable);
    expect((refused as Error).message).toBe("the data port refuses the token");
    refusing.stop();
    const closing = listen((socket) => socket.end());
    expect(await failure({ address: "127.0.0.1", port: closing.port })).toBeInstanceOf(
      DataPortUnreachable,
    );
    closing.stop();
    const gone = await failure({ address: "127.0.0.1", port: closing.port });
    expect((gone as Error).message).toBe("connection refused");
    expect(await failure({ address: "somewhere", port: 1 })).toBeInstanceOf(DataPortUnreachable);
  });

  test("ends when the transfer does", async () => {
    const silent = listen(() => {});
    const controller = new AbortController();
    const waiting = failure({ address: "127.0.0.1", port: silent.port }, controller.signal);
    controller.abort(new Error("cancelled"));
    expect((await waiting) as Error).toHaveProperty("message", "cancelled");
    silent.stop();
  });
});
