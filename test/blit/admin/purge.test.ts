import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { purge } from "../../../src/blit/admin/purge.ts";
import type { PurgeChunk, PurgeQuery } from "../../../src/blit/admin/types.ts";
import { OWN_PATHS, openModuleBase } from "../../support/module-base.ts";
import { createWorkspace } from "../../support/workspace.ts";

function run(base: Parameters<typeof purge>[0], paths: string[], query: Partial<PurgeQuery> = {}) {
  const whole = { paths, isRecursive: true, isDryRun: false, agreedEntries: undefined, ...query };
  const chunks = [...purge(base, whole)].filter((one) => one !== undefined);
  const last = chunks.at(-1) as PurgeChunk;
  return { ...last, issues: chunks.flatMap(({ issues }) => issues) };
}

const refusal = expect.objectContaining({ code: "E_REFUSED" });

test("counts first, then removes a tree", () => {
  using work = createWorkspace();
  work.write("module/tree/a", "123");
  work.write("module/tree/sub/b", "45");
  work.write("module/keep", "");
  symlinkSync(work.write("secret/key", "s"), work.at("module/tree/link"));
  symlinkSync(work.at("secret"), work.at("module/tree/folder-link"));
  using base = openModuleBase(work.at("module"));
  const counted = run(base, ["tree"], { isDryRun: true });
  expect(counted).toEqual({ entries: 6, bytes: 5, issues: [], isDone: true });
  expect(readdirSync(work.at("module")).sort()).toEqual(["keep", "tree"]);
  expect(run(base, ["tree/"])).toEqual(counted);
  expect(readdirSync(work.at("module"))).toEqual(["keep"]);
  expect(readdirSync(work.at("secret"))).toEqual(["key"]);
});

test("removes nothing when there is more than was agreed to", () => {
  using work = createWorkspace();
  work.write("module/tree/a");
  work.write("module/tree/b");
  using base = openModuleBase(work.at("module"));
  expect(() => run(base, ["tree"], { agreedEntries: 2 })).toThrow(
    expect.objectContaining({ code: "E_CONFIRM" }),
  );
  expect(readdirSync(work.at("module/tree"))).toHaveLength(2);
  expect(run(base, ["tree"], { agreedEntries: 3 }).entries).toBe(3);
});

test("refuses the root, what leads out, folders unless recursive, and links with a slash", () => {
  using work = createWorkspace();
  work.write("secret/key");
  work.write("module/sub/file");
  symlinkSync("../secret", work.at("module/out"));
  symlinkSync("sub", work.at("module/in"));
  using base = openModuleBase(work.at("module"));
  for (const path of [
    "",
    "/",
    ".",
    "sub/..",
    "../secret",
    "sub/../../secret/key",
    "out/key",
    "in/",
  ]) {
    expect(() => run(base, [path])).toThrow(refusal);
  }
  expect(() => run(base, ["sub"], { isRecursive: false })).toThrow(refusal);
  // The first of two is not removed when the second is refused.
  expect(() => run(base, ["sub/file", "../secret"])).toThrow(refusal);
  expect(existsSync(work.at("module/sub/file"))).toBe(true);
  expect(existsSync(work.at("secret/key"))).toBe(true);
  // A link goes itself, and a link within the module leads to what is removed below it.
  expect(run(base, ["out", "in/file"], { isRecursive: false }).entries).toBe(2);
  expect(existsSync(work.at("secret/key"))).toBe(true);
});

test("refuses what holds the working folder", () => {
  expect(() => run(OWN_PATHS, [process.cwd()], { isDryRun: true })).toThrow(refusal);
  const above = process.cwd().split("/").slice(0, -1).join("/");
  if (above !== "") expect(() => run(OWN_PATHS, [above], { isDryRun: true })).toThrow(refusal);
});

test("large folders and deep chains go entirely", () => {
  using work = createWorkspace();
  const long = "n".repeat(200);
  let path = "tree";
  for (let depth = 0; depth < 60; depth += 1) {
    path += "/d";
    mkdirSync(work.at(path), { recursive: true });
    work.write(`${path}/file`);
    work.folder(`${path}/e/f`);
  }
  for (let index = 0; index < 300; index += 1) work.write(`tree/${long}${index}`);
  const done = run(OWN_PATHS, [work.at("tree")]);
  expect(done).toMatchObject({ entries: 1 + 60 * 4 + 300, issues: [] });
  expect(readdirSync(work.path)).toEqual([]);
}, 60_000);
