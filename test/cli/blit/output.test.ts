import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { binaryPath, runBlit, runCommand } from "../../support/binary.ts";
import { describeTree, makeTree, type TreeOperation } from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const TREE: readonly TreeOperation[] = [
  { op: "file", path: "one", text: "1" },
  { op: "file", path: "d/two", text: "22" },
  { op: "hard", path: "d/too", to: "one" },
  { op: "link", path: "link", to: "one" },
  { op: "fifo", path: "fifo" },
];

/** Every key of "blit.transfer/1" and the type of its value. */
const SCHEMA: Readonly<Record<string, string>> = {
  schema: "string",
  command: "string",
  source: "object",
  target: "string",
  dryRun: "boolean",
  roots: "object",
  files: "number",
  bytes: "number",
  bytesReflinked: "number",
  folders: "number",
  symlinks: "number",
  hardlinks: "number",
  specials: "number",
  moved: "number",
  upToDate: "number",
  attributesOnly: "number",
  attributesFailed: "number",
  deleted: "number",
  deletionsSkipped: "object",
  skipped: "number",
  vanished: "number",
  failed: "number",
  leftoversSwept: "number",
  bytesCompared: "number",
  seconds: "number",
  mbPerSecond: "number",
  strategies: "object",
  workers: "number",
  fileSystems: "object",
  issues: "object",
  exitCode: "number",
};

type Said = Record<string, unknown> & {
  issues: { kind: string; path: string; code: string; message: string }[];
  actions: { action: string; path: string; bytes: number }[];
};

function parsed(text: string): Said {
  expect(text.endsWith("}\n")).toBe(true);
  expect(text.trimEnd()).not.toContain("\n");
  return JSON.parse(text) as Said;
}

function prepared(): Workspace {
  const work = createWorkspace();
  makeTree(work.folder("a"), TREE);
  return work;
}

describe("--json", () => {
  test("is one object on stdout and nothing on stderr", async () => {
    using work = prepared();
    const run = await runBlit(["copy", "--json", "a", "b"], { cwd: work.path });
    expect([run.code, run.stderr]).toEqual([0, ""]);
    const said = parsed(run.stdout);
    const types = Object.entries(said).map(([key, value]) => [key, typeof value]);
    expect(Object.fromEntries(types)).toEqual(SCHEMA);
    expect(said).toMatchObject({
      schema: "blit.transfer/1",
      command: "copy",
      source: ["a"],
      target: "b",
      dryRun: false,
      roots: [{ source: work.at("a"), target: work.at("b") }],
      files: 2,
      bytes: 3,
      folders: 2,
      symlinks: 1,
      hardlinks: 1,
      skipped: 1,
      failed: 0,
      exitCode: 0,
    });
    expect(said.issues).toMatchObject([{ kind: "skipped", path: "a/fifo", code: "E_SPECIAL" }]);
  });

  test("tells a dry run's actions and a failure's names", async () => {
    using work = prepared();
    makeTree(work.folder("b"), [
      { op: "file", path: "extra", text: "x" },
      { op: "file", path: "d", text: "in the way" },
    ]);
    const plan = await runBlit(["mirror", "-n", "--json", "a/", "b"], { cwd: work.path });
    const planned = parsed(plan.stdout);
    expect(planned).toMatchObject({ dryRun: true, deleted: 2, exitCode: 0 });
    const actions = planned.actions.map(({ action, path }) => `${action} ${path}`).sort();
    expect(actions).toEqual([
      "copy a/d/too",
      "copy a/d/two",
      "copy a/one",
      "delete b/d",
      "delete b/extra",
      "folder a/d",
      "link a/link",
    ]);
    const failed = await runBlit(["copy", "--json", "a/", "b"], { cwd: work.path });
    expect(failed.code).toBe(4);
    const said = parsed(failed.stdout);
    expect(said).toMatchObject({ failed: 1, exitCode: 4 });
    expect(said.issues.find(({ kind }) => kind === "failed")).toMatchObject({
      path: "a/d",
      code: "E_CONFLICT",
    });
  });

  test("says a refusal as an object too, the sentence on stderr", async () => {
    using work = prepared();
    for (const [args, code, exit] of [
      [["copy", "missing", "b"], "E_NOT_FOUND", 1],
      [["copy", "a", "a/below"], "E_REFUSED", 1],
      [["copy", "--no-such-flag", "a", "b"], "E_USAGE", 2],
    ] as const) {
      const run = await runBlit(["--json", ...args], { cwd: work.path });
      expect(run.code).toBe(exit);
      expect(JSON.parse(run.stdout)).toMatchObject({ schema: "triad.error/1", code, exit });
      expect(run.stderr).toMatch(/^error: /);
    }
  });
});

