import { describe, expect, test } from "bun:test";
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";

import { CacheFolder } from "../../../src/blast/index/cache-folder.ts";
import {
  MetadataCache,
  metadataVersionOf,
  reduceMetadata,
} from "../../../src/blast/index/metadata-cache.ts";
import type { Workspace } from "../../support/workspace.ts";
import { createWorkspace } from "../../support/workspace.ts";

function open(work: Workspace): MetadataCache {
  const cache = new CacheFolder(work.path, () => undefined);
  return new MetadataCache(cache, work.at("lines"), (path, text) => cache.append(path, text));
}

describe("kept metadata", () => {
  test("comes back, the last of a key, whatever it holds", () => {
    using work = createWorkspace();
    const text = 'Name: föö\nRequires-Dist: "\u2028\ud800"\n\n\0';
    open(work).add("foo", "sha256:1", "old", 5000);
    open(work).add("foo", "sha256:1", text, 7999);
    open(work).add("foo", "url:2", "two", 0);
    expect(open(work).get("foo", "sha256:1")).toEqual({ text, writtenMs: 7000 });
    expect(open(work).get("foo", "url:2")?.text).toBe("two");
    expect(open(work).get("foo", "sha256:2")).toBeUndefined();
    expect(open(work).get("bar", "sha256:1")).toBeUndefined();
  });

  test("that was cut off or changed is not there; what follows is", () => {
    using work = createWorkspace();
    open(work).add("foo", "a", "one", 0);
    open(work).add("foo", "b", "two", 0);
    const path = work.at("lines", "foo.lines");
    const whole = readFileSync(path);
    for (let length = whole.length - 1; length > whole.length / 2; length -= 1) {
      truncateSync(path, length);
      open(work).add("foo", "c", "three", 0);
      expect(open(work).get("foo", "a")?.text).toBe("one");
      expect(open(work).get("foo", "b")).toBeUndefined();
      expect(open(work).get("foo", "c")?.text).toBe("three");
      writeFileSync(path, whole);
    }
    for (let position = 1; position < whole.length; position += 1) {
      // The break between two lines belongs to both.
      if (whole[position] === 0x0a) continue;
      const bytes = Buffer.from(whole);
      bytes[position] = (bytes[position] ?? 0) ^ 1;
      writeFileSync(path, bytes);
      const texts = ["a", "b"].map((key) => open(work).get("foo", key)?.text);
      expect(texts.filter((text) => text !== undefined)).toHaveLength(1);
    }
    appendFileSync(path, "\n\n\nrubbish \n x y z \n");
    expect(() => open(work).get("foo", "z")).not.toThrow();
  });
});

test("the fields that matter, with their continuations", () => {
  const text = [
    "Metadata-Version: 2.1",
    "Name: foo",
    "Summary: a",
    "  b",
    "requires-dist: bar",
    "\t; extra == 'x'",
    "Provides-Extra: x",
    "Description: Name: no",
    "",
    "Requires-Dist: none",
  ];
  const kept = `${[...text.slice(0, 2), ...text.slice(4, 7)].join("\n")}\n`;
  expect(reduceMetadata(text.join("\n"))).toBe(kept);
  expect(reduceMetadata(text.join("\r\n"))).toBe(kept);
  expect(reduceMetadata("Name: foo")).toBe("Name: foo\n");
  expect(reduceMetadata("")).toBe("\n");
});

test("versions of the format compare as numbers", () => {
  const versions = ["2.2", "2.10", "1.2", "3.0"].map((text) =>
    metadataVersionOf(`Name: x\nMetadata-Version : ${text}\n`),
  );
  expect(versions.map((version) => version >= 2.02)).toEqual([true, true, false, true]);
  expect(metadataVersionOf("Name: x")).toBe(0);
});
