import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { connectControl } from "../../../src/blit/control/client.ts";
import { connectTo, faultOf, serveControl } from "../../support/control.ts";
import { grpcEnvelope, http2Fields, http2Frame } from "../../support/http2-frames.ts";
import { testUnless } from "../../support/skip.ts";

// Machines may be busy.
setDefaultTimeout(30_000);

/** A server that does with each connection what it is told. */
async function fake(onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

const plain = { kind: "plain" } as const;

describe("who cannot be reached is told in words", () => {
  test("nobody listens", async () => {
    const { server, port } = await fake(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    const fault = await faultOf(connectControl({ host: "127.0.0.1", port }, plain));
    expect(fault).toMatchObject({
      code: "E_NETWORK",
      message: `Cannot reach "127.0.0.1:${port}": nothing listens there`,
    });
    expect(fault.hint).toContain("is blitd running");
  });

  test("a name without address", async () => {
    const fault = await faultOf(connectControl({ host: "nas.invalid", port: 9031 }, plain));
    expect(fault.message).toBe(`Cannot reach "nas.invalid:9031": the name has no address`);
  });

  test("somebody who never says a word", async () => {
    const { server, port } = await fake((socket) => socket.on("data", () => undefined));
    for (const security of [
      plain,
      { kind: "tls", trust: { kind: "pinned", certificateSha256: "00" } } as const,
    ]) {
      const where = { host: "127.0.0.1", port };
      const fault = await faultOf(connectControl(where, security, { timeoutMs: 150 }));
      expect(fault.code).toBe("E_NETWORK");
      expect(fault.message).toContain("no answer in 0.15 s");
    }
    server.close();
  });

  test("somebody who is no blitd", async () => {
    const { server, port } = await fake((socket) => {
      socket.on("data", () => undefined);
      socket.end("@RSYNCD: 31.0\n");
    });
    const where = { host: "127.0.0.1", port };
    const fault = await faultOf(connectControl(where, plain, { timeoutMs: 3000 }));
    expect(fault.code).toBe("E_NETWORK");
    expect(fault.hint).toContain("is it a blitd");
    server.close();
  });

  test("a signal ends the attempt, before it and while it goes on", async () => {
    const { server, port } = await fake((socket) => socket.on("data", () => undefined));
    const where = { host: "127.0.0.1", port };
    const signal = AbortSignal.abort();
    expect((await faultOf(connectControl(where, plain, { signal }))).code).toBe("E_INTERRUPTED");
    const control = new AbortController();
    const attempt = faultOf(connectControl(where, plain, { signal: control.signal }));
    control.abort();
    expect((await attempt).code).toBe("E_INTERRUPTED");
    server.close();
  });
});

describe("one client", () => {
  test("makes many calls at once over its one connection", async () => {
    await using server = await serveControl();
    using client = await connectTo(server);
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.ping({})));
    expect(new Set(answers.map((answer) => answer.host))).toEqual(new Set(["here"]));
    expect(server.connections()).toBe(1);
  });

  test("that has closed makes no calls, and says so", async () => {
    await using server = await serveControl();
    const client = await connectTo(server);
    client.close();
    client.close();
    expect((await faultOf(client.ping({}))).code).toBe("E_NETWORK");
    expect(await client.ended).toBeUndefined();
  });

  test("that stops reading answers early ends the call at the daemon", async () => {
    const aborted = Promise.withResolvers<string>();
    await using server = await serveControl({
      async *find(_, context) {
        context.signal.addEventListener("abort", () => aborted.resolve("aborted"));
        while (!context.signal.aborted) {
          yield { entries: [{ path: new Uint8Array(10_000) }] };
        }
      },
    });
    using client = await connectTo(server);
    for await (const answer of client.find({})) {
      expect(answer.entries).toHaveLength(1);
      break;
    }
    expect(await aborted.promise).toBe("aborted");
    expect((await client.ping({})).host).toBe("here");
  });

  test("64 of them at once, none mixed up with another", async () => {
    await using server = await serveControl({
      async *list({ place }) {
        for (let part = 0; part < 5; part += 1) {
          yield { modules: [{ name: `${place?.module} ${part}` }] };
        }
      },
    });
    const one = async (number: number) => {
      using client = await connectTo(server);
      const names: string[] = [];
      for await (const { modules } of client.list({ place: { module: `m${number}` } })) {
        names.push(...modules.map((module) => module.name));
      }
      return names;
    };
    const all = await Promise.all(Array.from({ length: 64 }, (_, number) => one(number)));
    for (const [number, names] of all.entries()) {
      expect(names).toEqual([0, 1, 2, 3, 4].map((part) => `m${number} ${part}`));
    }
  });
});

