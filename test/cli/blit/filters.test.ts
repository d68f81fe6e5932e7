import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { runBlit } from "../../support/binary.ts";
import { describeUnless } from "../../support/skip.ts";
import {
  describeTree,
  differences,
  latin1,
  makeTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { createWorkspace } from "../../support/workspace.ts";

const NAMES = [
  "a.log",
  "a.txt",
  "d/a.log",
  "d/a.txt",
  "d/build/x",
  "d/e/keep.log",
  "build/x",
  "build/deep/y",
  "other/build",
  "[odd]",
  "#hash",
  "!bang",
  "two words",
  "trailing ",
  latin1("grüße.txt"),
  "\xff\xfe.raw",
];
const FIXTURE: readonly TreeOperation[] = NAMES.map((path) => ({ op: "file", path, text: path }));

/** Which files arrive: the flags, and those of NAMES that are left out. */
const CASES: readonly (readonly [readonly string[], readonly string[]])[] = [
  [
    ["--exclude", "*.log"],
    ["a.log", "d/a.log", "d/e/keep.log"],
  ],
  [["--exclude=/*.log"], ["a.log"]],
  [
    ["--exclude", "build"],
    ["d/build/x", "build/x", "build/deep/y", "other/build"],
  ],
  [
    ["--exclude", "build/"],
    ["d/build/x", "build/x", "build/deep/y"],
  ],
  [
    ["--exclude", "/build"],
    ["build/x", "build/deep/y"],
  ],
  [["--exclude", "d/*.log"], ["d/a.log"]],
  [
    ["--exclude", "d/**/*.log"],
    ["d/a.log", "d/e/keep.log"],
  ],
  [["--exclude", "**/deep"], ["build/deep/y"]],
  [
    ["--exclude", "*.log", "--include", "keep.log"],
    ["a.log", "d/a.log"],
  ],
  [
    ["--include", "keep.log", "--exclude", "*.log"],
    ["a.log", "d/a.log", "d/e/keep.log"],
  ],
  [
    ["--exclude", "*", "--include", "*/", "--include", "*.txt"],
    ["not", "txt"],
  ],
  [
    ["--exclude", "a.???"],
    ["a.log", "a.txt", "d/a.log", "d/a.txt"],
  ],
  [
    ["--exclude", "a.[lx]*"],
    ["a.log", "d/a.log"],
  ],
  [["--exclude", "\\[odd]"], ["[odd]"]],
  [["--exclude", "#hash"], ["#hash"]],
  [["--exclude", "\\!bang"], ["!bang"]],
  [["--exclude", "*bang", "--exclude", "!!bang"], []],
  [["--exclude", "two words"], ["two words"]],
  [["--exclude", "grüße.txt"], [latin1("grüße.txt")]],
  [["--exclude", "gr??e.txt"], [latin1("grüße.txt")]],
  [["--exclude", "??.raw"], ["\xff\xfe.raw"]],
];

describeUnless(treeToolsMissing())("filters choose as .gitignore does", () => {
  for (const [flags, excluded] of CASES) {
    test(flags.join(" "), async () => {
      using work = createWorkspace();
      makeTree(work.folder("a"), FIXTURE);
      const isOnlyText = excluded[0] === "not";
      const expected = NAMES.filter((name) =>
        isOnlyText ? name.endsWith(".txt") : !excluded.includes(name),
      );
      const run = await runBlit(["copy", ...flags, "a/", "b"], { cwd: work.path });
      expect(run.code).toBe(0);
      expect(filesBelow(work.at("b"))).toEqual(expected.sort());
    });
  }

  test("--filter-from reads a file as .gitignore; flags and files keep their order", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), FIXTURE);
    work.write("first", "# comment\r\n\r\n*.log\n\\#hash\n!keep.log\n  \ntrailing\\ \n");
    work.write("second", Buffer.from("/b*\n/\xff*\n", "latin1"));
    const args = ["copy", "--filter-from", "first", "--filter-from=second", "a/", "b"];
    const run = await runBlit(args, { cwd: work.path });
    expect(run.code).toBe(0);
    const files = filesBelow(work.at("b"));
    const gone = ["a.log", "d/a.log", "#hash", "trailing ", "build/x", "build/deep/y"];
    gone.push("\xff\xfe.raw");
    expect(files).toEqual(NAMES.filter((name) => !gone.includes(name)).sort());
    const overruled = ["copy", "--include=a.log", "--filter-from=first", "a/", "c"];
    await runBlit(overruled, { cwd: work.path });
    expect(filesBelow(work.at("c"))).not.toContain("a.log");
    const overruling = ["copy", "--filter-from=first", "--include=a.log", "a/", "d"];
    await runBlit(overruling, { cwd: work.path });
    expect(filesBelow(work.at("d"))).toContain("a.log");
  });

  test("a filter file that is missing is told before anything happens", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), FIXTURE);
    const run = await runBlit(["copy", "--filter-from", "nope", "a", "b"], { cwd: work.path });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('Cannot read the filter file "nope"');
    expect(Object.keys(describeTree(work.path))).not.toContain("b");
  });

  test("patterns begin at each source, whose own name takes no part", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "x/build/f", text: "1" },
      { op: "file", path: "x/f", text: "1" },
      { op: "file", path: "build/f", text: "1" },
      { op: "file", path: "build/sub/build/f", text: "1" },
    ]);
    const args = ["copy", "--exclude", "/build", "x", "build", "to/"];
    expect((await runBlit(args, { cwd: work.path })).code).toBe(0);
    expect(filesBelow(work.at("to"))).toEqual(["build/f", "build/sub/build/f", "x/f"]);
  });

  test("an empty folder that only held excluded files is made", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), [{ op: "file", path: "d/x.log", text: "1" }]);
    await runBlit(["copy", "--exclude", "*.log", "a/", "b"], { cwd: work.path });
    expect(Object.keys(describeTree(work.at("b")))).toEqual(["", "d"]);
  });
});

