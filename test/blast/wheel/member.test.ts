import { expect, test } from "bun:test";
import { readWheelMember, readWheelMetadata } from "../../../src/blast/wheel/member.ts";
import { makeWheel, metadataOf, writeWheel } from "../../support/wheel-writer.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("single members of a wheel, without the rest of it", () => {
  using work = createWorkspace();
  // RECORD is not looked at.
  const path = writeWheel(work.path, makeWheel({ record: "nonsense" }));
  expect(readWheelMetadata(path)).toBe(metadataOf("demo", "1.0"));
  expect(Buffer.from(readWheelMember(path, "demo/__init__.py")).toString()).toBe("answer = 42\n");
  expect(() => readWheelMember(path, "demo")).toThrow('it has no "demo"');
  expect(() => readWheelMetadata(work.at("gone.whl"))).toThrow("no such file");
  work.write("text.whl", "text");
  expect(() => readWheelMetadata(work.at("text.whl"))).toThrow("it is no zip archive");
});
