import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type AddressInfo, connect as connectSocket, createServer } from "node:net";
import { sys } from "../../../ffi/sys.ts";
import { parseTokenTable, tokenLine } from "../../../src/blit/control/bearer-tokens.ts";
import type { ControlEvent } from "../../../src/blit/control/server.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { all, connectTo, faultOf, serveControl } from "../../support/control.ts";

// Machines may be busy.
setDefaultTimeout(30_000);

describe("calls over a plain connection", () => {
  test("one question, one answer", async () => {
    await using server = await serveControl();
    using client = await connectTo(server);
    expect((await client.ping({})).host).toBe("here");
    expect(client.address).toBe("127.0.0.1");
    expect(client.exporter("EXPORTER-x", new Uint8Array())).toBeUndefined();
  });

  test("many answers, with bytes that are no UTF-8", async () => {
    await using server = await serveControl({
      async *list(request) {
        yield { entries: [{ path: request.place?.path ?? new Uint8Array() }] };
        yield { modules: [{ name: "m" }] };
      },
    });
    using client = await connectTo(server);
    const path = Uint8Array.of(0xff, 0x2f, 0x80);
    const answers = await all(client.list({ place: { module: "m", path } }));
    expect(answers[0]?.entries[0]?.path).toEqual(path);
    expect(answers[1]?.modules[0]?.name).toBe("m");
  });

  test("both ways at once", async () => {
    await using server = await serveControl({
      async *push(requests) {
        for await (const request of requests) {
          if (request.payload.case === "data") {
            yield { payload: { case: "data", value: request.payload.value } };
          }
        }
        yield { payload: { case: "warning", value: "the end" } };
      },
    });
    using client = await connectTo(server);
    const data = new Uint8Array(256 * 1024).fill(7);
    async function* requests() {
      for (let index = 0; index < 20; index += 1) {
        yield { payload: { case: "data" as const, value: { stream: index, data, isEnd: false } } };
      }
    }
    const answers = await all(client.push(requests()));
    expect(answers).toHaveLength(21);
    expect(answers[19]?.payload).toMatchObject({ case: "data", value: { stream: 19, data } });
    expect(answers[20]?.payload).toEqual({ case: "warning", value: "the end" });
  });

  test("a fault arrives with code, message and hint", async () => {
    await using server = await serveControl({
      filesystemStats: async () => {
        throw new Fault({ code: "E_PRIVILEGE", message: "Cannot é", hint: "ask root" });
      },
    });
    using client = await connectTo(server);
    const fault = await faultOf(client.filesystemStats({}));
    expect(fault).toMatchObject({ code: "E_PRIVILEGE", message: "Cannot é", hint: "ask root" });
  });

  test("a fault after some answers arrives behind them", async () => {
    await using server = await serveControl({
      async *find() {
        yield { entries: [{ path: Buffer.from("a") }] };
        throw new Fault({ code: "E_NOT_FOUND", message: "gone" });
      },
    });
    using client = await connectTo(server);
    const answers: string[] = [];
    const fault = await faultOf(
      (async () => {
        for await (const answer of client.find({})) {
          answers.push(...answer.entries.map((entry) => Buffer.from(entry.path).toString()));
        }
      })(),
    );
    expect(answers).toEqual(["a"]);
    expect(fault).toMatchObject({ code: "E_NOT_FOUND", message: "gone" });
  });

  test("a bug arrives without its details, and in the log with them", async () => {
    const events: ControlEvent[] = [];
    const filesystemStats = async (): Promise<never> => {
      throw new TypeError("secret inside");
    };
    await using server = await serveControl(
      { filesystemStats },
      { onEvent: (event) => events.push(event) },
    );
    using client = await connectTo(server);
    const fault = await faultOf(client.filesystemStats({}));
    expect(fault.code).toBe("E_BUG");
    expect(fault.message).not.toContain("secret");
    expect(events).toMatchObject([{ kind: "bug", call: "FilesystemStats" }]);
  });

  test("who has called is known to the handler", async () => {
    const ports: number[] = [];
    await using server = await serveControl({
      filesystemStats: async (_, context) => {
        ports.push(context.peer.port);
        expect(context.exporter("EXPORTER-x", new Uint8Array())).toBeUndefined();
        return { fileSystem: context.peer.address };
      },
    });
    using client = await connectTo(server);
    expect((await client.filesystemStats({})).fileSystem).toBe("127.0.0.1");
    await client.filesystemStats({});
    expect(ports[0]).toBeGreaterThan(0);
    expect(ports[1]).toBe(ports[0] as number);
  });
});

