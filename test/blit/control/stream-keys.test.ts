import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { deriveStreamKeys, sessionSecret } from "../../../src/blit/control/stream-keys.ts";

const SECRET = new Uint8Array(32).fill(9);

test("what one end sends with, the other receives with", () => {
  const client = deriveStreamKeys({ secret: SECRET, stream: 2, end: "client" });
  const daemon = deriveStreamKeys({ secret: SECRET, stream: 2, end: "daemon" });
  expect(client.sendKey).toEqual(daemon.receiveKey);
  expect(client.sendIv).toEqual(daemon.receiveIv);
  expect(client.receiveKey).toEqual(daemon.sendKey);
  expect(client.receiveIv).toEqual(daemon.sendIv);
  expect([client.sendKey.length, client.sendIv.length]).toEqual([32, 12]);
});

test("no two streams or directions share anything", () => {
  const all = Array.from({ length: 64 }, (_, stream) =>
    Object.values(deriveStreamKeys({ secret: SECRET, stream, end: "client" })),
  ).flat();
  expect(new Set(all.map((bytes) => Buffer.from(bytes).toString("hex"))).size).toBe(64 * 4);
});

test("the derivation is that of RFC 5869 (written out here)", () => {
  const prk = createHmac("sha256", new Uint8Array(32)).update(SECRET).digest();
  const info = "blit data 1, stream 0, client to daemon, key";
  const okm = createHmac("sha256", prk).update(info).update(Uint8Array.of(1)).digest();
  const keys = deriveStreamKeys({ secret: SECRET, stream: 0, end: "client" });
  expect(keys.sendKey).toEqual(new Uint8Array(okm));
});

test("the secret is that of the session; a plain connection has none", () => {
  const asked: unknown[] = [];
  const end = {
    exporter: (...args: unknown[]) => {
      asked.push(args);
      return Buffer.from("secret");
    },
  };
  expect(sessionSecret(end, Uint8Array.of(1, 2))).toEqual(Buffer.from("secret"));
  expect(asked).toEqual([["EXPORTER-blit-data", Uint8Array.of(1, 2), 32]]);
  expect(sessionSecret({ exporter: () => undefined }, Uint8Array.of(1))).toBeUndefined();
});
