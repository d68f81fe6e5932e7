import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { changeSet, makeSet, makeSmallFiles, SET_NAMES } from "../../bench/data.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "triad-test-data-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Path, size, time and hash of each file. */
function contents(root: string): Map<string, string> {
  const paths = (readdirSync(root, { recursive: true }) as string[]).sort();
  const files = paths.filter((path) => statSync(join(root, path)).isFile());
  return new Map(
    files.map((path) => {
      const { size, mtimeNs } = statSync(join(root, path), { bigint: true });
      return [path, `${size} ${mtimeNs} ${Bun.hash(readFileSync(join(root, path)))}`];
    }),
  );
}

describe("makeSet", () => {
  test.each(SET_NAMES)("makes %s the same twice, and counts what it made", (name) => {
    const made = makeSet(join(folder, "a"), name, 0.002);
    expect(makeSet(join(folder, "b"), name, 0.002)).toEqual(made);
    const first = contents(join(folder, "a"));
    expect(contents(join(folder, "b"))).toEqual(first);
    const sizes = [...first.values()].map((entry) => Number(entry.split(" ")[0]));
    expect(first.size).toBe(made.files);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(made.bytes);
    const entries = readdirSync(join(folder, "a"), { recursive: true }).length;
    expect(made.folders).toBe(entries - made.files + 1);
  });

  test("leaves holes in the sparse file", () => {
    makeSet(folder, "sparse", 0.01);
    const { size, blocks } = statSync(join(folder, "sparse.img"));
    expect(size).toBe(Math.floor((10 * 2 ** 30 * 0.01) / 4096) * 4096);
    expect(blocks * 512).toBeLessThan(size / 50);
  });

  test("nests a hundred folders", () => {
    makeSet(folder, "deep", 0.002);
    const depths = (readdirSync(folder, { recursive: true }) as string[]).map(
      (path) => path.split("/").length,
    );
    expect(Math.max(...depths)).toBe(102);
  });
});

test("makeSmallFiles makes as many files as asked for, of 1 to 4 KiB", () => {
  expect(makeSmallFiles(folder, 250).files).toBe(250);
  const sizes = [...contents(folder).values()].map((entry) => Number(entry.split(" ")[0]));
  expect(sizes).toHaveLength(250);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1024);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(4096);
});

test("changeSet changes bytes and time of 1 % and deletes 1 %", () => {
  makeSmallFiles(folder, 1000);
  const before = contents(folder);
  expect(changeSet(folder)).toEqual({ changed: 10, deleted: 10 });
  const after = contents(folder);
  const deleted = [...before.keys()].filter((path) => !after.has(path));
  const changed = [...after].filter(([path, entry]) => before.get(path) !== entry);
  expect(deleted).toHaveLength(10);
  expect(changed).toHaveLength(10);
  for (const [path, entry] of changed) {
    const [size, time, hash] = before.get(path)!.split(" ");
    const [newSize, newTime, newHash] = entry.split(" ");
    expect(newSize).toBe(size!);
    expect(newTime).not.toBe(time!);
    expect(newHash).not.toBe(hash!);
  }
});
