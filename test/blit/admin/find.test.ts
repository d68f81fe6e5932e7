import { expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { find } from "../../../src/blit/admin/find.ts";
import type { FindQuery } from "../../../src/blit/admin/types.ts";
import { OWN_PATHS, openModuleBase } from "../../support/module-base.ts";
import { createWorkspace } from "../../support/workspace.ts";

const everything: FindQuery = {
  namePattern: undefined,
  foldsCase: false,
  kind: undefined,
  sizeMinBytes: 0,
  sizeMaxBytes: undefined,
  mtimeSinceSec: undefined,
  mtimeUntilSec: undefined,
  resultsMax: Number.MAX_SAFE_INTEGER,
};

function run(path: string, query: Partial<FindQuery>, base = OWN_PATHS) {
  const chunks = [...find(base, path, { ...everything, ...query })].filter(
    (one) => one !== undefined,
  );
  return {
    paths: chunks.flatMap(({ entries }) => entries.map((entry) => entry.path)).sort(),
    isCutOff: chunks.some((chunk) => chunk.isCutOff),
    issues: chunks.flatMap(({ issues }) => issues),
  };
}

test("finds by name, kind, size and time", () => {
  using work = createWorkspace();
  work.write("a/one.JPG", "123", { mtimeSeconds: 1000 });
  work.write("a/deep/two.jpg", "12345", { mtimeSeconds: 2000 });
  work.write("three.txt", "", { mtimeSeconds: 3000 });
  symlinkSync("three.txt", work.at("a/link"));
  expect(run(work.path, {}).paths).toEqual([
    "a",
    "a/deep",
    "a/deep/two.jpg",
    "a/link",
    "a/one.JPG",
    "three.txt",
  ]);
  expect(run(work.path, { namePattern: "*.jpg" }).paths).toEqual(["a/deep/two.jpg"]);
  expect(run(work.path, { namePattern: "*.jpg", foldsCase: true }).paths).toEqual([
    "a/deep/two.jpg",
    "a/one.JPG",
  ]);
  expect(run(work.path, { kind: "folder" }).paths).toEqual(["a", "a/deep"]);
  expect(run(work.path, { kind: "symlink" }).paths).toEqual(["a/link"]);
  expect(run(work.path, { sizeMinBytes: 3, kind: "file" }).paths).toHaveLength(2);
  expect(run(work.path, { sizeMaxBytes: 3, kind: "file" }).paths).toHaveLength(2);
  expect(run(work.path, { mtimeSinceSec: 2000, mtimeUntilSec: 2500 }).paths).toEqual([
    "a/deep/two.jpg",
  ]);
});

test("stops at the limit, and says so only if there was more", () => {
  using work = createWorkspace();
  for (const name of ["a", "b", "c"]) work.write(name);
  expect(run(work.path, { resultsMax: 2 })).toMatchObject({ isCutOff: true });
  expect(run(work.path, { resultsMax: 2 }).paths).toHaveLength(2);
  expect(run(work.path, { resultsMax: 3 })).toMatchObject({ isCutOff: false });
});

test("never follows a link, and comes back from chains deeper than its open folders", () => {
  using work = createWorkspace();
  work.write("secret/key", "");
  let path = "module";
  for (let depth = 0; depth < 100; depth += 1) path += "/d";
  work.write(`${path}/bottom`, "");
  work.write("module/d/d/z", "");
  for (let index = 0; index < 50; index += 1) work.write(`module/d/side-${index}/leaf`, "");
  symlinkSync(work.at("secret"), work.at("module/d/link"));
  using base = openModuleBase(work.at("module"));
  const { paths, issues } = run("", {}, base);
  expect(issues).toEqual([]);
  expect(paths).toHaveLength(100 + 1 + 1 + 100 + 1);
  expect(paths.filter((one) => one.endsWith("key"))).toEqual([]);
}, 60_000);
