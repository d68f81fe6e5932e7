import { expect, test } from "bun:test";
import { chownSync, readFileSync, statSync } from "node:fs";
import {
  allowedPath,
  allowFolders,
  disallowFolder,
  readAllowed,
} from "../../../src/blast/shell/allowed.ts";
import { needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("folders are added once, in a private file, and taken out again", () => {
  using work = createWorkspace();
  const environment = { HOME: work.path };
  const path = allowedPath(environment);
  expect(readAllowed(environment)).toEqual([]);
  expect(allowFolders(environment, ["/a b", "/real/a b"], "/a b/.venv")).toBe(true);
  expect(allowFolders(environment, ["/c"], "/c/.venv")).toBe(true);
  const inode = statSync(path).ino;
  allowFolders(environment, ["/c", "/c"], "/c/.venv");
  expect(statSync(path).ino).toBe(inode);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, "utf8")).toBe("/a b\n/real/a b\t/a b/.venv\n/c\n");
  // The environment has moved elsewhere.
  allowFolders(environment, ["/c"], "/elsewhere/env");
  expect(readAllowed(environment).at(-1)).toBe("/c\t/elsewhere/env");
  disallowFolder(environment, "/c");
  disallowFolder(environment, "/never");
  expect(readAllowed(environment)).toEqual(["/a b", "/real/a b\t/a b/.venv"]);
});

test("what would read as another line or field is not written", () => {
  using work = createWorkspace();
  const environment = { HOME: work.path };
  for (const folder of ["/a\n/b", "/a\tb", "/a\rb", "/a\u0000b"]) {
    expect(allowFolders(environment, [folder], `${folder}/.venv`)).toBe(false);
  }
  expect(readAllowed(environment)).toEqual([]);
});

test("the list stays short enough for every cd: the oldest go", () => {
  using work = createWorkspace();
  const environment = { HOME: work.path };
  const many = Array.from({ length: 1000 }, (_, index) => `/p/${index}`);
  work.write(".local/share/blast/allowed", `${many.join("\n")}\n`);
  allowFolders(environment, ["/new"], "/new/.venv");
  const lines = readAllowed(environment);
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([1000, "/p/1", "/new"]);
});

testUnless(needsRoot())("a list of somebody else's does not count", () => {
  using work = createWorkspace();
  const environment = { HOME: work.path };
  allowFolders(environment, ["/a"], "/a/.venv");
  chownSync(allowedPath(environment), 65534, 65534);
  expect(readAllowed(environment)).toEqual([]);
});
