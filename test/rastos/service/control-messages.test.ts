import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseRequest } from "../../../src/rastos/service/control-messages.ts";

test("requests that are understood", () => {
  const read = (value: object): unknown => parseRequest(JSON.stringify(value));
  expect(read({ verb: "status" })).toEqual({ verb: "status", names: [], wait: false });
  expect(read({ verb: "start", names: ["a"], wait: true })).toEqual({
    verb: "start",
    names: ["a"],
    wait: true,
  });
  expect(read({ verb: "shutdown", how: "reboot" })).toEqual({ verb: "shutdown", how: "reboot" });
});

test.each([
  "",
  "{",
  "null",
  "3",
  '{"verb":"explode"}',
  '{"verb":"start","names":"a"}',
  '{"verb":"start","names":[1]}',
  '{"verb":"shutdown"}',
  '{"verb":"shutdown","how":"explode"}',
])("%j is none", (line) => {
  expect(parseRequest(line)).toBeUndefined();
});

test("property: nothing that comes over the socket makes it throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      parseRequest(line);
    }),
  );
});