describeUnless(treeToolsMissing())("a mirror protects what the filter leaves out", () => {
  const source: readonly TreeOperation[] = [
    { op: "file", path: "f", text: "1" },
    { op: "file", path: "d/x.log", text: "from the source" },
  ];
  const target: readonly TreeOperation[] = [
    { op: "file", path: "keep.log", text: "1" },
    { op: "file", path: "d/x.log", text: "2" },
    { op: "file", path: "d/gone", text: "3" },
    { op: "file", path: "extra/keep.log", text: "4" },
    { op: "file", path: "extra/gone", text: "5" },
    { op: "file", path: "extra/below/gone", text: "6" },
    { op: "file", path: "extra/deeper/still/keep.log", text: "7" },
    { op: "file", path: "whole/gone", text: "8" },
    { op: "link", path: "link.log", to: "gone" },
  ];
  const kept = ["d/x.log", "extra/deeper/still/keep.log", "extra/keep.log", "keep.log", "link.log"];

  for (const backup of [[], ["--backup-dir=kept"]]) {
    test(`also within a folder that the source has not ${backup.join("")}`, async () => {
      using work = createWorkspace();
      makeTree(work.folder("a"), source);
      makeTree(work.folder("b"), target);
      const flags = ["--exclude", "*.log", ...backup];
      const before = describeTree(work.at("b"));
      const run = await runBlit(["mirror", "--yes", ...flags, "a/", "b"], { cwd: work.path });
      expect(run.code).toBe(0);
      expect(run.stderr).toContain('skipped: "a/extra"');
      expect(run.stderr).toMatch(/, 6 deleted/);
      expect(filesBelow(work.at("b"))).toEqual([...kept, "f"].sort());
      for (const path of kept) {
        expect(describeTree(work.at("b"))[path]).toEqual(before[path]!);
      }
      const folders = ["--exclude=*.log", "--exclude=/extra/"];
      expect(differences(work.at("a"), work.at("b"), ...folders)).toBe("");
      if (backup.length > 0) {
        const files = ["d/gone", "extra/below/gone", "extra/gone", "whole/gone"];
        expect(filesBelow(work.at("kept"))).toEqual(files);
      }
    });
  }

  test("it does not count towards --max-delete, nor does anyone ask about it", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), source);
    makeTree(work.folder("b"), target);
    const args = ["mirror", "--yes", "--exclude", "*.log", "a/", "b"];
    const few = await runBlit([...args, "--max-delete=5"], { cwd: work.path });
    expect([few.code, /Refusing to delete 6 entries/.test(few.stderr)]).toEqual([1, true]);
    expect((await runBlit([...args, "--max-delete=6"], { cwd: work.path })).code).toBe(0);
    const again = await runBlit(["mirror", "--exclude", "*.log", "a/", "b"], { cwd: work.path });
    expect(again.code).toBe(0);
  });

  test("a folder that holds some of it is not replaced by a file", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), [
      { op: "file", path: "x", text: "file" },
      { op: "file", path: "ok", text: "1" },
    ]);
    makeTree(work.folder("b"), [
      { op: "file", path: "x/keep.log", text: "1" },
      { op: "file", path: "x/gone", text: "2" },
    ]);
    const args = ["mirror", "--yes", "--exclude", "*.log", "a/", "b"];
    const run = await runBlit(args, { cwd: work.path });
    expect(run.code).toBe(4);
    expect(run.stderr).toContain('failed: "a/x": cannot replace');
    expect(filesBelow(work.at("b"))).toEqual(["ok", "x/gone", "x/keep.log"]);
  });

  test("rules of the config file protect too, and --include takes one back", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), source);
    makeTree(work.folder("b"), target);
    work.write("config/blit/config.toml", '[transfer]\nexclude = ["*.log"]\n');
    const env = { XDG_CONFIG_HOME: work.at("config") };
    await runBlit(["mirror", "--yes", "a/", "b"], { cwd: work.path, env });
    expect(filesBelow(work.at("b"))).toEqual([...kept, "f"].sort());
    const args = ["mirror", "--yes", "--include", "*.log", "a/", "b"];
    await runBlit(args, { cwd: work.path, env });
    expect(filesBelow(work.at("b"))).toEqual(["d/x.log", "f"]);
    expect(readFileSync(work.at("b/d/x.log"), "utf8")).toBe("from the source");
  });
});

