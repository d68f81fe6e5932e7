import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, linkSync, readFileSync, statSync } from "node:fs";
import { runBlit } from "../../support/binary.ts";
import { nobody, runAsNobody } from "../../support/nobody.ts";
import { secondFilesystem } from "../../support/second-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

/** Files of several names that are named on the command line, as `blit copy * there/` does. */

function makeNames(work: Workspace): void {
  work.write("a/one", "content", { mode: 0o644 });
  work.folder("a/folder");
  linkSync(work.at("a/one"), work.at("a/two"));
  linkSync(work.at("a/one"), work.at("a/folder/three"));
  work.write("a/other", "other");
  linkSync(work.at("a/other"), work.at("a/left-behind"));
}

const named = ["one", "two", "folder", "other"];
const linked = ["one", "two", "folder/three"];

test("they are linked to each other, and to what lies in folders beside them", async () => {
  using work = createWorkspace();
  makeNames(work);
  for (const [round, upToDate] of [0, 4].entries()) {
    const run = await runBlit(["copy", "--json", ...named, "../b/"], { cwd: work.at("a") });
    expect(JSON.parse(run.stdout)).toMatchObject({ exitCode: 0, upToDate, issues: [] });
    const inodes = linked.map((name) => statSync(work.at("b", name)).ino);
    expect([round, new Set(inodes).size]).toEqual([round, 1]);
    expect(statSync(work.at("b/one")).nlink).toBe(3);
    expect(statSync(work.at("b/other")).nlink).toBe(1);
    for (const name of linked) expect(readFileSync(work.at("b", name), "utf8")).toBe("content");
    expect(readFileSync(work.at("b/other"), "utf8")).toBe("other");
  }
});

test("the folder that holds them is left as it is", async () => {
  using work = createWorkspace();
  makeNames(work);
  chmodSync(work.folder("b"), 0o711);
  const run = await runBlit(["copy", "one", "two", "../b/"], { cwd: work.at("a") });
  expect(run.code).toBe(0);
  expect(statSync(work.at("b")).mode & 0o777).toBe(0o711);
  expect(statSync(work.at("b")).mtimeMs).not.toBe(statSync(work.at("a")).mtimeMs);
});

testUnless(secondFilesystem() === undefined ? "no second file system" : undefined)(
  "a move takes all of them along",
  async () => {
    using work = createWorkspace();
    using far = createWorkspace(secondFilesystem());
    makeNames(work);
    const run = await runBlit(["move", ...named, `${far.path}/`], { cwd: work.at("a") });
    expect([run.code, run.stderr]).toEqual([0, run.stderr]);
    expect(new Set(linked.map((name) => statSync(far.at(name)).ino)).size).toBe(1);
    const left = [...new Bun.Glob("**").scanSync({ cwd: work.at("a"), onlyFiles: false })];
    expect(left).toEqual(["left-behind"]);
  },
);

test("a later source decides about their names too", async () => {
  using work = createWorkspace();
  work.write("a/x", "the first");
  linkSync(work.at("a/x"), work.at("a/y"));
  work.write("b/x", "the second one");
  for (const round of ["new", "again"]) {
    const run = await runBlit(["copy", "a/", "b/", "c"], { cwd: work.path });
    expect([run.code, run.stderr]).toEqual([0, run.stderr]);
    expect([round, readFileSync(work.at("c/x"), "utf8")]).toEqual([round, "the second one"]);
    expect(readFileSync(work.at("c/y"), "utf8")).toBe("the first");
  }
});

testUnless(nobody.reason)("their folder need not be one that can be listed", async () => {
  using work = createWorkspace();
  makeNames(work);
  chmodSync(work.path, 0o755);
  chmodSync(work.at("a"), 0o711);
  chmodSync(work.folder("b"), 0o777);
  const run = await runAsNobody(["copy", work.at("a/one"), work.at("a/two"), work.at("b")]);
  expect([run.code, run.stderr]).toEqual([0, run.stderr]);
  expect(statSync(work.at("b/one")).ino).toBe(statSync(work.at("b/two")).ino);
});
