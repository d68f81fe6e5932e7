import { expect, test } from "bun:test";
import { linkSync } from "node:fs";
import { diskUsage } from "../../../src/blit/admin/disk-usage.ts";
import type { Usage } from "../../../src/blit/admin/types.ts";
import { OWN_PATHS } from "../../support/module-base.ts";
import { createWorkspace } from "../../support/workspace.ts";

function measure(path: string, depth: number): Usage[] {
  return [...diskUsage(OWN_PATHS, path, depth)].flatMap((chunk) => chunk?.usages ?? []);
}

test("counts as du does: blocks on the disk, a file of several names once", () => {
  using work = createWorkspace();
  work.write("tree/a", "x".repeat(5000));
  work.write("tree/sub/b", "x".repeat(100_000));
  work.write("tree/sub/deep/c", "");
  linkSync(work.at("tree/a"), work.at("tree/sub/again"));
  const du = Bun.spawnSync(["du", "-s", "--block-size=1", work.at("tree")]).stdout.toString();
  const [total] = measure(work.at("tree"), 0);
  expect(total).toEqual({
    path: "",
    bytes: 105_000,
    diskBytes: Number(du.split("\t")[0]),
    files: 3,
    folders: 3,
  });
});

test("tells of folders down to a depth, the deepest first", () => {
  using work = createWorkspace();
  work.write("tree/a/b/c/d", "12345");
  const paths = (depth: number) => measure(work.at("tree"), depth).map(({ path }) => path);
  expect(paths(0)).toEqual([""]);
  expect(paths(2)).toEqual(["a/b", "a", ""]);
  expect(paths(9)).toEqual(["a/b/c", "a/b", "a", ""]);
  expect(measure(work.at("tree"), 2).map(({ bytes }) => bytes)).toEqual([5, 5, 5]);
});

test("a file is measured itself", () => {
  using work = createWorkspace();
  const file = work.write("file", "x".repeat(5000));
  expect(measure(file, 0)).toMatchObject([{ path: "", bytes: 5000, files: 1, folders: 0 }]);
});
