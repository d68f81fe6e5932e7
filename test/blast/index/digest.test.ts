import { describe, expect, test } from "bun:test";
import fc from "fast-check";

import {
  decodePage,
  encodePage,
  pageInMemory,
  replaceHead,
} from "../../../src/blast/index/digest.ts";
import type { PageFile } from "../../../src/blast/index/page-file.ts";
import { groupByVersion } from "../../../src/blast/index/release-files.ts";
import { named } from "./index-options.fixture.ts";

const INDEX = "https://index.example/simple/";
const HEAD = { index: INDEX, name: "foo" };
const WANTED = { index: INDEX, name: named("foo") };
const SHA = "0c".repeat(32);

const hex = fc.string({
  unit: fc.constantFrom(..."0123456789abcdef"),
  minLength: 64,
  maxLength: 64,
});
const hashes = fc.oneof(
  fc.constant({}),
  hex.map((sha256) => ({ sha256 })),
  hex.map((md5) => ({ md5 })),
);
const pageFile = fc
  .record(
    {
      version: fc.constantFrom("1.0", "1.1", "2.0", "2.0.dev3"),
      place: fc.constantFrom(
        "https://files.example/packages/ab/",
        "https://files.example/packages/cd/ef/",
        "https://other.example/",
        "http://files.example/x?y=",
      ),
      hashes,
      size: fc.nat(),
      requiresPython: fc.string(),
      yanked: fc.oneof(fc.constant(false as const), fc.string({ unit: "grapheme" })),
      uploadTime: fc.string(),
      metadata: fc.oneof(
        fc.constant(true as const),
        hex.map((sha256) => ({ sha256 })),
      ),
    },
    { requiredKeys: ["version", "place", "hashes", "yanked"] },
  )
  .map(({ version, place, ...rest }): PageFile => {
    const filename = `foo-${version}-py3-none-any.whl`;
    return { filename, url: place + (place.includes("?") ? "z" : filename), ...rest };
  });

test("what goes in comes out", () => {
  fc.assert(
    fc.property(fc.array(pageFile, { maxLength: 12 }), (files) => {
      const releases = groupByVersion("foo", files);
      const page = decodePage(pageInMemory(encodePage(HEAD, releases)), WANTED);
      const versions = page?.project.versions ?? [];
      expect(versions.map(({ version }) => version.toString())).toEqual(
        releases.map(({ version }) => version.toString()),
      );
      for (const [index, release] of releases.entries()) {
        const files: unknown = versions[index]?.files();
        expect(files).toEqual(
          release.files.map((file) => ({ ...file, kind: "wheel", index: INDEX })),
        );
      }
    }),
  );
});

const FILES: PageFile[] = ["1.0", "2.0"].map((version) => ({
  filename: `foo-${version}.tar.gz`,
  url: `https://files.example/foo-${version}.tar.gz`,
  hashes: { sha256: SHA },
  yanked: false,
}));
const BYTES = encodePage({ ...HEAD, etag: '"é"', freshMs: 5 }, groupByVersion("foo", FILES));

describe("a page", () => {
  test("keeps its head, and gets another one", () => {
    expect(decodePage(pageInMemory(BYTES), WANTED)?.head).toMatchObject({
      etag: '"é"',
      freshMs: 5,
    });
    const again = replaceHead(BYTES, { freshMs: 77_777 });
    const page = decodePage(pageInMemory(again), WANTED);
    expect(page?.head).toMatchObject({ etag: '"é"', freshMs: 77_777 });
    expect(page?.project.versions[1]?.files()[0]?.filename).toBe("foo-1.0.tar.gz");
  });

  test("of another index or name is none", () => {
    const other = { index: "https://other.example/", name: named("foo") };
    expect(decodePage(pageInMemory(BYTES), other)).toBeUndefined();
    expect(decodePage(pageInMemory(BYTES), { ...WANTED, name: named("bar") })).toBeUndefined();
  });

  test("that was damaged anywhere is none, or says so when it is looked into", () => {
    for (let position = 0; position < BYTES.length; position += 1) {
      for (const value of [0, 0x20, (BYTES[position] ?? 0) ^ 1]) {
        // A line break that is another character does no harm.
        if (BYTES[position] === value || BYTES[position] === 0x0a) continue;
        const bytes = Buffer.from(BYTES);
        bytes[position] = value;
        let discarded = 0;
        const source = { ...pageInMemory(bytes), discard: () => (discarded += 1) };
        const page = decodePage(source, WANTED);
        if (page === undefined) continue;
        expect(() => page.project.versions.map((version) => version.files())).toThrow(
          'Cannot read the page of "foo" from the cache: it is damaged',
        );
        expect(discarded).toBe(1);
      }
    }
  });

  test("that was cut off is none", () => {
    for (let length = 0; length < BYTES.length; length += 1) {
      expect(decodePage(pageInMemory(BYTES.subarray(0, length)), WANTED)).toBeUndefined();
    }
  });
});

test("of a large page only what is wanted is read", () => {
  const files = Array.from({ length: 3000 }, (_, number) => ({
    filename: `foo-1.${number}.tar.gz`,
    url: `https://files.example/${SHA}/foo-1.${number}.tar.gz`,
    hashes: { sha256: SHA },
    yanked: "for a reason" as const,
  }));
  const bytes = encodePage(HEAD, groupByVersion("foo", files));
  let read = 0;
  const source = {
    ...pageInMemory(bytes),
    read: (offset: number, lengthBytes: number) => {
      read += lengthBytes;
      return bytes.subarray(offset, offset + lengthBytes);
    },
  };
  const versions = decodePage(source, WANTED)?.project.versions ?? [];
  expect(versions[0]?.files()[0]?.filename).toBe("foo-1.2999.tar.gz");
  expect(versions[2999]?.files()[0]?.filename).toBe("foo-1.0.tar.gz");
  expect(read).toBeLessThan(bytes.length / 3);
});
