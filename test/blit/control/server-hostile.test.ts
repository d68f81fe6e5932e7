import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { connect as connectSocket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import type { ControlHandlers } from "../../../src/blit/control/calls.ts";
import {
  CALLS_PER_CONNECTION_MAX,
  MESSAGE_BYTES_MAX,
  STREAM_WINDOW_BYTES,
} from "../../../src/blit/control/limits.ts";
import { ListRequestSchema } from "../../../src/blit/control/proto/blit_pb.js";
import type { ControlServer } from "../../../src/blit/control/server.ts";
import { connectTo, serveControl } from "../../support/control.ts";
import {
  grpcEnvelope,
  HTTP2_PREFACE,
  http2Fields,
  http2Frame,
} from "../../support/http2-frames.ts";

// Thousands of calls, on machines that may be busy.
setDefaultTimeout(30_000);

/** A client that says what it likes. */
function rawClient(server: ControlServer): ClientHttp2Session & Disposable {
  const session = connect(`http://127.0.0.1:${server.port}`);
  session.on("error", () => undefined);
  return Object.assign(session, { [Symbol.dispose]: () => session.destroy() });
}

type Answer = { http: number | undefined; grpc: string | undefined; reset: number };

/** One call with the given body; resolves when it is over. */
function call(
  session: ClientHttp2Session,
  options: { path?: string; body?: Uint8Array; headers?: Record<string, string>; ends?: boolean },
): Promise<Answer> {
  return new Promise((resolve) => {
    const answer: Answer = { http: undefined, grpc: undefined, reset: 0 };
    const stream = session.request({
      ":method": "POST",
      ":path": options.path ?? "/blit.v2.Blit/List",
      "content-type": "application/grpc",
      te: "trailers",
      ...options.headers,
    });
    const note = (headers: Record<string, unknown>): void => {
      const status = headers["grpc-status"];
      if (status !== undefined) answer.grpc = String(status);
    };
    stream.on("response", (headers) => {
      answer.http = headers[":status"];
      note(headers);
    });
    stream.on("trailers", note);
    stream.on("data", () => undefined);
    stream.on("error", () => undefined);
    stream.on("close", () => resolve({ ...answer, reset: stream.rstCode ?? 0 }));
    if (options.body !== undefined) stream.write(options.body);
    if (options.ends !== false) stream.end();
  });
}

const GOOD = toBinary(ListRequestSchema, create(ListRequestSchema, {}));

/** gRPC's numbers. */
const status = { ok: "0", invalidArgument: "3", exhausted: "8", unimplemented: "12" } as const;

function listing(): { calls: number; handlers: Partial<ControlHandlers> } {
  const counter = { calls: 0, handlers: {} as Partial<ControlHandlers> };
  counter.handlers = {
    async *list() {
      counter.calls += 1;
      yield { modules: [{ name: "m" }] };
    },
  };
  return counter;
}

describe("messages that are none", () => {
  test("are refused, never reach a handler, and harm nobody else", async () => {
    const counter = listing();
    await using server = await serveControl(counter.handlers);
    using session = rawClient(server);
    using other = await connectTo(server);
    const before = process.memoryUsage().rss;
    const bad: Record<string, Uint8Array> = {
      "a length of 4 GiB": grpcEnvelope(0, 0xffff_ffff),
      "one byte too many": grpcEnvelope(0, MESSAGE_BYTES_MAX + 1),
      "fewer bytes than announced": grpcEnvelope(0, 100, GOOD),
      "half a head": Uint8Array.of(0, 0, 0),
      "compressed, with no method named": grpcEnvelope(1, 3, Uint8Array.of(1, 2, 3)),
      "a wire type that does not exist": grpcEnvelope(0, 2, Uint8Array.of(0x0f, 0x01)),
      "a length inside that is too long": grpcEnvelope(0, 2, Uint8Array.of(0x0a, 0x7f)),
      "two messages where one belongs": Buffer.concat([grpcEnvelope(0, 0), grpcEnvelope(0, 0)]),
      "no message": new Uint8Array(),
    };
    for (const [name, body] of Object.entries(bad)) {
      const answer = await call(session, { body });
      expect([name, answer.grpc === undefined || answer.grpc === status.ok]).toEqual([name, false]);
    }
    expect(counter.calls).toBe(0);
    expect((await call(session, { body: grpcEnvelope(0, GOOD.length, GOOD) })).grpc).toBe(
      status.ok,
    );
    expect((await other.ping({})).host).toBe("here");
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
  });

  test("whatever bytes come, the daemon answers and goes on", async () => {
    const counter = listing();
    await using server = await serveControl(counter.handlers);
    using session = rawClient(server);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (body) => {
        const answer = await call(session, { body });
        expect(answer.grpc ?? answer.http ?? answer.reset).toBeDefined();
      }),
      { numRuns: 60 },
    );
    expect((await call(session, { body: grpcEnvelope(0, 0) })).grpc).toBe(status.ok);
  });
});