describe("the summary", () => {
  test("is one line on stderr with counts and time; stdout stays empty", async () => {
    using work = prepared();
    const run = await runBlit(["copy", "a/", "b"], { cwd: work.path });
    expect(run.stdout).toBe("");
    expect(run.stderr.trimEnd().split("\n").at(-1)).toMatch(
      /^Copied 2 files, 3 B, 1 skipped in \d+\.\d\d s \([\d.]+ .?i?B\/s\)$/,
    );
    const again = await runBlit(["mirror", "a/", "b"], { cwd: work.path });
    expect(again.stderr).toMatch(/^Mirrored 0 files, 0 B, 4 up to date, 1 skipped in [\d.]+ s$/m);
    const moved = await runBlit(["move", "b", "c"], { cwd: work.path });
    expect(moved.stderr).toMatch(/^Moved 1 entry, 0 B in [\d.]+ s$/m);
    const plan = await runBlit(["copy", "-n", "a/", "d"], { cwd: work.path });
    expect(plan.stderr).toMatch(/^Would copy 3 files, 4 B, 1 skipped in [\d.]+ s$/m);
  });

  test("goes with -q, warnings stay; -v says no less", async () => {
    using work = prepared();
    const quiet = await runBlit(["copy", "-q", "a/", "b"], { cwd: work.path });
    expect(quiet.stderr).toMatch(/^warning: skipped: "a\/fifo": [^\n]*\n$/);
    const verbose = await runBlit(["copy", "-v", "a/", "c"], { cwd: work.path });
    expect(verbose.stderr).toContain("Copied 2 files");
  });

  test("a reader that leaves early ends nothing and is no error", async () => {
    using work = createWorkspace();
    makeTree(
      work.folder("a"),
      Array.from({ length: 3000 }, (_, i) => ({ op: "folder", path: `d${i}` }) as const),
    );
    const line = 'set -o pipefail; "$0" copy -n a b | head -1; echo $?';
    const shell = ["bash", "-c", line, await binaryPath("blit")];
    const run = await runCommand(shell, { cwd: work.path });
    expect(run.stdout).toMatch(/^folder +a\n0\n$/);
    expect(run.stderr).not.toContain("error");
  });
});

