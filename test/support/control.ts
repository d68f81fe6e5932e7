import { create } from "@bufbuild/protobuf";
import type { ControlHandlers } from "../../src/blit/control/calls.ts";
import {
  type ConnectOptions,
  type ControlClient,
  connectControl,
} from "../../src/blit/control/client.ts";
import type { ClientSecurity } from "../../src/blit/control/dial.ts";
import { PingResponseSchema } from "../../src/blit/control/proto/blit_pb.js";
import {
  type ControlServer,
  type ControlServerOptions,
  startControlServer,
} from "../../src/blit/control/server.ts";
import { Fault } from "../../src/kit/fault/fault.ts";

function refused(): AsyncIterable<never> {
  const next = async (): Promise<never> => {
    throw new Fault({ code: "E_REFUSED", message: "not in this test" });
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/** Handlers of a daemon that does nothing, but for those that a test brings. */
export function testHandlers(own: Partial<ControlHandlers> = {}): ControlHandlers {
  const refuse = async (): Promise<never> => {
    throw new Fault({ code: "E_REFUSED", message: "not in this test" });
  };
  return {
    ping: async () =>
      create(PingResponseSchema, {
        wireVersion: 2,
        software: "test",
        host: "here",
        moduleCount: 2,
      }),
    push: refused,
    pull: refused,
    delegatedPull: refused,
    list: refused,
    find: refused,
    diskUsage: refused,
    filesystemStats: refuse,
    purge: refused,
    listJobs: refuse,
    watchJob: refused,
    cancelJob: refuse,
    ...own,
  };
}

/** What a promise that should fail has failed with. */
export async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Fault)) throw new Error(`no Fault, but ${error}`);
  return error;
}

/** A server of the control plane on a port of its own, closed by `await using`. */
export async function serveControl(
  handlers: Partial<ControlHandlers> = {},
  options: Partial<ControlServerOptions> = {},
): Promise<ControlServer & AsyncDisposable> {
  const server = await startControlServer({
    listen: { host: "127.0.0.1", port: 0 },
    handlers: testHandlers(handlers),
    ...options,
  });
  return { ...server, [Symbol.asyncDispose]: () => server.close() };
}

/** A client of it, closed by `using`. */
export async function connectTo(
  server: ControlServer,
  security: ClientSecurity = { kind: "plain" },
  options: ConnectOptions = {},
): Promise<ControlClient & Disposable> {
  const client = await connectControl({ host: "127.0.0.1", port: server.port }, security, options);
  return { ...client, [Symbol.dispose]: () => client.close() };
}

/** All answers of a call. */
export async function all<T>(answers: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const answer of answers) list.push(answer);
  return list;
}
