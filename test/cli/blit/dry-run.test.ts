import { expect, test } from "bun:test";
import { runBlit } from "../../support/binary.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { describeUnless, firstReason, needsRoot } from "../../support/skip.ts";
import {
  aclHex,
  describeTree,
  hex,
  latin1,
  makeTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { createWorkspace } from "../../support/workspace.ts";

/** Older than a day: the kernel would note any read of it (mount option relatime). */
const OLD = { mtimeNs: "1500000000000000000", atimeNs: "1400000000000000000" } as const;
const OLDER = { mtimeNs: "1300000000000000000", atimeNs: "1400000000000000000" } as const;
const ACL = aclHex([
  { tag: "owner", permissions: 7 },
  { tag: "user", permissions: 5, id: 1000 },
  { tag: "group", permissions: 5 },
  { tag: "mask", permissions: 5 },
  { tag: "others", permissions: 0 },
]);

const SOURCE: readonly TreeOperation[] = [
  { op: "file", path: "equal", text: "same", ...OLD },
  { op: "file", path: "hidden", text: "other", ...OLD },
  { op: "file", path: "changed", text: "new", ...OLD },
  { op: "file", path: "mode", text: "1", mode: 0o600, ...OLD },
  { op: "file", path: "xattr", text: "1", xattrs: { "user.a": hex("new") }, ...OLD },
  { op: "file", path: "large", size: 9 << 20, ...OLD },
  { op: "file", path: "sub/new", text: "new", ...OLD },
  { op: "file", path: "newfolder/f", text: "new", ...OLD },
  { op: "hard", path: "newfolder/h", to: "equal" },
  { op: "link", path: "link", to: "new", ...OLD },
  { op: "file", path: "wasfolder", text: "now a file", ...OLD },
  { op: "file", path: "wasfile/f", text: "in a folder", ...OLD },
  { op: "fifo", path: "fifo", ...OLD },
  { op: "file", path: "excluded.log", text: "1", ...OLD },
  { op: "folder", path: "wasfile", ...OLD },
  { op: "folder", path: "newfolder", ...OLD },
  { op: "folder", path: "sub", mode: 0o750, xattrs: { "system.posix_acl_access": ACL }, ...OLD },
];
const TARGET: readonly TreeOperation[] = [
  { op: "file", path: "equal", text: "same", ...OLD },
  { op: "file", path: "hidden", text: "bytes", ...OLD },
  { op: "file", path: "changed", text: "older", ...OLDER },
  { op: "file", path: "mode", text: "1", mode: 0o644, ...OLD },
  { op: "file", path: "xattr", text: "1", ...OLD },
  { op: "file", path: "sub/extra", text: "1", ...OLD },
  { op: "file", path: "extra/deep/f", text: "1", ...OLD },
  { op: "link", path: "link", to: "old", ...OLD },
  { op: "file", path: "wasfolder/f", text: "1", ...OLD },
  { op: "file", path: "wasfile", text: "1", ...OLD },
  { op: "file", path: ".blit-aaaaaaaa-bbbbbbbb-1-1-1~", text: "left over", ...OLD },
  { op: "folder", path: "wasfolder", ...OLD },
  { op: "folder", path: "extra/deep", ...OLD },
  { op: "folder", path: "extra", ...OLD },
  { op: "folder", path: "sub", mode: 0o755, ...OLD },
];

/** What `blit … -n --exclude *.log a/ b` has to say, by command. */
const COPY = [
  "attributes a/mode",
  "attributes a/sub",
  "attributes a/xattr",
  "copy a/large",
  "copy a/newfolder/f",
  "copy a/newfolder/h",
  "copy a/sub/new",
  "folder a/newfolder",
  "link a/link",
  "replace a/changed",
];
const MIRROR = [
  ...COPY,
  "copy a/wasfile/f",
  "copy a/wasfolder",
  "delete b/extra",
  "delete b/sub/extra",
  "delete b/wasfile",
  "delete b/wasfolder",
  "folder a/wasfile",
].sort();

describeUnless(firstReason(treeToolsMissing(), needsRoot()))("--dry-run", () => {
  for (const [name, args, expected, code] of [
    ["copy", ["copy"], COPY, 4],
    ["mirror", ["mirror"], MIRROR, 0],
    ["mirror --checksum", ["mirror", "-c"], [...MIRROR, "replace a/hidden"].sort(), 0],
    ["mirror with limits", ["mirror", "--max-delete=0", "--backup-dir=kept"], MIRROR, 0],
  ] as const) {
    test(`${name} lists every action and both roots, and changes no access times`, async () => {
      using work = createWorkspace();
      makeTree(work.folder("b"), TARGET);
      makeTree(work.folder("a"), SOURCE);
      makeTree(work.path, [
        { op: "set", path: "a", ...OLD },
        { op: "set", path: "b", ...OLD },
      ]);
      const before = describeTree(work.path, "atime", "ctime", "inode");
      const run = await runBlit([...args, "-n", "--exclude=*.log", "a/", "b"], { cwd: work.path });
      expect(describeTree(work.path, "atime", "ctime", "inode")).toEqual(before);
      const lines = run.stdout.trimEnd().split("\n");
      expect(lines.map((line) => line.replace(/ +/, " ")).sort()).toEqual([...expected]);
      expect(run.stderr).toContain(`Source: ${work.at("a")}/\n`);
      expect(run.stderr).toContain(`Target: ${work.at("b")}\n`);
      expect(run.stderr).toMatch(/^Would (copy|mirror) \d+ files/m);
      expect(run.code).toBe(code);
    });
  }

  test("of a new target lists it all and makes no folder above it", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "a/d/f", text: "1" },
      { op: "link", path: "a/l", to: "x" },
    ]);
    const before = describeTree(work.path, "ctime");
    for (const command of ["copy", "mirror"]) {
      const run = await runBlit([command, "-n", "a", "no/such/b"], { cwd: work.path });
      expect(run.stdout.split("\n").map((line) => line.replace(/ +/, " "))).toEqual([
        "folder a",
        "folder a/d",
        "copy a/d/f",
        "link a/l",
        "",
      ]);
      expect(run.stderr).toContain(`Target: ${work.at("no/such/b")}\n`);
      expect(run.code).toBe(0);
    }
    expect(describeTree(work.path, "ctime")).toEqual(before);
  });

  test("is what the run then does", async () => {
    using work = createWorkspace();
    makeTree(work.folder("b"), TARGET);
    makeTree(work.folder("a"), SOURCE);
    const plan = await runBlit(["mirror", "-n", "--json", "a/", "b"], { cwd: work.path });
    const run = await runBlit(["mirror", "--yes", "--json", "a/", "b"], { cwd: work.path });
    const [planned, done] = [plan, run].map(
      ({ stdout }) => JSON.parse(stdout) as Record<string, number>,
    );
    for (const key of ["deleted", "symlinks", "folders", "upToDate", "skipped", "failed"]) {
      expect([key, planned?.[key]]).toEqual([key, done?.[key]]);
    }
    // A plan counts each name of a linked file, a run copies it once.
    expect(planned?.["files"]).toBe((done?.["files"] ?? 0) + (done?.["hardlinks"] ?? 0));
  });

  test("shows names of any bytes on one line each", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "a/new\nline\x1b[31m", text: "1" },
      { op: "file", path: "a/\xff", text: "1" },
      { op: "file", path: latin1("a/grüße"), text: "1" },
    ]);
    const run = await runBlit(["copy", "-n", "a/", "b"], { cwd: work.path });
    const lines = run.stdout.trimEnd().split("\n");
    expect(lines.slice(1)).toEqual([
      "copy       a/grüße",
      "copy       a/new\\nline\\x1b[31m",
      "copy       a/\\xff",
    ]);
  });
});

describeUnless(firstReason(treeToolsMissing(), cannotMount("ext2"), needsRoot()))(
  "on a file system that is mounted read-only",
  () => {
    test("--dry-run works, a run fails and says so", async () => {
      using disk = mountFilesystem({ kind: "ext2", sizeBytes: 16 << 20 });
      using work = createWorkspace();
      makeTree(work.path, [{ op: "file", path: "a/f", text: "1" }]);
      makeTree(disk.path, [{ op: "file", path: "b/g", text: "2" }]);
      Bun.spawnSync(["mount", "-o", "remount,ro", disk.path]);
      const args = ["mirror", "--yes", work.at("a/"), `${disk.path}/b`];
      const plan = await runBlit([...args, "-n"]);
      expect([plan.code, plan.stdout.split("\n").length]).toEqual([0, 3]);
      const run = await runBlit(args);
      expect(run.code).not.toBe(0);
      expect(run.stderr).toContain("read-only");
      expect(Object.keys(describeTree(`${disk.path}/b`))).toEqual(["", "g"]);
    });
  },
);
