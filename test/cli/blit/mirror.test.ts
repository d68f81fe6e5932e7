import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { type RunResult, runBlit } from "../../support/binary.ts";
import { describeUnless } from "../../support/skip.ts";
import {
  describeTree,
  differences,
  makeTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const OLD = { mtimeNs: "1400000000000000000" } as const;

/** Makes a/ and b/ and mirrors a/ to b/ without being asked. */
async function mirrored(
  work: Workspace,
  source: readonly TreeOperation[],
  target: readonly TreeOperation[],
  ...flags: string[]
): Promise<RunResult> {
  makeTree(work.folder("a"), source);
  makeTree(work.folder("b"), target);
  return await runBlit(["mirror", "--yes", ...flags, "a/", "b"], { cwd: work.path });
}

describeUnless(treeToolsMissing())("mirror deletes what is only in the target", () => {
  test("files, folders with content, empty folders, links, specials", async () => {
    using work = createWorkspace();
    const run = await mirrored(
      work,
      [{ op: "file", path: "keep/f", text: "1" }],
      [
        { op: "file", path: "file", text: "x" },
        { op: "file", path: "folder/below/deep", text: "x" },
        { op: "file", path: "folder/closed/f", text: "x" },
        { op: "folder", path: "folder/closed", mode: 0 },
        { op: "folder", path: "empty" },
        { op: "link", path: "dangling", to: "nowhere" },
        { op: "link", path: "to-source", to: "../a" },
        { op: "fifo", path: "fifo" },
        { op: "file", path: "keep/extra", text: "x" },
      ],
    );
    expect(run.stderr).toMatch(/, 11 deleted in /);
    expect(run.code).toBe(0);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  test("a link in the target is removed itself, what it leads to stays", async () => {
    using work = createWorkspace();
    makeTree(work.path, [{ op: "file", path: "outside/precious", text: "1" }]);
    const run = await mirrored(
      work,
      [{ op: "file", path: "d/f", text: "1" }],
      [
        { op: "link", path: "gone", to: "../outside" },
        { op: "link", path: "d", to: "../outside" },
        { op: "link", path: "extra", to: "../outside/precious" },
      ],
    );
    expect(run.code).toBe(0);
    expect(Object.keys(describeTree(work.at("outside")))).toEqual(["", "precious"]);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  test("names of any bytes, and folders nested deeper than the stack of a call", async () => {
    using work = createWorkspace();
    const run = await mirrored(
      work,
      [{ op: "file", path: "f", text: "1" }],
      [
        { op: "file", path: "new\nline/x\xff\xfe", text: "x" },
        { op: "file", path: "y".repeat(255), text: "x" },
        { op: "chain", path: "deep", depth: 2500, width: 8 },
      ],
    );
    expect(run.stderr).not.toContain("error");
    expect(run.code).toBe(0);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  test("an unchanged mirror does nothing and asks for nothing", async () => {
    using work = createWorkspace();
    const tree: TreeOperation[] = [
      { op: "file", path: "d/f", text: "1" },
      { op: "link", path: "l", to: "d" },
    ];
    await mirrored(work, tree, []);
    const before = describeTree(work.at("b"), "ctime", "inode");
    const run = await runBlit(["mirror", "a/", "b"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(/^Mirrored 0 files, 0 B, 2 up to date in/);
    expect(describeTree(work.at("b"), "ctime", "inode")).toEqual(before);
  });
});

const KINDS: Readonly<Record<string, readonly TreeOperation[]>> = {
  file: [{ op: "file", path: "x", text: "content", ...OLD }],
  folder: [
    { op: "folder", path: "x/empty" },
    { op: "file", path: "x/one/two", text: "1", ...OLD },
    { op: "file", path: "x/three", text: "2", ...OLD },
  ],
  link: [{ op: "link", path: "x", to: "target", ...OLD }],
  "link to the side": [
    { op: "link", path: "x", to: "y", ...OLD },
    { op: "file", path: "y/f", text: "y", ...OLD },
  ],
  "hard-linked file": [
    { op: "file", path: "x", text: "twice", ...OLD },
    { op: "hard", path: "w", to: "x" },
  ],
  "large file": [{ op: "file", path: "x", size: 9 << 20, seed: 4, ...OLD }],
};

describeUnless(treeToolsMissing())("entries of another type are replaced", () => {
  for (const [source, from] of Object.entries(KINDS)) {
    for (const [target, to] of Object.entries(KINDS)) {
      if (source === target) continue;
      test(`mirror puts a ${source} where a ${target} is`, async () => {
        using work = createWorkspace();
        makeTree(work.folder("a"), from);
        makeTree(work.folder("b"), to);
        const before = describeTree(work.path, "ctime");
        const dry = await runBlit(["mirror", "-n", "a/", "b"], { cwd: work.path });
        expect(dry.stdout).toMatch(/^(replace|copy|link|folder) +a\/x$/m);
        expect(describeTree(work.path, "ctime")).toEqual(before);
        const run = await runBlit(["mirror", "--yes", "a/", "b"], { cwd: work.path });
        expect(run.stderr).not.toContain("warning");
        expect(run.code).toBe(0);
        expect(differences(work.at("a"), work.at("b"))).toBe("");
      });
    }
  }

  for (const command of ["copy", "mirror"]) {
    test(`${command} of a single file does not replace a folder`, async () => {
      using work = createWorkspace();
      work.write("f", "1");
      work.write("b/f/precious", "2");
      const run = await runBlit([command, "f", "b/", "-y"].filter(Boolean), { cwd: work.path });
      expect(run.stderr).toContain("cannot replace a folder of the target with a file");
      expect(run.code).toBe(4);
      expect(readFileSync(work.at("b/f/precious"), "utf8")).toBe("2");
    });
  }

  test("copy replaces files and links by each other, and never a folder", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), [
      { op: "file", path: "1", text: "file" },
      { op: "link", path: "2", to: "nowhere" },
      { op: "file", path: "3", text: "file" },
      { op: "link", path: "4", to: "nowhere" },
      { op: "file", path: "5/f", text: "file" },
      { op: "file", path: "6/f", text: "file" },
      { op: "file", path: "7", text: "file" },
    ]);
    makeTree(work.folder("b"), [
      { op: "link", path: "1", to: "elsewhere" },
      { op: "file", path: "2", text: "old" },
      { op: "file", path: "3/f", text: "old" },
      { op: "file", path: "4/f", text: "old" },
      { op: "file", path: "5", text: "old" },
      { op: "link", path: "6", to: "3" },
    ]);
    const run = await runBlit(["copy", "a/", "b"], { cwd: work.path });
    expect(run.code).toBe(4);
    expect(run.stderr).toContain('"a/3": cannot replace a folder of the target with a file');
    expect(run.stderr).toContain('"a/4": cannot replace a folder of the target with a symbolic');
    expect(run.stderr).toContain('"a/5": cannot replace a file of the target with a folder');
    expect(run.stderr).toContain('"a/6": cannot replace a symbolic link of the target with a');
    expect(readFileSync(work.at("b/1"), "utf8")).toBe("file");
    expect(readlinkSync(work.at("b/2"))).toBe("nowhere");
    expect(readFileSync(work.at("b/3/f"), "utf8")).toBe("old");
    expect(readFileSync(work.at("b/7"), "utf8")).toBe("file");
  });
});

describe("--max-delete counts before anything is deleted", () => {
  const source: TreeOperation[] = [
    { op: "file", path: "f", text: "1" },
    { op: "file", path: "x", text: "now a file" },
  ];
  // Five: x with its two entries, y, z.
  const target: TreeOperation[] = [
    { op: "file", path: "x/1", text: "1" },
    { op: "file", path: "x/2", text: "1" },
    { op: "link", path: "y", to: "1" },
    { op: "folder", path: "z" },
  ];
  for (const limit of [0, 1, 4]) {
    test(`${limit} is too few for 5: nothing at all is changed`, async () => {
      using work = createWorkspace();
      makeTree(work.folder("b"), target);
      const before = describeTree(work.at("b"), "ctime", "inode");
      const run = await mirrored(work, source, [], `--max-delete=${limit}`);
      expect(run.stderr).toContain(`error: Refusing to delete 5 entries: --max-delete allows`);
      expect(run.code).toBe(1);
      expect(describeTree(work.at("b"), "ctime", "inode")).toEqual(before);
    });
  }

  test("5 is enough", async () => {
    using work = createWorkspace();
    const run = await mirrored(work, source, target, "--max-delete", "5");
    expect(run.stderr).toMatch(/, 5 deleted in /);
    expect(run.code).toBe(0);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  test("0 lets a mirror through that deletes nothing", async () => {
    using work = createWorkspace();
    const run = await mirrored(work, source, [], "--max-delete=0");
    expect(run.code).toBe(0);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  test("what is no number is a usage error", async () => {
    using work = createWorkspace();
    for (const value of ["-1", "x", "", "1.5"]) {
      const run = await mirrored(work, source, [], `--max-delete=${value}`);
      expect([value, run.code]).toEqual([value, 2]);
    }
  });
});

describeUnless(treeToolsMissing())("--backup-dir", () => {
  const source: TreeOperation[] = [
    { op: "file", path: "changed", text: "new" },
    { op: "file", path: "d/changed", text: "new" },
    { op: "file", path: "type", text: "now a file" },
    { op: "link", path: "link", to: "new" },
  ];
  const target: TreeOperation[] = [
    { op: "file", path: "changed", text: "old!", mode: 0o604, ...OLD },
    { op: "file", path: "d/changed", text: "old!", ...OLD },
    { op: "file", path: "d/gone", text: "gone", ...OLD },
    { op: "file", path: "folder/gone", text: "gone", ...OLD },
    { op: "file", path: "type/was/folder", text: "gone", ...OLD },
    { op: "link", path: "link", to: "old", ...OLD },
    { op: "link", path: "extra", to: "old", ...OLD },
  ];

  test("holds what a mirror replaced and deleted, in the same folders", async () => {
    using work = createWorkspace();
    makeTree(work.folder("b"), target);
    const before = describeTree(work.at("b"), "nodirtimes");
    const run = await mirrored(work, source, [], "--backup-dir=kept");
    expect(run.code).toBe(0);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
    const kept = describeTree(work.at("kept"), "nodirtimes");
    for (const [path, entry] of Object.entries(before)) {
      if (entry.type !== "folder") expect([path, kept[path]]).toEqual([path, entry]);
    }
    expect(Object.keys(kept).sort()).toEqual(Object.keys(before).sort());
  });

  test("a second run keeps the first one's backups too", async () => {
    using work = createWorkspace();
    await mirrored(work, source, target, "--backup-dir=kept");
    const again: TreeOperation[] = [
      { op: "file", path: "changed", text: "newer still" },
      { op: "file", path: "folder/gone", text: "again" },
    ];
    makeTree(work.at("b"), again);
    const run = await mirrored(work, [], [], "--backup-dir=kept");
    expect(run.code).toBe(0);
    const texts = Object.keys(describeTree(work.at("kept")))
      .filter((path) => /^(changed|folder\/gone|folder[^/]*\/gone)/.test(path))
      .map((path) => readFileSync(work.at("kept", path), "utf8"));
    expect(texts.sort()).toEqual(["again", "gone", "newer still", "old!"]);
  });

  test("of a name that is as long as names may be, every version is kept", async () => {
    using work = createWorkspace();
    const name = "n".repeat(255);
    const contents = ["one", "three", "seven", "eleven"];
    for (const content of contents) {
      work.write(`a/${name}`, content);
      const run = await runBlit(["copy", "--backup-dir=kept", "a/", "b"], { cwd: work.path });
      expect([run.code, run.stderr]).toEqual([0, run.stderr]);
    }
    const kept = readdirSync(work.at("kept")).map((each) => readFileSync(work.at("kept", each)));
    expect(kept.map(String).sort()).toEqual(["one", "seven", "three"]);
  });

  test("copy keeps what it replaces; sources of one command do not mix", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "one/f", text: "new one" },
      { op: "file", path: "two/f", text: "new two" },
      { op: "file", path: "b/one/f", text: "the old one" },
      { op: "file", path: "b/two/f", text: "the old two" },
      { op: "file", path: "plain", text: "new plain" },
      { op: "file", path: "b/plain", text: "older plain" },
    ]);
    const args = ["copy", "--backup-dir", "kept", "one", "two", "plain", "b/"];
    expect((await runBlit(args, { cwd: work.path })).code).toBe(0);
    const kept = describeTree(work.at("kept"));
    const texts = Object.keys(kept)
      .filter((path) => kept[path]?.type === "file")
      .map((path) => readFileSync(work.at("kept", path), "utf8"));
    expect(texts.sort()).toEqual(["older plain", "the old one", "the old two"]);
    expect(Object.keys(kept)).toContain("one/f");
  });

  test("one within the target is refused: the mirror would delete it", async () => {
    using work = createWorkspace();
    makeTree(work.folder("b"), target);
    makeTree(work.folder("a"), source);
    makeTree(work.folder("b/there"), []);
    const before = describeTree(work.path, "ctime");
    for (const dry of [["-n"], ["--yes"], []]) {
      for (const folder of ["b/new", "b/there", "b", "b/d/new", "a/../b/new"]) {
        const args = ["mirror", `--backup-dir=${folder}`, ...dry, "a/", "b"];
        const run = await runBlit(args, { cwd: work.path });
        expect(run.stderr).toContain("the backup folder lies in it");
        expect(run.code).toBe(1);
      }
    }
    expect(describeTree(work.path, "ctime")).toEqual(before);
  });

  test("a refused or merely listed mirror makes no backup folder", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), source);
    makeTree(work.folder("b"), target);
    const before = describeTree(work.path, "ctime");
    const backup = "--backup-dir=kept";
    const refused = await runBlit(["mirror", backup, "a/", "b"], { cwd: work.path });
    expect(refused.code).toBe(1);
    const dry = await runBlit(["mirror", "-n", backup, "a/", "b"], { cwd: work.path });
    expect(dry.code).toBe(0);
    expect(describeTree(work.path, "ctime")).toEqual(before);
  });

  test("a folder that cannot be made is told before anything happens", async () => {
    using work = createWorkspace();
    makeTree(work.folder("b"), target);
    const before = describeTree(work.at("b"), "ctime");
    const run = await mirrored(work, source, [], `--backup-dir=${join("no", "such", "parent")}`);
    expect(run.code).toBe(1);
    expect(describeTree(work.at("b"), "ctime")).toEqual(before);
  });
});
