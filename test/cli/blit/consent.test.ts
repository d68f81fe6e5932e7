import { describe, expect, test } from "bun:test";
import { runBlit } from "../../support/binary.ts";
import { describeUnless } from "../../support/skip.ts";
import { blitOnTerminal } from "../../support/terminal.ts";
import {
  describeTree,
  differences,
  makeTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const SOURCE: readonly TreeOperation[] = [
  { op: "file", path: "changed", text: "new" },
  { op: "file", path: "added", text: "new" },
];
const TARGET: readonly TreeOperation[] = [
  { op: "file", path: "changed", text: "old!" },
  { op: "file", path: "extra/1", text: "1" },
  { op: "file", path: "extra/2", text: "2" },
];

function prepared(): Workspace {
  const work = createWorkspace();
  makeTree(work.folder("a"), SOURCE);
  makeTree(work.folder("b"), TARGET);
  return work;
}

describeUnless(treeToolsMissing())("a mirror that deletes", () => {
  const args = ["mirror", "a/", "b"];

  for (const [how, flags] of [
    ["by default", []],
    ["with --quiet", ["-q"]],
    ["with --max-delete alone", ["--max-delete=100"]],
    ["with --backup-dir", ["--backup-dir=kept"]],
  ] as const) {
    test(`changes nothing where nobody can be asked, ${how}`, async () => {
      using work = prepared();
      const before = describeTree(work.path, "ctime", "inode");
      const run = await runBlit([...args, ...flags], { cwd: work.path, stdin: "y\ny\n" });
      expect(run.code).toBe(1);
      expect(run.stdout).toBe("");
      expect(run.stderr).toContain("error: Cannot delete 3 entries of the target");
      expect(run.stderr).toContain("--yes");
      expect(describeTree(work.path, "ctime", "inode")).toEqual(before);
    });
  }

  test("says so with --json as an object", async () => {
    using work = prepared();
    const run = await runBlit([...args, "--json"], { cwd: work.path });
    expect(run.code).toBe(1);
    const said = JSON.parse(run.stdout) as Record<string, unknown>;
    expect(said).toMatchObject({ schema: "triad.error/1", code: "E_CONFIRM", exit: 1 });
  });

  test("goes ahead with --yes", async () => {
    using work = prepared();
    const run = await runBlit([...args, "--yes"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  test("one that deletes nothing asks nobody", async () => {
    using work = prepared();
    makeTree(work.at("b"), [{ op: "remove", path: "extra" }]);
    const run = await runBlit(args, { cwd: work.path });
    expect(run.code).toBe(0);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  for (const answer of ["y", "Y", "yes", "YES", " yes "]) {
    test(`on a terminal, "${answer}" is consent`, async () => {
      using work = prepared();
      const run = await blitOnTerminal(args, {
        cwd: work.path,
        answers: [["[y/N]", `${answer}\n`]],
      });
      expect(run.text).toContain('Delete 3 entries from "b"? [y/N]');
      expect(run.text).toMatch(/Mirrored 2 files, 6 B, 3 deleted in/);
      expect(run.code).toBe(0);
      expect(differences(work.at("a"), work.at("b"))).toBe("");
    });
  }

  for (const answer of ["n", "", "no", "yesterday", "yy", "0"]) {
    test(`on a terminal, "${answer}" is none`, async () => {
      using work = prepared();
      const before = describeTree(work.path, "ctime", "inode");
      const run = await blitOnTerminal(args, {
        cwd: work.path,
        answers: [["[y/N]", `${answer}\n`]],
      });
      expect(run.text).toContain("Cancelled: nothing was changed");
      expect(run.code).toBe(1);
      expect(describeTree(work.path, "ctime", "inode")).toEqual(before);
    });
  }

  test("on a terminal, the end of input is none", async () => {
    using work = prepared();
    const before = describeTree(work.path, "ctime", "inode");
    const run = await blitOnTerminal(args, { cwd: work.path, answers: [["[y/N]", "\x04"]] });
    expect(run.code).toBe(1);
    expect(describeTree(work.path, "ctime", "inode")).toEqual(before);
  });

  test("on a terminal, Ctrl-C at the question is exit code 130 and changes nothing", async () => {
    using work = prepared();
    const before = describeTree(work.path, "ctime", "inode");
    const run = await blitOnTerminal(args, { cwd: work.path, answers: [["[y/N]", "\x03"]] });
    expect(run.code).toBe(130);
    expect(describeTree(work.path, "ctime", "inode")).toEqual(before);
  });

  test("on a terminal, --yes and --dry-run ask nothing", async () => {
    using work = prepared();
    const plan = await blitOnTerminal([...args, "-n"], { cwd: work.path });
    expect([plan.code, plan.text.includes("[y/N]")]).toEqual([0, false]);
    expect(plan.text).toMatch(/delete +b\/extra/);
    const run = await blitOnTerminal([...args, "-y"], { cwd: work.path });
    expect([run.code, run.text.includes("[y/N]")]).toEqual([0, false]);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });
});

describe("on a terminal", () => {
  test("progress is drawn on stderr alone and taken away again", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), [{ op: "file", path: "f", size: 30 << 20 }]);
    const run = await blitOnTerminal(["copy", "a", "b"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(run.raw).toContain("Copying");
    const last = run.raw.trimEnd().split("\r").at(-1) ?? "";
    expect(last.startsWith("\x1b[2K")).toBe(true);
    expect(last).toContain("Copied 1 file, 30 MiB in");
    for (const [flag, env] of [
      ["--no-progress", {}],
      ["-q", {}],
      ["-v", {}],
      ["--yes", { CI: "1" }],
      ["--yes", { TERM: "dumb" }],
    ] as const) {
      const silent = await blitOnTerminal(["copy", flag, "a/", "b"], { cwd: work.path, env });
      expect([flag, silent.raw.includes("Copying")]).toEqual([flag, false]);
    }
  });

  test("colour comes and goes with NO_COLOR, --color and TERM=dumb", async () => {
    using work = createWorkspace();
    makeTree(work.path, [{ op: "fifo", path: "a/fifo" }]);
    const colours = async (env: Record<string, string>, ...flags: string[]): Promise<boolean> => {
      const run = await blitOnTerminal(["copy", "--no-progress", ...flags, "a/", "b"], {
        cwd: work.path,
        env,
      });
      return run.raw.includes("\x1b[33m");
    };
    expect(await colours({})).toBe(true);
    expect(await colours({ NO_COLOR: "1" })).toBe(false);
    expect(await colours({ NO_COLOR: "1" }, "--color=always")).toBe(true);
    expect(await colours({}, "--color=never")).toBe(false);
    expect(await colours({}, "--no-color")).toBe(false);
    expect(await colours({ TERM: "dumb" })).toBe(false);
    const piped = await runBlit(["copy", "a/", "b"], { cwd: work.path });
    expect(piped.stderr).not.toContain("\x1b");
    const forced = await runBlit(["copy", "a/", "b"], {
      cwd: work.path,
      env: { FORCE_COLOR: "1" },
    });
    expect(forced.stderr).toContain("\x1b[33m");
  });
});
