import { expect, test } from "bun:test";

import { rawArguments, toLatin1 } from "../../../src/kit/cli/raw-arguments.ts";

const never = (): string => {
  throw new Error("must not be asked");
};

test("valid text is its own bytes, and the kernel is not asked", () => {
  expect(rawArguments(["a", "ü"], never)).toEqual(["a", "\u00c3\u00bc"]);
});

test("what Bun could not decode comes from the kernel, from the end of its list", () => {
  const argv = ["copy", "bad\ufffd", "ü"];
  const kernel = `bun\0script.ts\0copy\0bad\u00ff\0${toLatin1("ü")}\0`;
  expect(rawArguments(argv, () => kernel)).toEqual(["copy", "bad\u00ff", toLatin1("ü")]);
});

test("a U+FFFD that was really typed stays", () => {
  const argv = ["a\ufffd"];
  expect(rawArguments(argv, () => `blit\0${toLatin1("a\ufffd")}\0`)).toEqual([toLatin1("a\ufffd")]);
});

test("the kernel is believed only where it agrees with what Bun has decoded", () => {
  expect(rawArguments(["bad\ufffd"], () => "blit\0other\0")).toEqual([toLatin1("bad\ufffd")]);
  expect(rawArguments(["bad\ufffd"], () => "")).toEqual([toLatin1("bad\ufffd")]);
  expect(rawArguments(["bad\ufffd"], never)).toEqual([toLatin1("bad\ufffd")]);
});