describe("patterns that cannot match are warned of", () => {
  for (const [flags, expected] of [
    [["--exclude", "./x"], /pattern "\.\/x" .* matches nothing/],
    [["--exclude", "a//b"], /empty path segment/],
    [["--exclude", "x/../y"], /"\.\." segment/],
    [["--exclude", "[abc"], /without its "\]"/],
    [["--exclude", ""], /is empty/],
    [["--include", "x"], /includes nothing again/],
    [["--exclude", "d/", "--include", "d/x"], /folder "d" is excluded/],
  ] as const) {
    test(flags.map((flag) => flag || '""').join(" "), async () => {
      using work = createWorkspace();
      work.write("a/f", "1");
      const run = await runBlit(["copy", ...flags, "a", "b"], { cwd: work.path });
      expect(run.stderr).toMatch(/^warning: /);
      expect(run.stderr).toMatch(expected);
      expect(run.code).toBe(0);
    });
  }

  test("the path of the machine in place of one below the source", async () => {
    using work = createWorkspace();
    work.write("a/x/f", "1");
    const source = work.at("a");
    const args = ["copy", "--exclude", `${source}/x`, source, work.at("b")];
    const run = await runBlit(args, { cwd: work.path });
    expect(run.stderr).toContain("is a path of this machine and matches nothing");
    expect(run.stderr).toContain('write "/x"');
  });
});

function filesBelow(root: string): string[] {
  const tree = describeTree(root);
  return Object.keys(tree)
    .filter((path) => tree[path]?.type !== "folder")
    .sort();
}
