import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connectControl } from "../../../src/blit/control/client.ts";
import type { ControlEvent } from "../../../src/blit/control/server.ts";
import { connectTo, faultOf, serveControl } from "../../support/control.ts";

// Machines may be busy.
setDefaultTimeout(30_000);

/** SETTINGS without any (RFC 9113, 6.5). */
const SETTINGS = Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const OFTEN = { intervalMs: 20, timeoutMs: 40 };
/** For peers that are to stay: both ends are in this process, which may have to wait its turn. */
const PATIENT = { intervalMs: 20, timeoutMs: 1000 };

describe("a peer that is silent is noticed", () => {
  test("by the client, whose calls say so", async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => {
      sockets.push(socket);
      socket.write(SETTINGS);
      socket.on("data", () => undefined);
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const { port } = mute.address() as AddressInfo;
    const where = { host: "127.0.0.1", port };
    const client = await connectControl(where, { kind: "plain" }, { pingTimes: OFTEN });
    const fault = await faultOf(client.ping({}));
    expect(fault).toMatchObject({ code: "E_STALL" });
    expect(fault.message).toContain("has stopped answering");
    expect((await client.ended)?.code).toBe("E_STALL");
    mute.close();
    for (const socket of sockets) socket.destroy();
  });

  test("by the daemon, which lets go of the connection", async () => {
    await using server = await serveControl({}, { pingTimes: OFTEN });
    const closed = await new Promise((resolve) => {
      const socket = connect(server.port, "127.0.0.1", () => {
        socket.write(PREFACE);
        socket.write(SETTINGS);
      });
      socket.on("data", () => undefined);
      socket.on("error", () => undefined);
      socket.on("close", () => resolve("closed"));
    });
    expect(closed).toBe("closed");
  });
});

test("a peer that answers stays, also when a call takes long", async () => {
  const events: ControlEvent[] = [];
  const goOn = Promise.withResolvers<void>();
  await using server = await serveControl(
    {
      filesystemStats: async () => {
        await goOn.promise;
        return { fileSystem: "late" };
      },
    },
    { pingTimes: PATIENT, onEvent: (event) => events.push(event) },
  );
  using client = await connectTo(server, { kind: "plain" }, { pingTimes: PATIENT });
  const call = client.filesystemStats({});
  setTimeout(() => goOn.resolve(), 2500);
  expect((await call).fileSystem).toBe("late");
  expect(events).toEqual([]);
});