describe("calls that end early", () => {
  test("a client that hangs up is noticed: the signal, and the end of the requests", async () => {
    const started = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<string>();
    await using server = await serveControl({
      async *push(requests, context) {
        context.signal.addEventListener("abort", () => aborted.resolve("aborted"));
        started.resolve();
        for await (const _ of requests) yield { payload: { case: undefined } };
      },
    });
    const client = await connectTo(server);
    const never = Promise.withResolvers<never>();
    async function* requests() {
      yield { payload: { case: "cancel" as const, value: {} } };
      await never.promise;
    }
    const answers = all(client.push(requests())).catch(() => undefined);
    await started.promise;
    client.close();
    expect(await aborted.promise).toBe("aborted");
    await answers;
    expect(await client.ended).toBeUndefined();
  });

  test("a call that is cancelled tells the handler, and its caller E_INTERRUPTED", async () => {
    const aborted = Promise.withResolvers<string>();
    await using server = await serveControl({
      filesystemStats: (_, context) =>
        new Promise((_, reject) => {
          context.signal.addEventListener("abort", () => {
            aborted.resolve("aborted");
            reject(new Fault({ code: "E_INTERRUPTED", message: "x" }));
          });
        }),
    });
    using client = await connectTo(server);
    const control = new AbortController();
    const call = faultOf(client.filesystemStats({}, { signal: control.signal }));
    const other = await client.ping({});
    expect(other.host).toBe("here");
    control.abort();
    expect((await call).code).toBe("E_INTERRUPTED");
    expect(await aborted.promise).toBe("aborted");
  });

  test("a handler ends also while its answer waits for a client that does not read", async () => {
    for (const how of ["stops reading", "hangs up", "reads nothing at all"]) {
      const ended = Promise.withResolvers<string>();
      const waiting = Promise.withResolvers<void>();
      await using server = await serveControl({
        async *find() {
          try {
            for (let count = 0; ; count += 1) {
              if (count === 60) waiting.resolve();
              yield { entries: [{ path: new Uint8Array(65_536) }] };
            }
          } finally {
            ended.resolve("ended");
          }
        },
      });
      const client = await connectTo(server);
      const control = new AbortController();
      const answers = client.find({}, { signal: control.signal })[Symbol.asyncIterator]();
      await answers.next();
      await waiting.promise;
      if (how === "stops reading") void answers.return?.();
      else if (how === "hangs up") client.close();
      else control.abort();
      expect([how, await ended.promise]).toEqual([how, "ended"]);
      client.close();
    }
  });

  test("a deadline ends the call with E_STALL", async () => {
    await using server = await serveControl({
      filesystemStats: (_, context) =>
        new Promise((_, reject) => {
          context.signal.addEventListener("abort", () => reject(context.signal.reason));
        }),
    });
    using client = await connectTo(server);
    const fault = await faultOf(client.filesystemStats({}, { timeoutMs: 50 }));
    expect(fault.code).toBe("E_STALL");
  });

  test("a daemon that closes ends calls and connection, and says so", async () => {
    const started = Promise.withResolvers<void>();
    const server = await serveControl({
      async *watchJob(_, context) {
        yield { id: "1" };
        started.resolve();
        await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      },
    });
    using client = await connectTo(server);
    const call = faultOf(all(client.watchJob({ id: "1" })));
    await started.promise;
    await server.close();
    expect(await call).toMatchObject({
      code: "E_NETWORK",
      message: "The daemon is shutting down",
    });
    expect((await client.ended)?.code).toBe("E_NETWORK");
    expect((await faultOf(client.ping({}))).code).toBe("E_NETWORK");
  });

  test("a daemon that drains ends what is under way, and takes nothing new", async () => {
    const goOn = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    await using server = await serveControl({
      async *watchJob() {
        yield { id: "1" };
        started.resolve();
        await goOn.promise;
        yield { id: "2" };
      },
    });
    using client = await connectTo(server);
    const call = all(client.watchJob({ id: "1" }));
    await started.promise;
    server.drain();
    const late = await faultOf(connectTo(server));
    expect(late.code).toBe("E_NETWORK");
    goOn.resolve();
    expect((await call).map((job) => job.id)).toEqual(["1", "2"]);
  });
});

