import { expect, test } from "bun:test";
import { pythonString } from "../../../src/blast/pep/python-string.ts";

test.each<[string, string | undefined]>([
  ["plain", "plain"],
  ["\\n\\t\\\\\\'", "\n\t\\'"],
  ["\\x41\\101\\u0042\\U0001F600\\0", "AAB\u{1F600}\0"],
  ["\\d stays", "\\d stays"],
  ["line\\\nends", "lineends"],
  ["line\nends", undefined],
  ["\\\\\n", undefined],
  ["\r", undefined],
  ["\0", undefined],
  ["\\", undefined],
  ["\\x4", undefined],
  ["\\u123", undefined],
  ["\\U0011FFFF", undefined],
  ["\\N{DIGIT ONE}", undefined],
])("%j is %j", (inner, expected) => {
  expect(pythonString(inner)).toBe(expected);
});
