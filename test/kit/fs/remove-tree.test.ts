import { expect, test } from "bun:test";
import { readdirSync, symlinkSync } from "node:fs";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { removeTree } from "../../../src/kit/fs/remove-tree.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("files, links and folders go; what a link leads to stays", () => {
  using work = createWorkspace();
  work.write("outside/file", "mine");
  work.write("tree/a/b/c", "x");
  symlinkSync(work.at("outside"), work.at("tree/link"));
  symlinkSync(work.at("outside"), work.at("alone"));
  expect(removeTree(work.at("tree"))).toBe(0);
  expect(removeTree(work.at("alone"))).toBe(0);
  expect(removeTree(work.at("never/there"))).toBe(0);
  expect(readdirSync(work.path)).toEqual(["outside"]);
  expect(readdirSync(work.at("outside"))).toEqual(["file"]);
});

test("what cannot be removed is reported, and the rest goes", () => {
  using work = createWorkspace();
  work.write("tree/a");
  work.write("tree/b");
  work.write("tree/c");
  const { unlinkat } = sys;
  let calls = 0;
  // The first is the folder itself, tried as a file.
  sys.unlinkat = (...args) => (++calls === 3 ? -errno.EIO : unlinkat(...args));
  try {
    expect(removeTree(work.at("tree"))).toBe(-errno.EIO);
  } finally {
    sys.unlinkat = unlinkat;
  }
  expect(readdirSync(work.at("tree"))).toHaveLength(1);
});
