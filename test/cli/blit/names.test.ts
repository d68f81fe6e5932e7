import { expect, test } from "bun:test";
import { binaryPath, runBlit, runCommand } from "../../support/binary.ts";
import { createFreshWorkspace } from "../../support/loop-filesystem.ts";
import { describeUnless } from "../../support/skip.ts";
import {
  describeTree,
  differences,
  latin1,
  makeTree,
  sumTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { createWorkspace } from "../../support/workspace.ts";

const NAMES: readonly string[] = [
  "new\nline",
  "\n",
  " ",
  " leading and trailing ",
  "tab\tand\x01\x1b[31mcontrol\x7f",
  "-n",
  "--delete",
  "--",
  "-",
  "...",
  ".hidden",
  "~",
  "name~",
  "*?[x]{a,b}",
  "back\\slash",
  "'quoted' \"twice\" `thrice`",
  "$(command)",
  "a:b",
  "%s%n%d",
  latin1("grüße"),
  latin1("日本語の名前"),
  latin1("e\u0301"),
  latin1("\u00e9"),
  "\xff",
  "\xff\xfe\x80",
  "\xc3",
  "valid\xc3\xa9and\xe9not",
  "x".repeat(255),
  latin1("é".repeat(127)),
  "\x80".repeat(255),
  "CON",
  ".blit",
  ".blit-",
  ".blit-1-2-3~",
  ".blit-foo~",
  ".blit-abcdefgh-abcdefgh-1-1",
  ".b",
  ".blits-abcdefgh-abcdefgh-1-1-1~",
];

/** One of each kind under every name. */
function everyName(prefix: string): TreeOperation[] {
  return NAMES.flatMap((name, index): TreeOperation[] => [
    { op: "file", path: `${prefix}files/${name}`, text: name },
    { op: "link", path: `${prefix}links/${name}`, to: name },
    { op: "file", path: `${prefix}folders/${name}/${name}`, text: `${index}` },
    { op: "hard", path: `${prefix}hard/${name}`, to: `${prefix}files/${name}` },
  ]);
}

describeUnless(treeToolsMissing())("names are bytes", () => {
  test("every name arrives in every kind of entry", async () => {
    using work = createWorkspace();
    makeTree(work.path, everyName("a/"));
    const run = await runBlit(["copy", "a/", "b"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
    const before = describeTree(work.at("b"), "ctime", "inode");
    const again = await runBlit(["mirror", "a/", "b"], { cwd: work.path });
    expect(again.stderr).toMatch(/^Mirrored 0 files, 0 B, \d+ up to date in/);
    expect(describeTree(work.at("b"), "ctime", "inode")).toEqual(before);
  });

  test("every name can be replaced, deleted and moved", async () => {
    using work = createWorkspace();
    makeTree(work.path, everyName("a/"));
    makeTree(work.path, everyName("c/"));
    makeTree(
      work.path,
      NAMES.map((name) => ({ op: "file", path: `b/files/${name}`, text: "old" })),
    );
    makeTree(
      work.path,
      NAMES.map((name) => ({ op: "file", path: `b/extra/${name}/${name}`, text: "old" })),
    );
    const run = await runBlit(["mirror", "--yes", "a/", "b"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
    const before = describeTree(work.at("c"), "nodirtimes");
    const moved = await runBlit(["move", "c/", "b"], { cwd: work.path });
    expect(moved.code).toBe(0);
    expect(describeTree(work.at("b"), "nodirtimes")).toEqual(before);
  });

  test("every name can be given on the command line", async () => {
    using work = createWorkspace();
    makeTree(work.path, [...everyName("a/"), { op: "folder", path: "b" }]);
    // Through a shell, since Bun.spawn passes text: the bytes come from a listing. With "./", since
    // "a:b" alone would be a place on a server.
    const line =
      'cd files && for name in ./* ./.[!.]* ./...; do "$0" copy -- "$name" ../../b || exit; done';
    const shell = ["bash", "-c", line, await binaryPath("blit")];
    const run = await runCommand(shell, { cwd: work.at("a"), env: { LC_ALL: "C" } });
    expect(run.stderr).not.toContain("error");
    expect(run.code).toBe(0);
    const flags = ["--no-hard-links"];
    expect(differences(work.at("a/files"), work.at("b"), ...flags)).toMatch(
      /^(\.d\.\.t\S* \.\/\n)?$/,
    );
  });

  test("messages show them without harm, --json also as bytes", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "fifo", path: "a/\x1b[31m\n\xff" },
      { op: "fifo", path: latin1("a/grüße") },
    ]);
    const run = await runBlit(["copy", "a", "b"], { cwd: work.path });
    expect(run.stderr).toContain('skipped: "a/\\x1b[31m\\n\\xff"');
    expect(run.stderr).toContain('skipped: "a/grüße"');
    expect(run.stderr).not.toContain("\x1b");
    const said = await runBlit(["copy", "--json", "a", "c"], { cwd: work.path });
    const { issues } = JSON.parse(said.stdout) as {
      issues: { path: string; pathBytes?: string }[];
    };
    const odd = issues.find((issue) => issue.pathBytes !== undefined);
    expect(Buffer.from(odd?.pathBytes ?? "", "base64").toString("latin1")).toBe("a/\x1b[31m\n\xff");
    expect(issues.map(({ path }) => path)).toContain("a/grüße");
  });
});

test("what an interrupted run left in a source is named and not copied", async () => {
  using work = createWorkspace();
  work.write("a/.blit-aaaaaaaa-bbbbbbbb-1-1-1~", "half a file");
  work.write("a/f", "whole");
  const run = await runBlit(["copy", "a/", "b"], { cwd: work.path });
  expect(run.code).toBe(0);
  expect(run.stderr).toMatch(/^warning: skipped: "a\/\.blit-a.*~": .*$/m);
  expect(Object.keys(describeTree(work.at("b")))).toEqual(["", "f"]);
});

describeUnless(treeToolsMissing())("paths longer than PATH_MAX", () => {
  const CHAIN: TreeOperation = { op: "chain", path: "deep", depth: 300, width: 200 };

  test("are copied, compared, replaced, mirrored and moved", async () => {
    using work = createFreshWorkspace();
    makeTree(work.folder("a"), [CHAIN]);
    const expected = sumTree(work.at("a"));
    expect(expected.longestPath).toBeGreaterThan(60_000);
    expect(expected.entries).toBe(901);
    const copied = await runBlit(["copy", "a/", "b"], { cwd: work.path });
    expect([copied.code, copied.stderr.includes("warning")]).toEqual([0, false]);
    expect(sumTree(work.at("b"))).toEqual(expected);
    const again = await runBlit(["mirror", "-c", "a/", "b"], { cwd: work.path });
    expect(again.stderr).toMatch(/^Mirrored 0 files, 0 B, 600 up to date in/);
    const moved = await runBlit(["move", "b", "c"], { cwd: work.path });
    expect(moved.code).toBe(0);
    expect(sumTree(work.at("c"))).toEqual(expected);
    work.write("empty/f", "1");
    const emptied = await runBlit(["mirror", "--yes", "empty/", "c"], { cwd: work.path });
    expect(emptied.stderr).toMatch(/, 900 deleted in/);
    expect(Object.keys(describeTree(work.at("c")))).toEqual(["", "f"]);
  }, 120_000);

  test("thousands of levels too", async () => {
    using work = createFreshWorkspace();
    makeTree(work.folder("a"), [{ op: "chain", path: "deep", depth: 3000, width: 6 }]);
    const copied = await runBlit(["copy", "a/", "b"], { cwd: work.path });
    expect([copied.code, copied.stderr.includes("warning")]).toEqual([0, false]);
    expect(sumTree(work.at("b"))).toEqual(sumTree(work.at("a")));
  }, 120_000);

  test("a path on the command line that is too long is told", async () => {
    using work = createWorkspace();
    work.folder("a");
    const long = "x/".repeat(3000);
    for (const args of [
      ["copy", long, "b"],
      ["copy", "a", long],
      ["copy", "--backup-dir", long, "a", "b"],
    ]) {
      const run = await runBlit(args, { cwd: work.path });
      expect(run.code).toBe(1);
      expect(run.stderr).toMatch(/^error: /);
      expect(run.stderr).not.toContain("bug");
    }
  });
});
