import { afterEach, describe, expect, test } from "bun:test";
import { sys } from "../../../ffi/sys.ts";
import { DataPlane } from "../../../src/blit/daemon/data-plane.ts";
import { connectData } from "../../../src/blit/remote/data-connection.ts";

/** Events on one port, each of which has to come before the next step. */
class Plane {
  readonly refused: string[] = [];
  readonly plane = new DataPlane({ address: "127.0.0.1", port: 0 }, (from, reason) => {
    this.refused.push(`${from} ${reason}`);
  });
  readonly arrived = new Map<number, number>();

  offer(count = 1, peerAddress = "127.0.0.1") {
    return this.plane.offer({ count, peerAddress }, (stream, fd) => this.arrived.set(stream, fd));
  }

  connect(token: Uint8Array): Promise<number> {
    const to = { address: "127.0.0.1", port: this.plane.port };
    return connectData(to, token, new AbortController().signal);
  }

  close(): void {
    for (const fd of this.arrived.values()) sys.close(fd);
    this.plane.close();
  }
}

let open: Plane[] = [];
afterEach(() => {
  for (const plane of open) plane.close();
  open = [];
});

function start(): Plane {
  const plane = new Plane();
  open.push(plane);
  return plane;
}

/** What a raw client is answered: the bytes until the daemon closes. */
async function say(port: number, bytes: Uint8Array, ends = false): Promise<number[]> {
  const answered = Promise.withResolvers<number[]>();
  const got: number[] = [];
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, data) => void got.push(...data),
      close: () => answered.resolve(got),
      error: () => answered.resolve(got),
    },
  });
  socket.write(bytes);
  if (ends) socket.end();
  return answered.promise;
}

function hello(token: Uint8Array, magic = "BLITDAT1"): Uint8Array {
  const length = Uint8Array.of(token.length & 255, token.length >> 8);
  return Buffer.concat([Buffer.from(magic, "latin1"), length, token]);
}

describe("tokens", () => {
  test("each stream's token brings its connection, whatever the order", async () => {
    const plane = start();
    const { tokens, close } = plane.offer(3);
    expect(tokens.map(({ length }) => length)).toEqual([66, 66, 66]);
    const fds: number[] = [];
    for (const token of tokens.toReversed()) fds.push(await plane.connect(token));
    expect([...plane.arrived.keys()]).toEqual([2, 1, 0]);
    for (const fd of fds) sys.close(fd);
    close();
    expect(plane.refused).toEqual([]);
  });

  test("one that is used, another peer's, or of a session that is over is refused", async () => {
    const plane = start();
    const { tokens, close } = plane.offer(2);
    const [first, second] = tokens as [Uint8Array, Uint8Array];
    sys.close(await plane.connect(first));
    await expect(plane.connect(first)).rejects.toThrow("refuses the token");
    const foreign = plane.offer(1, "192.0.2.1");
    await expect(plane.connect(foreign.tokens[0] as Uint8Array)).rejects.toThrow(
      "refuses the token",
    );
    close();
    // The other offer keeps the port looked at.
    await expect(plane.connect(second)).rejects.toThrow("refuses the token");
    foreign.close();
    expect(plane.refused).toEqual(["127.0.0.1 used", "127.0.0.1 foreign", "127.0.0.1 used"]);
    expect([...plane.arrived.keys()]).toEqual([0]);
  });

  test("every changed bit spoils one, and does not use it up", async () => {
    const plane = start();
    const { tokens, close } = plane.offer();
    const [token] = tokens as [Uint8Array];
    for (const at of [0, 15, 20, 24, 30, 40, 65]) {
      const changed = token.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await say(plane.plane.port, hello(changed))).toEqual([1]);
    }
    sys.close(await plane.connect(token));
    expect(plane.arrived.size).toBe(1);
    close();
  });
});

describe("strangers", () => {
  test.each([
    ["another protocol", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["no token", hello(new Uint8Array())],
    ["a token that is too long", hello(new Uint8Array(257))],
    ["a wrong version", hello(new Uint8Array(66), "BLITDAT2")],
    ["a token of nobody", hello(new Uint8Array(66))],
    ["a short token", hello(new Uint8Array(5))],
  ])("%s is sent away", async (_, bytes) => {
    const plane = start();
    const { close } = plane.offer();
    expect(await say(plane.plane.port, bytes)).toEqual([1]);
    expect(plane.arrived.size).toBe(0);
    close();
  });

  test("who leaves in the middle of the token is forgotten", async () => {
    const plane = start();
    const { tokens, close } = plane.offer();
    const half = hello(tokens[0] as Uint8Array).subarray(0, 30);
    expect(await say(plane.plane.port, half, true)).not.toContain(0);
    sys.close(await plane.connect(tokens[0] as Uint8Array));
    close();
  });

  test("a token that comes byte by byte is a token", async () => {
    const plane = start();
    const { tokens, close } = plane.offer();
    const welcomed = Promise.withResolvers<number>();
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: plane.plane.port,
      socket: { data: (_, data) => welcomed.resolve(data[0] ?? -1) },
    });
    for (const byte of hello(tokens[0] as Uint8Array)) {
      socket.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await welcomed.promise).toBe(0);
    socket.end();
    close();
  });

  test("a crowd that says nothing keeps nobody out", async () => {
    const plane = start();
    const { tokens, close } = plane.offer();
    const crowd = await Promise.all(
      Array.from({ length: 300 }, () =>
        Bun.connect({ hostname: "127.0.0.1", port: plane.plane.port, socket: { data: () => {} } }),
      ),
    );
    sys.close(await plane.connect(tokens[0] as Uint8Array));
    expect(plane.arrived.size).toBe(1);
    for (const socket of crowd) socket.end();
    close();
  });

  test("who came before anybody was expected is sent away by the next that is", async () => {
    const plane = start();
    const early = say(plane.plane.port, hello(new Uint8Array(66)));
    // The kernel has the connection once another one is through to the same port.
    await Bun.connect({ hostname: "127.0.0.1", port: plane.plane.port, socket: { data() {} } });
    const { tokens, close } = plane.offer();
    expect(await early).toEqual([1]);
    sys.close(await plane.connect(tokens[0] as Uint8Array));
    close();
    expect(plane.refused).toEqual([]);
  });
});
