import { describe, expect, test } from "bun:test";
import fc from "fast-check";

import { parseJsonPage } from "../../../src/blast/index/json-page.ts";
import type { PageFile } from "../../../src/blast/index/page-file.ts";

const BASE = "https://index.example/simple/foo/";
const SHA = "0b".repeat(32);

function read(file: unknown): readonly PageFile[] {
  return parseJsonPage(JSON.stringify({ files: [file] }), BASE).files;
}

const PLAIN = { filename: "foo-1.tar.gz", url: "foo-1.tar.gz", hashes: {} };

test("everything that PEP 691 and 700 know", () => {
  const text = JSON.stringify({
    meta: { "api-version": "1.1", "_last-serial": 1 },
    name: "foo",
    versions: ["1"],
    files: [
      {
        ...PLAIN,
        hashes: { sha256: SHA.toUpperCase(), crc: "1", md5: "not hexadecimal" },
        size: 7,
        "upload-time": "2024-01-01T00:00:00Z",
        "requires-python": ">=3",
        "core-metadata": { sha256: SHA },
        yanked: true,
      },
    ],
  });
  expect(parseJsonPage(text, BASE)).toEqual({
    apiVersion: "1.1",
    files: [
      {
        filename: "foo-1.tar.gz",
        url: `${BASE}foo-1.tar.gz`,
        hashes: { sha256: SHA },
        size: 7,
        uploadTime: "2024-01-01T00:00:00Z",
        requiresPython: ">=3",
        metadata: { sha256: SHA },
        yanked: "",
      },
    ],
  });
});

describe("values", () => {
  test("of metadata", () => {
    const metadata = (more: object): unknown => read({ ...PLAIN, ...more })[0]?.metadata;
    expect(metadata({ "core-metadata": true })).toBe(true);
    expect(metadata({ "dist-info-metadata": {} })).toBe(true);
    expect(metadata({ "core-metadata": false, "dist-info-metadata": true })).toBeUndefined();
    expect(metadata({})).toBeUndefined();
  });

  test("that make no sense are as if they were not there", () => {
    const odd = { size: -1, "requires-python": null, "upload-time": 5, yanked: null, hashes: [] };
    expect(read({ ...PLAIN, ...odd })).toEqual([
      { filename: "foo-1.tar.gz", url: `${BASE}foo-1.tar.gz`, hashes: {}, yanked: false },
    ]);
  });

  test("without which a file is none leave it out", () => {
    for (const wrong of [null, 1, [], {}, { filename: "x" }, { ...PLAIN, url: "file:///x" }]) {
      expect(read(wrong)).toEqual([]);
    }
    expect(read({ ...PLAIN, filename: "../../x/foo-1.tar.gz" })).toEqual([]);
  });
});

test("what is no page", () => {
  for (const text of ["", "[]", "{}", "null", '{"files": {}}', "<html>"]) {
    expect(() => parseJsonPage(text, BASE)).toThrow(SyntaxError);
  }
});

test("any JSON is a page or a SyntaxError", () => {
  const key = fc.constantFrom("filename", "url", "hashes", "size", "yanked", "core-metadata");
  fc.assert(
    fc.property(fc.array(fc.dictionary(key, fc.jsonValue())), (files) => {
      for (const file of parseJsonPage(JSON.stringify({ files }), BASE).files) {
        expect(file.url).toMatch(/^https?:\/\//);
      }
    }),
  );
});
