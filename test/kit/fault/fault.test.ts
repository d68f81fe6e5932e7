import { expect, test } from "bun:test";

import { FAULT_CODES } from "../../../src/kit/fault/codes.ts";
import { Fault, faultFromJson } from "../../../src/kit/fault/fault.ts";

test("a fault takes its exit code from the catalogue unless told otherwise", () => {
  expect(new Fault({ code: "E_PARTIAL", message: "x" }).exit).toBe(4);
  expect(new Fault({ code: "E_IO", message: "x", exit: 4 }).exit).toBe(4);
});

test("a fault survives the way through a worker", () => {
  const fault = new Fault({
    code: "E_NO_SPACE",
    message: 'Cannot write "a"',
    hint: "make room",
    details: { errno: "ENOSPC" },
    cause: new Error("write failed", { cause: new Error("disk full") }),
  });
  const copy = faultFromJson(structuredClone(fault.toJson()));
  expect(copy.toJson()).toEqual(fault.toJson());
  expect(copy.toJson().causes).toEqual(["write failed", "disk full"]);
});

test("whatever else a worker throws is a bug of ours", () => {
  for (const thrown of [undefined, "text", { code: "E_WHAT", message: "x" }, new Error("boom")]) {
    expect(faultFromJson(thrown).code).toBe("E_BUG");
  }
});

test("causes that go round in a circle end", () => {
  const error = new Error("a");
  error.cause = error;
  expect(new Fault({ code: "E_IO", message: "x", cause: error }).toJson().causes).toHaveLength(5);
});

test("exit codes of the catalogue are those of the table", async () => {
  const { EXIT_CODES } = await import("../../../src/kit/fault/codes.ts");
  const known = new Set<number>(EXIT_CODES.map(({ code }) => code));
  for (const [code, entry] of Object.entries(FAULT_CODES)) {
    expect([code, known.has(entry.exit)]).toEqual([code, true]);
  }
});
