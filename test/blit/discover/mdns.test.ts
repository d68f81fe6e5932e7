import { expect, test } from "bun:test";
import { advertise, browse } from "../../../src/blit/discover/mdns.ts";
import { labelOf } from "../../../src/blit/discover/service-records.ts";

const LOOPBACK = [{ address: "127.0.0.1", netmask: "255.0.0.0" }];

/** A port that nobody has, so that no other machine and no other test takes part. */
async function freePort(): Promise<number> {
  const socket = await Bun.udpSocket({ hostname: "0.0.0.0" });
  const { port } = socket;
  socket.close();
  return port;
}

/** Browses until `count` daemons are known; the time is only for failures. */
async function find(port: number, count: number) {
  const enough = new AbortController();
  let known = 0;
  const onFound = (): void => {
    known += 1;
    if (known === count) enough.abort();
  };
  const where = { interfaces: LOOPBACK, port };
  const found = await browse({ waitMs: 10_000, onFound, signal: enough.signal }, where);
  return found;
}

test("what is advertised is found, with its port and facts", async () => {
  const options = { interfaces: LOOPBACK, port: await freePort(), probeMs: 30 };
  const one = await advertise({ name: "attic. nas", port: 9031, txt: { tls: "1" } }, options);
  const two = await advertise({ name: "cellar", port: 1234 }, options);
  expect(await find(options.port, 2)).toEqual([
    expect.objectContaining({
      name: "attic- nas",
      address: "127.0.0.1",
      port: 9031,
      txt: { tls: "1" },
    }),
    expect.objectContaining({ name: "cellar", port: 1234, txt: {} }),
  ]);
  await two.stop();
  await two.stop();
  expect(await find(options.port, 1)).toHaveLength(1);
  await one.stop();
});

test("a name that is taken gets a number", async () => {
  const options = { interfaces: LOOPBACK, port: await freePort(), probeMs: 300 };
  const one = await advertise({ name: "nas", port: 1001 }, options);
  const two = await advertise({ name: "nas", port: 1002 }, options);
  expect([one.name, two.name]).toEqual(["nas", "nas (2)"]);
  await Promise.all([one.stop(), two.stop()]);
});

test("without a usable address it says what to do instead", async () => {
  const failing = browse({ waitMs: 1 }, { interfaces: [], port: 1 });
  await expect(failing).rejects.toMatchObject({ code: "E_NETWORK" });
});

test("a machine's name without any usable character still is a label", () => {
  expect(labelOf("...")).toBe("blit");
});
