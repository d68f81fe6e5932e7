import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatRecordEntry, parseRecord } from "../../../src/blast/env/record.ts";

test("lines as installers write them", () => {
  const text =
    'a.py,sha256=abc,12\r\n"b, c.py",sha256=def,3\n../../bin/x,,\n' +
    '"say ""hi"".txt",,0\nlast,sha1=x,7';
  expect(parseRecord(text)).toEqual([
    { path: "a.py", hash: "sha256=abc", size: 12 },
    { path: "b, c.py", hash: "sha256=def", size: 3 },
    { path: "../../bin/x" },
    { path: 'say "hi".txt', size: 0 },
    { path: "last", hash: "sha1=x", size: 7 },
  ]);
});

test("empty lines, sizes that are none and NUL bytes do no harm", () => {
  expect(parseRecord("\n\r\n,,\na,,x1\nb\0c,,\n")).toEqual([{ path: "a" }]);
});

test("what is written is read back, whatever the name", () => {
  const name = fc.string({ minLength: 1 }).filter((text) => !text.includes("\0"));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.nat())), (entries) => {
      const text = entries
        .map(([path, size]) => formatRecordEntry(path, "sha256=x", size))
        .join("");
      expect(parseRecord(text).map(({ path, size }) => [path, size])).toEqual(entries);
    }),
  );
});

test("any text is read without a throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', ",", "\n", "\r", "a", "\\") }), (text) => {
      for (const { path } of parseRecord(text)) expect(path).not.toBe("");
    }),
  );
});
