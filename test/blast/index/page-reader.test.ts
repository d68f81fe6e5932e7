import { describe, expect, test } from "bun:test";

import { readPage } from "../../../src/blast/index/page-reader.ts";

const HTML = '<a href="foo-1.tar.gz">foo</a>';

function read(contentType: string | null, text: string, warnings: string[] = []): number {
  const bytes = new TextEncoder().encode(text);
  const answer = { url: "https://index.example/foo/", contentType, bytes };
  return readPage(answer, (warning) => warnings.push(warning)).files.length;
}

function json(version: string): string {
  const files = [{ filename: "foo-1.tar.gz", url: "foo-1.tar.gz", hashes: {} }];
  return JSON.stringify({ meta: { "api-version": version }, files });
}

describe("the form", () => {
  test("is what the content type says", () => {
    for (const type of [
      "text/html",
      "Text/HTML; charset=utf-8",
      "application/vnd.pypi.simple.v1+html",
      "application/xhtml+xml",
      "",
      null,
    ]) {
      expect(read(type, HTML)).toBe(1);
    }
    for (const type of [
      "application/vnd.pypi.simple.v1+json",
      "application/vnd.pypi.simple.latest+json;x=y",
      "application/json",
    ]) {
      expect(read(type, json("1.0"))).toBe(1);
    }
  });

  test("is unknown for anything else", () => {
    expect(() => read("application/octet-stream", HTML)).toThrow(
      'Cannot read "https://index.example/foo/" as a page of an index: ' +
        'its content type is "application/octet-stream"',
    );
    expect(() => read("application/json", HTML)).toThrow("it is no valid JSON of an index");
  });
});

describe("the version", () => {
  test("with another major number is refused", () => {
    const message = 'it has version "2.0" of the index API, not 1';
    expect(() => read("application/json", json("2.0"))).toThrow(message);
    const meta = '<meta name="pypi:repository-version" content="2.0">';
    expect(() => read("text/html", meta + HTML)).toThrow(message);
    expect(() => read("application/json", json("one"))).toThrow('it has version "one"');
  });

  test("with a newer minor number is a warning", () => {
    const warnings: string[] = [];
    read("application/json", json("1.4"), warnings);
    expect(warnings).toEqual([]);
    read("application/json", json("1.5"), warnings);
    expect(warnings).toEqual([
      "index.example speaks version 1.5 of the index API, which is newer than known",
    ]);
  });
});
