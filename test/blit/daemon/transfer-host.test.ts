import { expect, test } from "bun:test";
import { streamCount } from "../../../src/blit/daemon/transfer-host.ts";

const client = (streamsMax: number, isFar = false) => {
  return { streamsMax, isFar } as Parameters<typeof streamCount>[0];
};

test("a session that is alone gets as many streams as both sides serve", () => {
  expect(streamCount(client(1), 1)).toBe(1);
  expect(streamCount(client(2), 1)).toBe(2);
  expect(streamCount(client(1000), 1)).toBeLessThanOrEqual(8);
  // One that is far away waits for acknowledgements: processors are not what is short.
  expect(streamCount(client(1000, true), 1)).toBe(8);
});

test("one of many gets one; none was asked for is one too", () => {
  expect(streamCount(client(8), 64)).toBe(1);
  expect(streamCount(client(8, true), 64)).toBe(1);
  expect(streamCount(client(0), 1)).toBe(1);
  expect(streamCount(undefined, 0)).toBe(1);
});
