import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseNotify } from "../../../src/rastos/service/notify-message.ts";

const parse = (text: string) => parseNotify(new TextEncoder().encode(text));

test("what a service says", () => {
  expect(parse("READY=1\nSTATUS=all well\nX=1")).toEqual({
    isReady: true,
    isAlive: false,
    status: "all well",
  });
  expect(parse("WATCHDOG=1")).toMatchObject({ isAlive: true, isReady: false });
  expect(parse("READY=10")).toMatchObject({ isReady: false });
  expect(parse(`STATUS=${"x".repeat(1000)}`).status?.length).toBe(200);
});

test("property: any bytes are a message", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseNotify(bytes)));
});
