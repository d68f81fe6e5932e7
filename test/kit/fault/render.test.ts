import { expect, test } from "bun:test";

import { Fault, faultFromJson } from "../../../src/kit/fault/fault.ts";
import { faultFromBug, renderFault } from "../../../src/kit/fault/render.ts";
import { loadColorStyle, PLAIN_STYLE } from "../../../src/kit/out/style.ts";

const plain = { style: PLAIN_STYLE, debug: false };

test("message, new causes and hint get a line each", () => {
  const fault = new Fault({
    code: "E_IO",
    message: 'Cannot read "a": permission denied',
    hint: "run it as root",
    cause: new Error("permission denied", { cause: new Error("blocked by policy") }),
  });
  expect(renderFault(fault, plain)).toBe(
    'error: Cannot read "a": permission denied\n  cause: blocked by policy\nhint: run it as root',
  );
});

test("outside text cannot forge a line or move the cursor", () => {
  const fault = new Fault({ code: "E_IO", message: 'Cannot read "a\nerror: fake\u001b[2J"' });
  expect(renderFault(fault, plain)).toBe('error: Cannot read "a\\nerror: fake\\e[2J"');
});

test("a bug says so, and shows its stack only with --debug", () => {
  const fault = faultFromBug(new TypeError("x is no function"));
  expect(fault.exit).toBe(3);
  expect(renderFault(fault, plain)).toBe(
    "error: This is a bug in triad: TypeError: x is no function\n" +
      "hint: repeat the command with --debug and report what it prints",
  );
  const debug = renderFault(fault, { ...plain, debug: true });
  expect(debug).toContain("E_BUG, exit 3");
  expect(debug).toContain("render.test.ts");
});

test("colour is around the labels only", async () => {
  const style = await loadColorStyle();
  const fault = new Fault({ code: "E_IO", message: "No", hint: "yes" });
  const text = renderFault(fault, { style, debug: false });
  expect(text).toContain("\u001b[31merror:");
  expect(Bun.stripANSI(text)).toBe("error: No\nhint: yes");
});

test("an excerpt keeps its lines, and cannot forge others", () => {
  const excerpt = ["cc: fatal\nerror: fake", "", "https://me:secret@host/"];
  const fault = new Fault({ code: "E_BUILD", message: "No", hint: "yes", excerpt });
  expect(renderFault(fault, plain)).toBe(
    "error: No\n  | cc: fatal\\nerror: fake\n  |\n  | https://me:***@host/\nhint: yes",
  );
  expect(faultFromJson(JSON.parse(JSON.stringify(fault.toJson()))).excerpt).toEqual(excerpt);
});