describe("calls that are none", () => {
  test("other paths, methods and content types get no handler", async () => {
    const counter = listing();
    await using server = await serveControl(counter.handlers);
    using session = rawClient(server);
    const body = grpcEnvelope(0, 0);
    for (const path of ["/", "/blit.v2.Blit/Nothing", "/grpc.reflection.v1.ServerReflection/X"]) {
      expect((await call(session, { path, body })).http).toBe(404);
    }
    const json = await call(session, { body, headers: { "content-type": "application/json" } });
    expect(json.http).toBe(415);
    const connectCall = { "content-type": "application/connect+proto" };
    expect((await call(session, { body, headers: connectCall })).http).toBe(415);
    const get = await call(session, { body, headers: { ":method": "GET" } });
    expect(get.http).not.toBe(200);
    expect(counter.calls).toBe(0);
  });

  test("headers beyond the limit are refused", async () => {
    await using server = await serveControl(listing().handlers);
    using session = rawClient(server);
    const ended = new Promise((resolve) => session.once("close", () => resolve("closed")));
    const headers = { "x-long": "x".repeat(200_000) };
    const answer = call(session, { body: grpcEnvelope(0, 0), headers });
    const outcome = await Promise.race([ended, answer]);
    expect(outcome === "closed" || (outcome as Answer).grpc !== status.ok).toBe(true);
    using other = await connectTo(server);
    expect((await other.ping({})).host).toBe("here");
  });

  test("opened and reset at once, by the thousand: others are served", async () => {
    const counter = listing();
    await using server = await serveControl(counter.handlers);
    using session = rawClient(server);
    using other = await connectTo(server);
    for (let round = 0; round < 15; round += 1) {
      await Promise.all(
        Array.from({ length: CALLS_PER_CONNECTION_MAX }, () => {
          const stream = session.request({ ":method": "POST", ":path": "/blit.v2.Blit/List" });
          stream.on("error", () => undefined);
          const closed = new Promise((resolve) => stream.once("close", resolve));
          stream.close(constants.NGHTTP2_CANCEL);
          return closed;
        }),
      );
    }
    expect((await other.ping({})).host).toBe("here");
    expect(server.connections()).toBeLessThanOrEqual(2);
  });
});

test("a client that does not read holds its daemon back by a window", async () => {
  const data = crypto.getRandomValues(new Uint8Array(65_536));
  let made = 0;
  const stalled = Promise.withResolvers<void>();
  await using server = await serveControl({
    async *pull(_, context) {
      while (!context.signal.aborted) {
        made += data.length;
        const quiet = setTimeout(() => stalled.resolve(), 300);
        yield { payload: { case: "data", value: { data } } };
        clearTimeout(quiet);
      }
    },
  });
  using client = await connectTo(server);
  async function* nothing(): AsyncGenerator<never> {
    yield* [];
  }
  const answers = client.pull(nothing())[Symbol.asyncIterator]();
  await answers.next();
  await stalled.promise;
  expect(made).toBeLessThan(STREAM_WINDOW_BYTES * 3);
  let received = 0;
  while (received < STREAM_WINDOW_BYTES * 4) {
    const { value } = await answers.next();
    if (value?.payload.case === "data") received += value.payload.value.data.length;
  }
  expect(made).toBeGreaterThanOrEqual(received);
});

