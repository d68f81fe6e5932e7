import { describe, expect, test } from "bun:test";
import { readFileSync, symlinkSync } from "node:fs";
import type { FaultCount } from "../../../ffi/fault-count.ts";
import { runBlit, runCommand } from "../../support/binary.ts";
import { describeUnless } from "../../support/skip.ts";
import {
  describeTree,
  makeTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { createWorkspace } from "../../support/workspace.ts";

const MTIME = { mtimeNs: "1500000000000000001" } as const;

/** What the command lines below are about. */
const FIXTURE: readonly TreeOperation[] = [
  { op: "file", path: "a/f", text: "f", ...MTIME },
  { op: "file", path: "a/d/g", text: "g", ...MTIME },
  { op: "folder", path: "a/d", ...MTIME },
  { op: "folder", path: "a", ...MTIME },
  { op: "file", path: "b/old", text: "old", ...MTIME },
  { op: "file", path: "b/d/other", text: "other", ...MTIME },
  { op: "file", path: "p/a/h", text: "h", ...MTIME },
  { op: "file", path: "file", text: "file", ...MTIME },
  { op: "link", path: "to-a", to: "a", ...MTIME },
  { op: "link", path: "to-b", to: "b", ...MTIME },
  { op: "link", path: "to-file", to: "file", ...MTIME },
  { op: "link", path: "dangling", to: "nowhere", ...MTIME },
  { op: "file", path: "-dash", text: "-", ...MTIME },
];

describeUnless(treeToolsMissing())("sources and target mean what rsync means by them", () => {
  const lines: readonly (readonly string[])[] = [
    ["a", "b"],
    ["a", "b/"],
    ["a/", "b"],
    ["a/", "b/"],
    ["a", "new/"],
    ["a/", "new"],
    ["a/", "new/"],
    ["a/.", "new"],
    ["a/./", "new"],
    ["a/d/..", "new"],
    ["a//", "new//"],
    ["./a/", "./b/."],
    ["p/a", "a"],
    ["a", "x/y/z/"],
    ["to-a", "b"],
    ["to-a", "new"],
    ["to-a/", "b"],
    ["to-a/", "new"],
    ["to-a/.", "new"],
    ["a", "to-b"],
    ["a/", "to-b"],
    ["a/", "to-b/"],
    ["dangling", "b"],
    ["dangling", "new"],
    ["to-file", "b"],
    ["file", "b"],
    ["file", "b/"],
    ["file", "b/old"],
    ["file", "b/new"],
    ["file", "new"],
    ["file", "new/"],
    ["file", "x/y/z"],
    ["file", "to-b"],
    ["file", "to-file"],
    ["file", "dangling"],
    ["a", "file", "b"],
    ["a", "file", "b/"],
    ["a", "file", "new/"],
    ["a/", "file", "dangling", "new/"],
    ["a/", "p/", "new"],
    ["a", "p/a", "new/"],
    ["a/", "b/", "new"],
    ["a/", "b", "p/a/", "new"],
    ["--", "-dash", "b"],
    ["./-dash", "b"],
  ];
  for (const line of lines) {
    test(`copy ${line.join(" ")}`, async () => {
      using ours = createWorkspace();
      using theirs = createWorkspace();
      makeTree(ours.path, FIXTURE);
      makeTree(theirs.path, FIXTURE);
      const run = await runBlit(["copy", ...line], { cwd: ours.path });
      const rsync = ["rsync", "-a", "--mkpath", ...line];
      const peer = await runCommand(rsync, { cwd: theirs.path });
      expect([run.code, peer.code]).toEqual([0, 0]);
      expect(describeTree(ours.path, "nodirtimes")).toEqual(
        describeTree(theirs.path, "nodirtimes"),
      );
    });
  }

  for (const target of ["new", "./new", "x/y/new"]) {
    test(`copy a ${target} gives the folder a new name, as with cp`, async () => {
      using work = createWorkspace();
      makeTree(work.path, FIXTURE);
      const run = await runBlit(["copy", "a", target], { cwd: work.path });
      expect(run.code).toBe(0);
      expect(describeTree(work.at(target))).toEqual(describeTree(work.at("a")));
    });
  }

  for (const [cwd, source] of [
    ["a", "."],
    ["a", "./"],
    ["a/d", ".."],
    ["a/d", "../"],
    ["a/d", "../../a/d/.."],
  ] as const) {
    test(`copy ${source} from within ${cwd} means the contents`, async () => {
      using work = createWorkspace();
      makeTree(work.path, FIXTURE);
      const run = await runBlit(["copy", source, work.at("new")], { cwd: work.at(cwd) });
      expect(run.code).toBe(0);
      expect(describeTree(work.at("new"))).toEqual(describeTree(work.at("a")));
    });
  }

  test("mirror and move read slashes as copy does", async () => {
    using work = createWorkspace();
    makeTree(work.path, FIXTURE);
    const source = describeTree(work.at("a"));
    const into = await runBlit(["mirror", "--yes", "a", "b"], { cwd: work.path });
    expect(into.code).toBe(0);
    expect(describeTree(work.at("b/a"))).toEqual(source);
    expect(Object.keys(describeTree(work.at("b")))).toContain("old");
    const contents = await runBlit(["mirror", "--yes", "a/", "b"], { cwd: work.path });
    expect(contents.code).toBe(0);
    expect(describeTree(work.at("b"))).toEqual(source);
    const moved = await runBlit(["move", "b", "p/a/"], { cwd: work.path });
    expect(moved.code).toBe(0);
    expect(describeTree(work.at("p/a/b"))).toEqual(source);
  });
});

describe("several sources for one name", () => {
  test("folders are merged in the order of the command line", async () => {
    using work = createWorkspace();
    for (const [index, name] of ["first", "second", "third"].entries()) {
      work.write(`${name}/same/x`, name, { mtimeSeconds: 1000 - index });
      work.write(`${name}/same/${name}`, name);
    }
    for (const target of ["new", "new"]) {
      const args = ["copy", "first/", "second/", "third/", target];
      const run = await runBlit(args, { cwd: work.path });
      expect(run.stderr).not.toContain("failed");
      expect(run.code).toBe(0);
      expect(await Bun.file(work.at("new/same/x")).text()).toBe("third");
      expect(Object.keys(describeTree(work.at("new")))).toEqual([
        "",
        "same",
        "same/first",
        "same/second",
        "same/third",
        "same/x",
      ]);
    }
  });

  test("files of one name are refused before anything is copied, also in a move", async () => {
    using work = createWorkspace();
    work.write("one/x", "1");
    work.write("two/x", "22");
    work.folder("into");
    const before = describeTree(work.path);
    for (const command of ["copy", "move"]) {
      const run = await runBlit([command, "one/x", "two/x", "into/"], { cwd: work.path });
      expect(run.code).toBe(1);
      expect(run.stderr).toContain('"two/x"');
      expect(describeTree(work.path)).toEqual(before);
    }
  });
});

describe("what is refused changes nothing", () => {
  const lines: readonly (readonly [RegExp, ...string[]])[] = [
    [/Cannot read "missing"/, "missing", "new"],
    [/Cannot read "missing"/, "a", "missing", "x/y/"],
    [/Cannot read "dangling\/"/, "dangling/", "new"],
    [/Cannot read "file\/": not a folder/, "file/", "new"],
    [/Cannot open "file": not a folder/, "a", "file/"],
    [/it is a file, not a folder/, "a", "b", "file"],
    [/not a folder/, "a", "file"],
    [/not a folder/, "a/", "file"],
    [/not a folder/, "a", "file/below"],
    [/not a folder/, "file", "file/"],
    [/onto itself/, "file", "file"],
    [/onto itself/, "file", "."],
    [/onto itself/, "a", "."],
    [/onto itself/, "a/", "a"],
    [/onto itself/, "to-a/", "a"],
    [/itself/, "a", "a"],
    [/into itself/, "a", "a/d/"],
    [/into itself/, "a", "a/x/y/z"],
    [/into itself/, "a/", "to-a/d/x/y"],
    [/into itself/, ".", "new/below"],
    [/empty path/, "", "b"],
    [/empty path/, "a", ""],
  ];
  for (const [expected, ...line] of lines) {
    for (const command of ["copy", "move"]) {
      test(`${command} ${line.map((word) => word || '""').join(" ")}`, async () => {
        using work = createWorkspace();
        makeTree(work.path, FIXTURE);
        const before = describeTree(work.path, "ctime", "inode");
        for (const dry of [["-n"], []]) {
          const run = await runBlit([command, ...dry, ...line], { cwd: work.path });
          expect(run.stderr).toMatch(expected);
          expect(run.code).toBe(line.includes("") ? 2 : 1);
          expect(describeTree(work.path, "ctime", "inode")).toEqual(before);
        }
      });
    }
  }

  test("a link to a folder above the source is seen through", async () => {
    using work = createWorkspace();
    makeTree(work.path, FIXTURE);
    symlinkSync("../..", work.at("a/d/up"));
    const before = describeTree(work.path);
    const run = await runBlit(["copy", "a", "a/d/up/a/d/"], { cwd: work.path });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("into itself");
    expect(describeTree(work.path)).toEqual(before);
  });
});

test("of many files into one folder, the folder is listed once", async () => {
  using work = createWorkspace();
  work.folder("b");
  const names = Array.from({ length: 50 }, (_, index) => `file-${index}`);
  for (const name of names) work.write(name, name);
  for (const files of [names.length, 0]) {
    const env = { TRIAD_FAULTS_COUNT: work.at("count") };
    const run = await runBlit(["copy", "--json", ...names, "b/"], { cwd: work.path, env });
    expect(JSON.parse(run.stdout)).toMatchObject({ exitCode: 0, files });
    const count: FaultCount = JSON.parse(readFileSync(work.at("count"), "utf8"));
    const listings = count.threads.reduce((sum, each) => sum + (each.calls["getdents64"] ?? 0), 0);
    expect(listings).toBeLessThan(10);
  }
});

test.each([
  ["at once", "renameat2:EEXIST@1"],
  ["where the file system knows no way to refuse", "renameat2:EINVAL@1,renameat2:ENOTEMPTY@2"],
])("a folder that comes between is told as what it is, %s", async (_, faults) => {
  using work = createWorkspace();
  work.write("a/file", "content");
  const env = { TRIAD_FAULTS: faults };
  const run = await runBlit(["copy", "--json", "a", "new"], { cwd: work.path, env });
  const { exitCode, issues } = JSON.parse(run.stdout);
  expect(exitCode).toBe(4);
  expect(issues).toMatchObject([{ code: "E_COLLISION" }]);
  expect(issues[0].message).toContain("something else got this name in the target meanwhile");
});
