import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { O } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { purge } from "../../../src/blit/admin/purge.ts";
import { TreeWalk } from "../../../src/blit/admin/tree-walk.ts";
import { openBeneath } from "../../../src/blit/session/open-beneath.ts";
import { HERE, makeFolderAt, openFolderAt, writeNewFileAt } from "../../../src/kit/fs/at.ts";
import { OWN_PATHS } from "../../support/module-base.ts";
import { openBelow } from "../../support/open-descriptors.ts";
import { createWorkspace } from "../../support/workspace.ts";

/** Walks a folder, remembering everything; `at` is called in each folder that is entered. */
function walkAll(path: string, at: (walk: TreeWalk) => void = () => {}) {
  const seen: string[] = [];
  const left: string[] = [];
  const failed: [string | undefined, number][] = [];
  const fd = openBeneath(OWN_PATHS, path, O.RDONLY | O.DIRECTORY);
  const walk = new TreeWalk(fd, {
    entry(current, name) {
      seen.push(current.pathOf(name));
      return true;
    },
    entered: at,
    leaving: () => false,
    left: (current, name) => left.push(current.pathOf(name)),
    failed: (_, name, __, result) => failed.push([name, result]),
  });
  while (walk.step());
  return { seen, left, failed };
}

function chain(depth: number): string {
  return Array.from({ length: depth }, () => "d").join("/");
}

describe.each(["/tmp", "/dev/shm"])("in %s", (parent) => {
  test("goes on where it was in folders that it had to close meanwhile", () => {
    using work = createWorkspace(parent);
    mkdirSync(work.at("tree", chain(80)), { recursive: true });
    const long = "n".repeat(240);
    for (const depth of [0, 3, 40]) {
      const folder = work.at("tree", chain(depth));
      for (let index = 0; index < 700; index += 1) writeFileSync(`${folder}/${long}${index}`, "");
    }
    const before = openBelow(work.path);
    let most = 0;
    const { seen, left, failed } = walkAll(work.at("tree"), () => {
      most = Math.max(most, openBelow(work.path) - before);
    });
    expect(failed).toEqual([]);
    expect(seen.length).toBe(80 + 3 * 700);
    expect(new Set(seen).size).toBe(seen.length);
    expect(left).toHaveLength(80);
    expect(most).toBeLessThan(40);
    expect(openBelow(work.path)).toBe(before);
  }, 60_000);
});

test("never walks above its start, when a folder is moved away under it", () => {
  using work = createWorkspace();
  mkdirSync(work.at("tree", chain(80)), { recursive: true });
  work.write("outside/secret");
  work.write("tree/last");
  const { seen, left, failed } = walkAll(work.at("tree"), (walk) => {
    if (walk.depth === 70) renameSync(work.at("tree/d/d/d"), work.at("outside/d"));
  });
  expect(seen.filter((path) => path.includes("secret"))).toEqual([]);
  expect(failed).toHaveLength(1);
  // From the folder that was moved on nothing above it is told to be done.
  expect(left.filter((path) => path.split("/").length <= 3)).toEqual([]);
  expect(seen).toContain("last");
});

test("a removal stays in what it began with, when a folder is moved away under it", () => {
  using work = createWorkspace();
  mkdirSync(work.at("tree", chain(80)), { recursive: true });
  const many = work.at("tree", chain(75));
  for (let index = 0; index < 300; index += 1) writeFileSync(`${many}/${index}`, "");
  work.write("outside/secret");
  const query = { paths: [work.at("tree")], isRecursive: true, isDryRun: false };
  let chunks = 0;
  const steps = purge(OWN_PATHS, { ...query, agreedEntries: undefined });
  const moved = walkAll(work.at("tree")).seen.length;
  renameSync(work.at("tree/d/d"), work.at("outside/d"));
  for (const chunk of steps) if (chunk !== undefined) chunks += 1;
  expect(moved).toBe(80 + 300);
  expect(chunks).toBeGreaterThan(0);
  expect(existsSync(work.at("outside/secret")) && existsSync(work.at("outside/d/d"))).toBe(true);
  expect(existsSync(work.at("tree"))).toBe(false);
}, 60_000);

test("a path longer than the kernel takes is walked and removed", () => {
  using work = createWorkspace();
  const name = "n".repeat(250);
  let fd = openFolderAt(HERE, work.folder("tree"));
  for (let depth = 0; depth < 60; depth += 1) {
    expect(makeFolderAt(fd, name)).toBe(0);
    const below = openFolderAt(fd, name);
    sys.close(fd);
    fd = below;
  }
  expect(writeNewFileAt(fd, "file", "")).toBe(0);
  sys.close(fd);
  const { seen, failed } = walkAll(work.at("tree"));
  expect(failed).toEqual([]);
  expect(seen.at(-1)?.length).toBeGreaterThan(4096 * 3);
  const query = { paths: [work.at("tree")], isRecursive: true, isDryRun: false };
  const chunks = [...purge(OWN_PATHS, { ...query, agreedEntries: 62 })];
  expect(chunks.at(-1)).toMatchObject({ entries: 62, issues: [] });
});