describe("a daemon that answers what none would", () => {
  const http: [string, string][] = [
    [":status", "200"],
    ["content-type", "application/grpc+proto"],
  ];
  const trailers = (...own: [string, string][]) => http2Frame(1, 5, 1, http2Fields(own));
  const headers = (...own: [string, string][]) => http2Frame(1, 4, 1, http2Fields(own));
  const data = (bytes: Uint8Array) => http2Frame(0, 0, 1, bytes);
  const answers: Record<string, Buffer[]> = {
    "no status": [headers(["content-type", "application/grpc"])],
    "a status that is no number": [headers([":status", "abc"])],
    "a web page": [headers([":status", "200"], ["content-type", "text/html"]), trailers()],
    "a redirect": [trailers([":status", "302"], ["location", "http://elsewhere/"])],
    "a code that is none": [headers(...http), trailers(["grpc-status", "x"])],
    "a code that does not exist": [headers(...http), trailers(["grpc-status", "99"])],
    "details that are none": [
      headers(...http),
      trailers(["grpc-status", "5"], ["grpc-status-details-bin", "%%%"]),
    ],
    "details that are garbage": [
      headers(...http),
      trailers(["grpc-status", "5"], ["grpc-status-details-bin", "/////w=="]),
    ],
    "a message with escapes that are none": [
      headers(...http),
      trailers(["grpc-status", "5"], ["grpc-message", "%zz%ff\u001b[2J"]),
    ],
    "a message of 4 GiB": [headers(...http), data(grpcEnvelope(0, 0xffff_ffff))],
    "a compressed message": [headers(...http), data(grpcEnvelope(1, 2, Uint8Array.of(1, 2)))],
    "garbage in a message": [headers(...http), data(grpcEnvelope(0, 2, Uint8Array.of(0x0a, 0x7f)))],
    "half a message": [headers(...http), data(grpcEnvelope(0, 9)), trailers(["grpc-status", "0"])],
    "no message": [headers(...http), trailers(["grpc-status", "0"])],
    "data before headers": [data(grpcEnvelope(0, 0))],
    "a stream of its own": [http2Frame(1, 4, 2, http2Fields(http))],
    "a frame that is too long": [http2Frame(0, 0, 1, new Uint8Array(20_000))],
    "the end": [http2Frame(7, 0, 0, new Uint8Array(8))],
  };
  for (const [name, frames] of Object.entries(answers)) {
    test(`${name}: a Fault, and nothing worse`, async () => {
      const { server, port } = await fake((socket) => {
        socket.write(http2Frame(4, 0, 0, new Uint8Array()));
        let heard = 0;
        socket.on("data", (bytes) => {
          // Behind the preface and the SETTINGS comes the call.
          const before = heard;
          heard += bytes.length;
          if (before < 100 && heard >= 100) socket.end(Buffer.concat(frames));
        });
      });
      const client = await connectControl({ host: "127.0.0.1", port }, plain);
      const fault = await faultOf(client.ping({}, { timeoutMs: 3000 }));
      expect(fault.code).toStartWith("E_");
      expect(fault.code).not.toBe("E_BUG");
      client.close();
      server.close();
    });
  }
});

const outward = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === "IPv4" && !one.internal)?.address;

testUnless(outward === undefined ? "needs an address that is not loopback" : undefined)(
  "a token does not go over a network in clear, unless one says so",
  async () => {
    const host = outward ?? "";
    await using server = await serveControl({}, { listen: { host, port: 0 } });
    const where = { host, port: server.port };
    const fault = await faultOf(connectControl(where, { kind: "plain", token: "secret-token" }));
    expect(fault.code).toBe("E_REFUSED");
    expect(JSON.stringify(fault.toJson())).not.toContain("secret-token");
    const client = await connectControl(where, {
      kind: "plain",
      token: "secret-token",
      allowsClearToken: true,
    });
    expect((await client.ping({})).host).toBe("here");
    client.close();
  },
);