describe("flags", () => {
  test("--ludicrous-speed is taken and shown nowhere", async () => {
    using work = prepared();
    for (const command of ["copy", "mirror", "move"]) {
      for (const help of ["-h", "--help"]) {
        const shown = await runBlit([command, help]);
        expect(shown.stdout).not.toContain("ludicrous");
      }
    }
    const run = await runBlit(["copy", "--ludicrous-speed", "a/", "b"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(run.stderr).not.toContain("ludicrous");
    const typo = await runBlit(["copy", "--ludicrous-sped", "a/", "b"], { cwd: work.path });
    expect([typo.code, typo.stderr.includes("--ludicrous-speed")]).toEqual([2, false]);
  });

  test("stand anywhere, take values both ways, and -- ends them", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "a/-n", text: "1" },
      { op: "file", path: "a/x.log", text: "1" },
    ]);
    for (const args of [
      ["--no-progress", "copy", "--exclude", "*.log", "a/", "b1"],
      ["copy", "a/", "b2", "--exclude=*.log"],
      ["copy", "a/", "--exclude", "*.log", "--", "b3"],
    ]) {
      const run = await runBlit(args, { cwd: work.path });
      expect([run.code, run.stderr]).toEqual([0, expect.stringContaining("Copied 1 file")]);
    }
    const dash = await runBlit(["copy", "--", "-n", work.at("b4")], { cwd: work.at("a") });
    expect(dash.code).toBe(0);
    expect(existsSync(work.at("b4"))).toBe(true);
  });

  test("what is not understood is exit code 2 and changes nothing", async () => {
    using work = prepared();
    const before = describeTree(work.path, "ctime");
    for (const args of [
      ["copy"],
      ["copy", "a"],
      ["mirror", "a", "b", "c"],
      ["copy", "--exlude", "x", "a", "b"],
      ["copy", "--exclude"],
      ["copy", "--max-delete", "1", "a", "b"],
      ["copy", "--dry-run=maybe", "a", "b"],
      ["cpoy", "a", "b"],
      ["copy", "--color=sometimes", "a", "b"],
    ]) {
      const run = await runBlit(args, { cwd: work.path });
      expect([args, run.code]).toEqual([args, 2]);
      expect(run.stderr).toMatch(/^error: /);
    }
    expect(describeTree(work.path, "ctime")).toEqual(before);
    const typo = await runBlit(["copy", "--exlude", "x", "a", "b"], { cwd: work.path });
    expect(typo.stderr).toContain("--exclude");
  });
});

describe("the log of runs", () => {
  const log = (home: string): string => `${home}/.config/blit/perf_local.jsonl`;

  test("a line for each transfer, none for a dry run; diagnostics perf shows them", async () => {
    using work = prepared();
    const env = { HOME: work.folder("home") };
    const empty = await runBlit(["diagnostics", "perf"], { cwd: work.path, env });
    expect(empty.code).toBe(0);
    await runBlit(["copy", "-n", "a/", "b"], { cwd: work.path, env });
    expect(existsSync(log(env.HOME))).toBe(false);
    await runBlit(["copy", "a/", "b"], { cwd: work.path, env });
    await runBlit(["mirror", "a/", "b"], { cwd: work.path, env });
    const lines = readFileSync(log(env.HOME), "utf8").trimEnd().split("\n");
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records).toMatchObject([
      { schema: 1, command: "copy", files: 2, bytes: 3 },
      { schema: 1, command: "mirror", files: 0, upToDate: 4 },
    ]);
    // Numbers only: no name of any file.
    expect(lines.join("\n")).not.toMatch(/two|link|fifo|triad-test/);
    expect(statSync(log(env.HOME)).mode & 0o077).toBe(0);
    const shown = await runBlit(["diagnostics", "perf"], { cwd: work.path, env });
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/copy[\s\S]*mirror|mirror[\s\S]*copy/);
    const json = await runBlit(["diagnostics", "perf", "--json"], { cwd: work.path, env });
    expect(() => JSON.parse(json.stdout.trimEnd().split("\n")[0] ?? "")).not.toThrow();
  });

  for (const [how, setUp] of [
    ["BLIT_DISABLE_LOCAL_TELEMETRY=1", () => ({ BLIT_DISABLE_LOCAL_TELEMETRY: "1" })],
    [
      "telemetry.enabled = false",
      (work: Workspace) => {
        work.write("home/.config/blit/config.toml", "[telemetry]\nenabled = false\n");
        return {};
      },
    ],
  ] as const) {
    test(`${how} keeps it from being written`, async () => {
      using work = prepared();
      const home = work.folder("home");
      const env = { HOME: home, ...setUp(work) };
      const run = await runBlit(["copy", "a/", "b"], { cwd: work.path, env });
      expect(run.code).toBe(0);
      expect(existsSync(log(home))).toBe(false);
    });
  }

  test("one that cannot be written or understood never fails a transfer", async () => {
    using work = prepared();
    const env = { HOME: work.folder("home") };
    work.write("home/.config/blit/perf_local.jsonl", "no json\n\0\0\n{}\n");
    const run = await runBlit(["copy", "a/", "b"], { cwd: work.path, env });
    expect([run.code, run.stderr.includes("error")]).toEqual([0, false]);
    const shown = await runBlit(["diagnostics", "perf"], { cwd: work.path, env });
    expect(shown.code).toBe(0);
    writeFileSync(work.at("file"), "");
    const nowhere = await runBlit(["copy", "a/", "c"], {
      cwd: work.path,
      env: { HOME: work.at("file") },
    });
    expect(nowhere.code).toBe(0);
  });
});

