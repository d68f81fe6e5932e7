import { expect, test } from "bun:test";
import fc from "fast-check";
import { loaderConfig } from "../../../src/rastos/boot/loader-conf.ts";

test("the default is ours, other settings stay", () => {
  expect(loaderConfig("", { timeout: undefined })).toBe("default rastos-*\ntimeout 3\n");
  const old = "timeout 10\nconsole-mode max\ndefault arch.conf\n";
  expect(loaderConfig(old, { timeout: undefined })).toBe(
    "default rastos-*\ntimeout 10\nconsole-mode max\n",
  );
  expect(loaderConfig(old, { timeout: 0 })).toBe("default rastos-*\ntimeout 0\nconsole-mode max\n");
});

test("written twice it is the same", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.option(fc.nat(60)), (text, seconds) => {
      const timeout = seconds ?? undefined;
      const once = loaderConfig(text, { timeout });
      expect(loaderConfig(once, { timeout })).toBe(once);
    }),
  );
});
