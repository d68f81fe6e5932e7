import { afterEach, describe, expect, test } from "bun:test";
import type { ControlHandlers } from "../../../src/blit/control/calls.ts";
import { connectControl } from "../../../src/blit/control/client.ts";
import {
  type ControlServer,
  type ControlServerOptions,
  startControlServer,
} from "../../../src/blit/control/server.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { testHandlers } from "../../support/control.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function serve(
  handlers: Partial<ControlHandlers>,
  options: Partial<ControlServerOptions> = {},
): Promise<ControlServer> {
  const listen = { host: "127.0.0.1", port: 0 };
  const server = await startControlServer({ listen, handlers: testHandlers(handlers), ...options });
  open.push(server);
  return server;
}

async function connect(server: ControlServer, token?: string) {
  const client = await connectControl(
    { host: "127.0.0.1", port: server.port },
    { kind: "plain", token },
  );
  open.push(client);
  return client;
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Fault)) throw new Error(`no Fault, but ${error}`);
  return error;
}

async function all<T>(answers: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const answer of answers) list.push(answer);
  return list;
}

describe("calls over a plain connection", () => {
  test("one question, one answer", async () => {
    const client = await connect(await serve({}));
    expect((await client.ping({})).host).toBe("here");
    expect(client.address).toBe("127.0.0.1");
    expect(client.exporter("EXPORTER-x", new Uint8Array())).toBeUndefined();
  });

  test("many answers, with bytes that are no UTF-8", async () => {
    const client = await connect(
      await serve({
        async *list(request) {
          yield { entries: [{ path: request.place?.path ?? new Uint8Array() }] };
          yield { modules: [{ name: "m" }] };
        },
      }),
    );
    const path = Uint8Array.of(0xff, 0x2f, 0x80);
    const answers = await all(client.list({ place: { module: "m", path } }));
    expect(answers[0]?.entries[0]?.path).toEqual(path);
    expect(answers[1]?.modules[0]?.name).toBe("m");
  });

  test("both ways at once", async () => {
    const client = await connect(
      await serve({
        async *push(requests) {
          for await (const request of requests) {
            if (request.payload.case === "data") {
              yield { payload: { case: "data", value: request.payload.value } };
            }
          }
          yield { payload: { case: "warning", value: "the end" } };
        },
      }),
    );
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
    const client = await connect(
      await serve({
        filesystemStats: async () => {
          throw new Fault({ code: "E_PRIVILEGE", message: "Cannot é", hint: "ask root" });
        },
      }),
    );
    const fault = await faultOf(client.filesystemStats({}));
    expect(fault).toMatchObject({ code: "E_PRIVILEGE", message: "Cannot é", hint: "ask root" });
  });

  test("a bug arrives without its details, and in the log with them", async () => {
    const events: unknown[] = [];
    const server = await serve(
      {
        filesystemStats: async () => {
          throw new TypeError("secret inside");
        },
      },
      { onEvent: (event) => events.push(event) },
    );
    const fault = await faultOf((await connect(server)).filesystemStats({}));
    expect(fault.code).toBe("E_BUG");
    expect(fault.message).not.toContain("secret");
    expect(events).toMatchObject([{ kind: "bug", call: "FilesystemStats" }]);
  });
});