describe("tokens", () => {
  const tokens = parseTokenTable(tokenLine("alice", "open-sesame"), "tokens");
  const whoAmI = {
    filesystemStats: async (_: unknown, context: { peer: { tokenName: string | undefined } }) => ({
      fileSystem: context.peer.tokenName ?? "nobody",
    }),
    ping: async () => ({ requiresToken: true, host: "secret", motd: "secret", moduleCount: 7 }),
  };

  test("the right one is let in, with its owner's name", async () => {
    await using server = await serveControl(whoAmI, { tokens });
    using client = await connectTo(server, { kind: "plain", token: "open-sesame" });
    expect((await client.filesystemStats({})).fileSystem).toBe("alice");
    expect((await client.ping({})).moduleCount).toBe(7);
  });

  test("a wrong one is not, and neither is none; the handler is never asked", async () => {
    const events: ControlEvent[] = [];
    await using server = await serveControl(whoAmI, {
      tokens,
      onEvent: (event) => events.push(event),
    });
    using wrong = await connectTo(server, { kind: "plain", token: "open-barley" });
    expect(await faultOf(wrong.filesystemStats({}))).toMatchObject({
      code: "E_AUTH",
      message: "The daemon does not take this token",
    });
    using none = await connectTo(server);
    expect((await faultOf(none.filesystemStats({}))).message).toBe("The daemon asks for a token");
    expect(events.map((event) => event.kind)).toEqual(["refused", "refused"]);
    expect(JSON.stringify(events)).not.toContain("barley");
  });

  test("without one, ping says that one is needed, and nothing else", async () => {
    await using server = await serveControl(whoAmI, { tokens });
    using none = await connectTo(server);
    expect(await none.ping({})).toMatchObject({
      requiresToken: true,
      host: "",
      motd: "",
      moduleCount: 0,
    });
  });

  test("an empty table lets nobody in; a new table counts from the next call on", async () => {
    await using server = await serveControl(whoAmI, { tokens: new Map() });
    using client = await connectTo(server, { kind: "plain", token: "open-sesame" });
    expect((await faultOf(client.filesystemStats({}))).code).toBe("E_AUTH");
    server.setTokens(tokens);
    expect((await client.filesystemStats({})).fileSystem).toBe("alice");
    server.setTokens(undefined);
    expect((await client.filesystemStats({})).fileSystem).toBe("nobody");
  });

  test("who tries often is cut off", async () => {
    const dismissed = Promise.withResolvers<ControlEvent>();
    await using server = await serveControl(whoAmI, {
      tokens,
      limits: { refusalsMax: 3 },
      onEvent: (event) => {
        if (event.kind === "dismissed") dismissed.resolve(event);
      },
    });
    using client = await connectTo(server, { kind: "plain", token: "guess" });
    for (let tries = 0; tries < 3; tries += 1) await faultOf(client.filesystemStats({}));
    expect(await dismissed.promise).toMatchObject({ reason: "too many refused calls" });
    expect((await client.ended)?.code).toBe("E_NETWORK");
  });
});

