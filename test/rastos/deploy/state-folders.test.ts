import { expect, test } from "bun:test";
import { changedStateFolders } from "../../../src/rastos/deploy/state-folders.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("folders that hold what the snapshot does not, without what is made anew", () => {
  using work = createWorkspace();
  const base = { root: work.at("base"), var: work.at("base-var") };
  work.folder("base");
  work.write("base-var/lib/same/file", "x");
  work.write("base-var/lib/changed/file", "x");
  work.write("base-var/lib/shrunk/gone", "x");
  const pair = { base, mine: work.at("mine") };
  work.write("mine/var/lib/same/file", "x");
  work.folder("mine/var/lib/shrunk");
  expect(changedStateFolders(pair)).toEqual([]);
  work.write("mine/var/lib/changed/file", "other");
  work.write("mine/var/lib/db/deep/table", "rows");
  work.write("mine/var/spool/mail/ada", "hello");
  for (const own of ["log/x", "cache/x", "tmp/x", "lib/pacman/local/x", "lib/systemd/seed"]) {
    work.write(`mine/var/${own}`, "x");
  }
  work.folder("mine/var/lib/empty");
  work.folder("mine/home");
  expect(changedStateFolders(pair)).toEqual(["/var/lib/changed", "/var/lib/db", "/var/spool"]);
  work.write("mine/home/ada/letter", "x");
  expect(changedStateFolders(pair)[0]).toBe("/home");
});
