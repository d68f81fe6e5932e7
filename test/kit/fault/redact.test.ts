import { expect, test } from "bun:test";
import fc from "fast-check";

import { escapeControls, redactCredentials } from "../../../src/kit/fault/redact.ts";

test("controls, direction changes and bytes that are no UTF-8 are shown as escapes", () => {
  expect(escapeControls("a\u001b[31m\nb\r\t\u0007\u202ec\u009b\udcffd")).toBe(
    "a\\e[31m\\nb\\r\\t\\x07\\u202ec\\x9b\\xffd",
  );
});

test("nothing that moves the cursor is left, whatever the text", () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  const unsafe = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => !unsafe.test(escapeControls(text))),
  );
});

test("ordinary text stays as it is, emoji and accents included", () => {
  expect(escapeControls('Zoë’s "Ordner" 📁 日本')).toBe('Zoë’s "Ordner" 📁 日本');
});

test("passwords and tokens in URLs are masked", () => {
  expect(redactCredentials("see https://me:s3cret@host/x and https://gh_tok@host")).toBe(
    "see https://me:***@host/x and https://***@host",
  );
  expect(redactCredentials("ssh://git@host/x?token=abc&page=2")).toBe(
    "ssh://git@host/x?token=***&page=2",
  );
  expect(redactCredentials('Cannot read "a@b:c"')).toBe('Cannot read "a@b:c"');
});