describe("the config file", () => {
  for (const [text, expected] of [
    ["[transfer]\nxatrs = true\n", /config\.toml:2[\s\S]*xattrs/],
    ["[transfr]\nxattrs = true\n", /config\.toml:1[\s\S]*transfer/],
    ["\n[transfer]\nowner = 1\n", /config\.toml:3/],
    ["[transfer]\nexclude = 'x'\n", /config\.toml:2/],
    ["[transfer\n", /config\.toml:1/],
  ] as const) {
    test(`what is wrong in ${JSON.stringify(text)} is told with its line`, async () => {
      using work = prepared();
      work.write("config/blit/config.toml", text);
      const env = { XDG_CONFIG_HOME: work.at("config") };
      const run = await runBlit(["copy", "a", "b"], { cwd: work.path, env });
      expect(run.code).toBe(2);
      expect(run.stderr).toMatch(/^error: /);
      expect(run.stderr).toMatch(expected);
      expect(existsSync(work.at("b"))).toBe(false);
    });
  }

  test("one that cannot be read is told", async () => {
    using work = prepared();
    work.folder("config/blit/config.toml");
    const env = { XDG_CONFIG_HOME: work.at("config") };
    const run = await runBlit(["copy", "a", "b"], { cwd: work.path, env });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain("config.toml");
  });

  test("nothing of the working folder is run or read", async () => {
    using work = prepared();
    work.write("bunfig.toml", 'preload = ["./evil.ts"]\n');
    work.write("evil.ts", 'require("node:fs").writeFileSync("owned", "");');
    work.write(".env", "BLIT_DISABLE_LOCAL_TELEMETRY=1\nHOME=/nonexistent\n");
    const run = await runBlit(["copy", "a/", "b"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(existsSync(work.at("owned"))).toBe(false);
  });
});

describe("list", () => {
  test("shows a folder, an entry, several paths, and what fails beside the rest", async () => {
    using work = prepared();
    chmodSync(work.at("a/one"), 0o640);
    const folder = await runBlit(["list", "a"], { cwd: work.path });
    expect([folder.code, folder.stderr]).toEqual([0, ""]);
    const names = folder.stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("  ").at(-1));
    expect(names).toEqual(["d/", "fifo", "link -> one", "one"]);
    const entry = await runBlit(["list", "a/link"], { cwd: work.path });
    expect(entry.stdout).toContain("a/link -> one");
    const several = await runBlit(["list", "a", "missing", "a/d"], { cwd: work.path });
    expect(several.code).toBe(4);
    expect(several.stderr).toContain('"missing"');
    expect(several.stdout).toContain("too");
    expect((await runBlit(["list", "missing"], { cwd: work.path })).code).toBe(1);
  });

  test("--json gives one object per entry, with bytes where a name is no text", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "a/x\xff", text: "1", mode: 0o640, mtimeNs: "1500000000123456789" },
      { op: "link", path: "a/l", to: "x\xff" },
    ]);
    const run = await runBlit(["list", "--json", "a"], { cwd: work.path });
    const entries = run.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries).toMatchObject([
      { schema: "blit.list/1", type: "symlink" },
      { schema: "blit.list/1", type: "file", size: 1, mtimeNs: "1500000000123456789" },
    ]);
    const bytes = Buffer.from(String(entries[1]?.["pathBytes"]), "base64").toString("latin1");
    expect(bytes).toBe("a/x\xff");
  });
});
