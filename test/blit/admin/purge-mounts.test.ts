import { expect } from "bun:test";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { purge } from "../../../src/blit/admin/purge.ts";
import { openModuleBase } from "../../support/module-base.ts";
import { bindAt, cannotBind, memoryAt } from "../../support/mount-at.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

testUnless(cannotBind())("what is on another mount is named and stays", () => {
  using work = createWorkspace();
  work.write("own/file");
  work.write("module/tree/a");
  // Of the same file system, too: the device alone would not tell.
  using _bound = bindAt(work.at("module/tree/bound"), work.at("own"));
  using _memory = memoryAt(work.at("module/tree/memory"));
  writeFileSync(work.at("module/tree/memory/file"), "");
  using base = openModuleBase(work.at("module"));
  const query = { paths: ["tree"], isRecursive: true, isDryRun: false, agreedEntries: undefined };
  const chunks = [...purge(base, query)].filter((chunk) => chunk !== undefined);
  const issues = chunks.flatMap((chunk) => chunk.issues);
  expect(issues.map(({ kind, path }) => [kind, path]).sort()).toEqual([
    ["failed", "tree"],
    ["skipped", "tree/bound"],
    ["skipped", "tree/memory"],
  ]);
  expect(chunks.at(-1)?.entries).toBe(1);
  expect(readdirSync(work.at("module/tree")).sort()).toEqual(["bound", "memory"]);
  expect(existsSync(work.at("own/file"))).toBe(true);
  // Nor is a mount point removed that is named itself.
  expect(() => [...purge(base, { ...query, paths: ["tree/bound"] })]).toThrow(
    expect.objectContaining({ code: "E_REFUSED" }),
  );
});