test("headers that no client library would send do not bring the daemon down", async () => {
  await using server = await serveControl(listing().handlers);
  const good: [string, string][] = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", "/blit.v2.Blit/List"],
    [":authority", "x"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ];
  const without = (name: string) => good.filter(([key]) => key !== name);
  const replaced = (name: string, value: string): [string, string][] =>
    good.map(([key, old]) => [key, key === name ? value : old]);
  const cases = [
    ...good.map(([name]) => without(name)),
    [],
    replaced(":authority", ""),
    replaced(":authority", "]["),
    replaced(":authority", "a b\u0001"),
    replaced(":path", ""),
    replaced(":path", "//"),
    replaced(":path", "*"),
    replaced(":path", "/blit.v2.Blit/List?x=%zz"),
    replaced(":path", "http://[/"),
    [...good, ["grpc-timeout", "99999999999S"]] as [string, string][],
    [...good, ["grpc-timeout", "-1m"]] as [string, string][],
    [...good, ["authorization", "\u0000"]] as [string, string][],
    [...good, ...good],
  ];
  for (const headers of cases) {
    const socket = connectSocket(server.port, "127.0.0.1");
    const over = new Promise<void>((resolve) => {
      socket.on("error", () => undefined);
      socket.on("close", () => resolve());
      // RST_STREAM, GOAWAY, or HEADERS with END_STREAM: the daemon has decided.
      let seen = Buffer.alloc(0);
      socket.on("data", (bytes: Buffer) => {
        seen = Buffer.concat([seen, bytes]);
        for (let at = 0; at + 9 <= seen.length; at += 9 + seen.readUIntBE(at, 3)) {
          const [type = 0, flags = 0] = seen.subarray(at + 3, at + 5);
          if (type === 3 || type === 7 || (type <= 1 && (flags & 1) === 1)) resolve();
        }
      });
    });
    socket.write(HTTP2_PREFACE);
    socket.write(http2Frame(4, 0, 0, new Uint8Array()));
    socket.write(http2Frame(1, 4, 1, http2Fields(headers)));
    socket.write(http2Frame(0, 1, 1, grpcEnvelope(0, 0)));
    await over;
    socket.destroy();
  }
  using client = await connectTo(server);
  expect((await client.ping({})).host).toBe("here");
});

test("frames of any kind, in any order, do not bring the daemon down", async () => {
  await using server = await serveControl(listing().handlers, { limits: { strangerMs: 1000 } });
  const anyFrame = fc
    .record({
      type: fc.nat(12),
      flags: fc.nat(255),
      stream: fc.constantFrom(0, 1, 3, 5, 0x7fff_ffff),
      payload: fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc
          .array(fc.tuple(fc.constantFrom(":path", ":method", "te", "x"), fc.string(), fc.nat(1)))
          .map((list) => http2Fields(list.map(([name, value]) => [name, value.slice(0, 30)]))),
      ),
    })
    .map(({ type, flags, stream, payload }) => http2Frame(type, flags, stream, payload));
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyFrame, { maxLength: 12 }),
      fc.boolean(),
      async (frames, begins) => {
        const socket = connectSocket(server.port, "127.0.0.1");
        const over = new Promise<void>((resolve) => {
          socket.on("error", () => resolve());
          socket.on("close", () => resolve());
          socket.on("end", () => resolve());
          socket.on("data", () => resolve());
        });
        socket.write(HTTP2_PREFACE);
        if (begins) socket.write(http2Frame(4, 0, 0, new Uint8Array()));
        socket.write(Buffer.concat(frames));
        await over;
        socket.destroy();
      },
    ),
    { numRuns: 100 },
  );
  using client = await connectTo(server);
  expect((await client.ping({})).host).toBe("here");
});
