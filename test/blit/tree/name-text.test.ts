import { expect, test } from "bun:test";
import fc from "fast-check";
import { nameOfText, textOfBytes, textOfName } from "../../../src/blit/tree/name-text.ts";

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

test("valid UTF-8 becomes the text that it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const bytes = Buffer.from(text, "utf8");
      expect(textOfName(bytes.toString("latin1"))).toBe(text);
      expect(textOfBytes(bytes)).toBe(text);
    }),
  );
});

test("no byte is ever lost: the way back gives the same bytes", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 24 }),
    fc
      .array(fc.constantFrom(0xc3, 0xa9, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0xe0, 0xff, 0x61))
      .map((list) => Uint8Array.from(list)),
  );
  fc.assert(
    fc.property(bytes, (list) => {
      expect(nameOfText(textOfName(latin1(list)))).toBe(latin1(list));
    }),
    { numRuns: 500 },
  );
});

test("invalid bytes become lone surrogates, one each, as strict UTF-8 decoders see it", () => {
  const invalid = ["\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80"];
  for (const name of invalid) {
    expect([...textOfName(name)].map((char) => char.charCodeAt(0))).toEqual(
      [...name].map((char) => 0xdc00 + char.charCodeAt(0)),
    );
  }
});

test("a byte order mark is part of a name", () => {
  expect(textOfName("\xef\xbb\xbfa")).toBe("\uFEFFa");
});

test("a large file is decoded whole", () => {
  const text = "é".repeat(50_000);
  expect(textOfBytes(Buffer.from(text))).toBe(text);
});