describe("strangers", () => {
  /** A socket that says what it is given, and nothing else. */
  function raw(port: number, bytes = ""): Promise<"closed"> {
    return new Promise((resolve) => {
      const socket = connectSocket(port, "127.0.0.1", () => socket.write(bytes));
      socket.on("error", () => undefined);
      socket.on("data", () => undefined);
      socket.on("close", () => resolve("closed"));
    });
  }

  test("that say nothing, or only begin, are closed in time", async () => {
    await using server = await serveControl({}, { limits: { strangerMs: 60 } });
    const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const closed = [raw(server.port), raw(server.port, "PRI"), raw(server.port, preface)];
    expect(await Promise.all(closed)).toEqual(["closed", "closed", "closed"]);
    expect(server.connections()).toBe(0);
  });

  test("do not keep others out: their places are few", async () => {
    const dismissed = Promise.withResolvers<ControlEvent>();
    await using server = await serveControl(
      {},
      { limits: { strangersMax: 2 }, onEvent: (event) => dismissed.resolve(event) },
    );
    using client = await connectTo(server);
    await client.ping({});
    const silent = [raw(server.port), raw(server.port), raw(server.port)];
    expect(await Promise.race(silent)).toBe("closed");
    expect(await dismissed.promise).toMatchObject({
      reason: "too many connections that have not asked for anything",
    });
    expect((await client.ping({})).host).toBe("here");
  });

  test("who hold all places give way to a newcomer, the oldest first", async () => {
    await using server = await serveControl({}, { limits: { strangersMax: 2 } });
    const oldest = raw(server.port);
    while (server.connections() < 1) await Bun.sleep(1);
    void raw(server.port);
    while (server.connections() < 2) await Bun.sleep(1);
    using client = await connectTo(server);
    expect((await client.ping({})).host).toBe("here");
    expect(await oldest).toBe("closed");
    expect(server.connections()).toBe(2);
  });

  test("are counted, over all and for each address", async () => {
    for (const limits of [{ connectionsMax: 1 }, { connectionsPerAddressMax: 1 }]) {
      await using server = await serveControl({}, { limits });
      const first = await connectTo(server);
      await first.ping({});
      expect((await faultOf(connectTo(server))).code).toBe("E_NETWORK");
      expect((await first.ping({})).host).toBe("here");
      first.close();
      await first.ended;
    }
  });

  test("whose address is not wanted get no byte", async () => {
    const asked: string[] = [];
    await using server = await serveControl(
      {},
      {
        admit: (peer) => {
          asked.push(peer.address);
          return false;
        },
      },
    );
    const fault = await faultOf(connectTo(server));
    expect(fault).toMatchObject({ code: "E_NETWORK" });
    expect(asked).toEqual(["127.0.0.1"]);
  });

  test("are kept out where the question for them fails", async () => {
    const admit = (): boolean => {
      throw new Error("no name service");
    };
    await using server = await serveControl({}, { admit });
    expect((await faultOf(connectTo(server))).code).toBe("E_NETWORK");
  });

  test("that send something else than HTTP/2 get nowhere", async () => {
    await using server = await serveControl({}, { limits: { strangerMs: 1000 } });
    const noise = [
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01",
      "\0".repeat(999),
    ];
    for (const bytes of noise) expect(await raw(server.port, bytes)).toBe("closed");
    using client = await connectTo(server);
    expect((await client.ping({})).host).toBe("here");
  });

  test("connections without calls end after a while", async () => {
    await using server = await serveControl({}, { limits: { idleMs: 1000, strangerMs: 4000 } });
    using client = await connectTo(server);
    await client.ping({});
    expect((await client.ended)?.code).toBe("E_NETWORK");
  });

  test("a call that never says what it wants is ended", async () => {
    const push = async function* (requests: AsyncIterable<unknown>): AsyncGenerator<never> {
      for await (const _ of requests) throw new Error("nothing was said");
      yield* [];
    };
    await using server = await serveControl({ push }, { limits: { firstMessageMs: 500 } });
    using client = await connectTo(server);
    const never = Promise.withResolvers<never>();
    async function* silence(): AsyncGenerator<never> {
      yield await never.promise;
    }
    const fault = await faultOf(all(client.push(silence())));
    expect(fault.code).toBe("E_NETWORK");
    expect((await client.ping({})).host).toBe("here");
  });
});

test("a listening socket that was handed over is used", async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { fd } = (holder as unknown as { _handle: { fd: number } })._handle;
  const { port } = holder.address() as AddressInfo;
  const F_DUPFD_CLOEXEC = 1030;
  const copy = sys.fcntl(fd, F_DUPFD_CLOEXEC, 0);
  holder.close();
  await using server = await serveControl({}, { listen: { fd: copy } });
  expect(server.port).toBe(port);
  using client = await connectTo(server);
  expect((await client.ping({})).host).toBe("here");
});

test("a port in use is told in words", async () => {
  await using server = await serveControl();
  const fault = await faultOf(
    serveControl({}, { listen: { host: "127.0.0.1", port: server.port } }),
  );
  expect(fault).toMatchObject({ code: "E_NETWORK", hint: "is another blitd running?" });
  expect(fault.message).toContain(`port ${server.port}`);
});
