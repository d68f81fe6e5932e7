import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { lineageOf } from "../../../src/blit/session/lineage.ts";
import { createWorkspace } from "../../support/workspace.ts";

function lineageAt(path: string): string[] {
  const fd = openSync(path, "r");
  try {
    return lineageOf(fd);
  } finally {
    closeSync(fd);
  }
}

test("a folder first, then those above it up to the root", () => {
  using work = createWorkspace();
  const inner = lineageAt(work.folder("a/b/c"));
  const outer = lineageAt(work.at("a"));
  expect(inner.slice(2)).toEqual(outer);
  expect(inner[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(inner).size).toBe(inner.length);
  expect(lineageAt("/")).toEqual(inner.slice(-1));
});

test("folders beside each other differ, no folder has none", () => {
  using work = createWorkspace();
  expect(lineageAt(work.folder("a"))[0]).not.toBe(lineageAt(work.folder("b"))[0]);
  expect(lineageOf(-1)).toEqual([]);
});
