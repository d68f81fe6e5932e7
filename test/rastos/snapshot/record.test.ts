import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseRecord } from "../../../src/rastos/snapshot/record.ts";
import { parseState } from "../../../src/rastos/snapshot/state.ts";

test("a record is read back, and nothing else is taken for one", () => {
  const record = {
    id: 3,
    parent: 1,
    branch: "b",
    description: "text",
    createdMs: 12.5,
    system: "[system]",
  };
  expect(parseRecord(JSON.stringify(record))).toEqual(record);
  expect(parseRecord('{"id":0,"createdMs":1}')).toEqual({
    id: 0,
    parent: undefined,
    branch: undefined,
    description: "",
    createdMs: 1,
    system: undefined,
  });
  for (const text of [
    "",
    "null",
    "[]",
    "{}",
    '{"id":-1,"createdMs":1}',
    '{"id":1.5,"createdMs":1}',
  ]) {
    expect(parseRecord(text)).toBeUndefined();
  }
});

test("no text at all makes the parsers throw", () => {
  const texts = fc.oneof(fc.string(), fc.json(), fc.constant('{"format":1,"snapshots":[null]}'));
  fc.assert(
    fc.property(texts, (text) => {
      parseRecord(text);
      parseState(text);
    }),
  );
  expect(parseState('{"format":2}')).toBeUndefined();
});
