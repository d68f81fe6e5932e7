import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { runBlit } from "../../support/binary.ts";
import { describeUnless, firstReason, needsRoot } from "../../support/skip.ts";
import {
  aclHex,
  describeTree,
  differences,
  hex,
  makeTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { createWorkspace } from "../../support/workspace.ts";

const T0 = "1500000000000000000";
const T1 = "1500000000000000001";
const LARGE_BYTES = 9 << 20;

interface Pair {
  readonly source: { readonly text: string; readonly mtimeNs: string };
  readonly target: { readonly text: string; readonly mtimeNs: string };
}

/** A file on both sides, and the flags under which the target's is replaced. */
const PAIRS: Readonly<Record<string, Pair & { readonly replacedBy: readonly string[] }>> = {
  "all the same": {
    source: { text: "one", mtimeNs: T0 },
    target: { text: "one", mtimeNs: T0 },
    replacedBy: [],
  },
  "same size and time, other bytes": {
    source: { text: "one", mtimeNs: T0 },
    target: { text: "two", mtimeNs: T0 },
    replacedBy: ["-c", "--checksum", "-c -u"],
  },
  "source newer by 1 ns": {
    source: { text: "one", mtimeNs: T1 },
    target: { text: "two", mtimeNs: T0 },
    replacedBy: ["", "-c", "--checksum", "-c -u", "-u", "--update"],
  },
  "target newer by 1 ns": {
    source: { text: "one", mtimeNs: T0 },
    target: { text: "two", mtimeNs: T1 },
    replacedBy: ["", "-c", "--checksum"],
  },
  "other size, same time": {
    source: { text: "longer", mtimeNs: T0 },
    target: { text: "two", mtimeNs: T0 },
    replacedBy: ["", "-c", "--checksum", "-c -u", "-u", "--update", "--size-only"],
  },
  "other size, target newer": {
    source: { text: "longer", mtimeNs: T0 },
    target: { text: "two", mtimeNs: T1 },
    replacedBy: ["", "-c", "--checksum", "--size-only"],
  },
  "other size, source newer": {
    source: { text: "longer", mtimeNs: T1 },
    target: { text: "two", mtimeNs: T0 },
    replacedBy: ["", "-c", "--checksum", "-c -u", "-u", "--update", "--size-only"],
  },
};
const FLAGS = [
  "",
  "-c",
  "--checksum",
  "-u",
  "--update",
  "-c -u",
  "--size-only",
  "--ignore-existing",
  "--ignore-existing -c",
];

describeUnless(treeToolsMissing())("which files are replaced", () => {
  for (const flags of FLAGS) {
    test(flags === "" ? "by default" : flags, async () => {
      using work = createWorkspace();
      const all = Object.entries(PAIRS);
      makeTree(
        work.folder("a"),
        all.map(([path, { source }]) => ({ op: "file", path, ...source })),
      );
      makeTree(
        work.folder("b"),
        all.map(([path, { target }]) => ({ op: "file", path, ...target })),
      );
      const words = flags.split(" ").filter((word) => word !== "");
      const args = ["copy", ...words, "a/", "b"];
      const plan = await runBlit([...args, "-n"], { cwd: work.path });
      const run = await runBlit(args, { cwd: work.path });
      expect(run.code).toBe(0);
      const listed = plan.stdout
        .split("\n")
        .filter((line) => line.startsWith("replace"))
        .map((line) => line.replace(/^replace +a\//, ""));
      const replaced = all
        .filter(([path, { target, source }]) => {
          const text = readFileSync(work.at("b", path), "utf8");
          return text !== target.text && text === source.text;
        })
        .map(([path]) => path);
      const expected = all.filter(([, { replacedBy }]) => replacedBy.includes(flags));
      expect(replaced).toEqual(expected.map(([path]) => path));
      expect(listed.sort()).toEqual(replaced.sort());
      const upToDate = all.length - replaced.length;
      expect(run.stderr).toContain(`Copied ${replaced.length} file`);
      expect(run.stderr).toContain(`, ${upToDate} up to date`);
    });
  }

  test("--checksum and --size-only contradict each other", async () => {
    using work = createWorkspace();
    work.write("a/f", "1");
    const run = await runBlit(["copy", "-c", "--size-only", "a", "b"], { cwd: work.path });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain("Cannot use --checksum and --size-only together");
  });

  for (const [what, size, offsets] of [
    ["small", 5000, [0, 4096, 4999]],
    ["medium", 300_000, [0, 262_143, 262_144, 299_999]],
    ["large", LARGE_BYTES, [0, (8 << 20) + 1, LARGE_BYTES - 1]],
  ] as const) {
    for (const offset of offsets) {
      test(`--checksum finds one other byte at ${offset} of a ${what} file`, async () => {
        using work = createWorkspace();
        makeTree(work.path, [
          { op: "file", path: "a/f", size, seed: 1, mtimeNs: T0 },
          { op: "file", path: "b/f", size, seed: 1, mtimeNs: T0 },
        ]);
        const equal = await runBlit(["mirror", "-c", "a/", "b"], { cwd: work.path });
        expect(equal.stderr).toMatch(/^Mirrored 0 files, 0 B, 1 up to date in/);
        const byte = readFileSync(work.at("a/f"))[offset]! ^ 1;
        makeTree(work.path, [
          { op: "patch", path: "a/f", offset, text: String.fromCharCode(byte) },
        ]);
        await runBlit(["mirror", "a/", "b"], { cwd: work.path });
        expect(differences(work.at("a"), work.at("b"))).not.toBe("");
        const run = await runBlit(["mirror", "-c", "a/", "b"], { cwd: work.path });
        expect(run.stderr).toMatch(/^Mirrored 1 file, /);
        expect(differences(work.at("a"), work.at("b"))).toBe("");
      });
    }
  }

  test("--checksum leaves equal files alone and gives them the source's time", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "a/f", text: "same", mtimeNs: T1 },
      { op: "file", path: "b/f", text: "same", mtimeNs: T0 },
    ]);
    const before = describeTree(work.at("b"), "inode")["f"];
    const run = await runBlit(["copy", "-c", "a/", "b"], { cwd: work.path });
    expect(run.stderr).toMatch(/^Copied 0 files, 0 B, 1 up to date, 1 with new attributes in/);
    const after = describeTree(work.at("b"), "inode")["f"];
    expect(after?.inode).toBe(before?.inode);
    expect(after?.mtime).toBe(T1);
  });

  test("links: by where they lead; --update and --ignore-existing keep the target's", async () => {
    using work = createWorkspace();
    const make = (): void => {
      makeTree(work.path, [
        { op: "remove", path: "a" },
        { op: "remove", path: "b" },
        { op: "link", path: "a/same", to: "x", mtimeNs: T1 },
        { op: "link", path: "b/same", to: "x", mtimeNs: T0 },
        { op: "link", path: "a/other", to: "x", mtimeNs: T0 },
        { op: "link", path: "b/other", to: "y", mtimeNs: T1 },
      ]);
    };
    work.folder("a");
    work.folder("b");
    for (const [flag, to] of [
      ["--ignore-existing", "y"],
      ["--update", "y"],
      ["--checksum", "x"],
    ] as const) {
      make();
      expect((await runBlit(["copy", flag, "a/", "b"], { cwd: work.path })).code).toBe(0);
      expect(describeTree(work.at("b"))["other"]?.to).toBe(to);
    }
    make();
    expect((await runBlit(["copy", "a/", "b"], { cwd: work.path })).code).toBe(0);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });
});

const ACL = (permissions: number): string =>
  aclHex([
    { tag: "owner", permissions: 6 },
    { tag: "user", permissions, id: 1000 },
    { tag: "group", permissions: 4 },
    { tag: "mask", permissions: 6 },
    { tag: "others", permissions: 0 },
  ]);
const ACCESS = "system.posix_acl_access";
const DEFAULT = "system.posix_acl_default";

const BASE: readonly TreeOperation[] = [
  {
    op: "file",
    path: "f",
    text: "1",
    mode: 0o640,
    xattrs: { "user.a": hex("a"), [ACCESS]: ACL(6) },
  },
  { op: "file", path: "plain", text: "1", mode: 0o644 },
  { op: "link", path: "l", to: "f" },
  { op: "file", path: "h1", text: "twice" },
  { op: "hard", path: "h2", to: "h1" },
  {
    op: "folder",
    path: "d",
    mode: 0o750,
    xattrs: { "user.a": hex("a"), [DEFAULT]: ACL(7) },
  },
];

/** Changes of attributes alone, in the source after a first copy. */
const CHANGES: Readonly<Record<string, TreeOperation>> = {
  "mode of a file": { op: "set", path: "plain", mode: 0o600 },
  "set-id bits": { op: "set", path: "plain", mode: 0o6755 },
  "mode of a folder": { op: "set", path: "d", mode: 0o1755 },
  "an attribute added": { op: "set", path: "plain", xattrs: { "user.new": hex("n") } },
  "an attribute changed": { op: "set", path: "f", xattrs: { "user.a": hex("b") } },
  "an attribute removed": { op: "set", path: "f", xattrs: { "user.a": null } },
  "an ACL added": { op: "set", path: "plain", xattrs: { [ACCESS]: ACL(4) } },
  "an ACL changed": { op: "set", path: "f", xattrs: { [ACCESS]: ACL(1) } },
  "an ACL removed": { op: "set", path: "f", xattrs: { [ACCESS]: null } },
  "a folder's attribute added": { op: "set", path: "d", xattrs: { "user.new": hex("n") } },
  "a folder's attribute removed": { op: "set", path: "d", xattrs: { "user.a": null } },
  "a folder's default ACL changed": { op: "set", path: "d", xattrs: { [DEFAULT]: ACL(0) } },
  "a folder's default ACL removed": { op: "set", path: "d", xattrs: { [DEFAULT]: null } },
  "mode of a hard-linked file": { op: "set", path: "h2", mode: 0o600 },
  "attribute of a hard-linked file": { op: "set", path: "h1", xattrs: { "user.h": hex("h") } },
};
const OWNED: Readonly<Record<string, TreeOperation>> = {
  "owner of a file": { op: "set", path: "plain", uid: 7 },
  "group of a file with an ACL": { op: "set", path: "f", gid: 8 },
  "owner of a folder": { op: "set", path: "d", uid: 7, gid: 8 },
  "owner of a link": { op: "set", path: "l", uid: 7, gid: 8 },
  "owner and set-id bits": { op: "set", path: "plain", uid: 7, gid: 8, mode: 0o6711 },
  "owner of a hard-linked file": { op: "set", path: "h1", gid: 8 },
  "a capability added": {
    op: "set",
    path: "plain",
    xattrs: { "security.capability": "0100000200200000000000000000000000000000" },
  },
  "a trusted attribute": { op: "set", path: "plain", xattrs: { "trusted.t": hex("t") } },
};

function attributeTests(changes: Readonly<Record<string, TreeOperation>>): void {
  for (const [what, change] of Object.entries(changes)) {
    test(what, async () => {
      using work = createWorkspace();
      makeTree(work.folder("a"), BASE);
      expect((await runBlit(["copy", "a/", "b"], { cwd: work.path })).code).toBe(0);
      const inode = describeTree(work.at("b"), "inode")[change.path]?.inode;
      makeTree(work.at("a"), [change]);
      expect(differences(work.at("a"), work.at("b"))).not.toBe("");
      const plan = await runBlit(["copy", "-n", "a/", "b"], { cwd: work.path });
      expect(plan.stdout).toMatch(/^attributes +a\/\w+$/m);
      expect(differences(work.at("a"), work.at("b"))).not.toBe("");
      const run = await runBlit(["copy", "a/", "b"], { cwd: work.path });
      expect(run.stderr).toMatch(/^Copied 0 files, 0 B, \d up to date, 1 with new attributes in/);
      expect(run.code).toBe(0);
      expect(differences(work.at("a"), work.at("b"))).toBe("");
      expect(describeTree(work.at("b"), "inode")[change.path]?.inode).toBe(inode);
    });
  }
}

describeUnless(treeToolsMissing())("attributes that change alone are brought along", () =>
  attributeTests(CHANGES),
);
describeUnless(firstReason(treeToolsMissing(), needsRoot()))(
  "attributes that change alone, as root",
  () => {
    attributeTests(OWNED);

    test("a capability that a change of the target's owner took away comes back", async () => {
      using work = createWorkspace();
      const capability = { "security.capability": "0100000200200000000000000000000000000000" };
      makeTree(work.folder("a"), [{ op: "file", path: "f", text: "1", xattrs: capability }]);
      await runBlit(["copy", "a/", "b"], { cwd: work.path });
      makeTree(work.at("b"), [{ op: "set", path: "f", uid: 9 }]);
      expect(describeTree(work.at("b"))["f"]?.xattrs).toBeUndefined();
      await runBlit(["copy", "a/", "b"], { cwd: work.path });
      expect(differences(work.at("a"), work.at("b"))).toBe("");
    });
  },
);

describeUnless(treeToolsMissing())("attributes that were changed in the target", () => {
  test("a snapshot of hard links does not hide what changed in the source before", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), BASE);
    await runBlit(["copy", "a/", "b"], { cwd: work.path });
    makeTree(work.at("a"), [
      { op: "set", path: "plain", xattrs: { "user.new": hex("n") } },
      { op: "set", path: "f", xattrs: { "user.a": null } },
    ]);
    expect(Bun.spawnSync(["cp", "-al", work.at("b"), work.at("snapshot")]).success).toBe(true);
    const run = await runBlit(["copy", "a/", "b"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  for (const [what, change] of Object.entries(CHANGES)) {
    test(`mirror --checksum puts back: ${what}`, async () => {
      using work = createWorkspace();
      makeTree(work.folder("a"), BASE);
      await runBlit(["copy", "a/", "b"], { cwd: work.path });
      makeTree(work.at("b"), [change]);
      const run = await runBlit(["mirror", "-c", "a/", "b"], { cwd: work.path });
      expect(run.code).toBe(0);
      expect(differences(work.at("a"), work.at("b"))).toBe("");
    });
  }

  test("times of folders and links", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), BASE);
    await runBlit(["copy", "a/", "b"], { cwd: work.path });
    makeTree(work.at("b"), [
      { op: "set", path: "d", mtimeNs: T0 },
      { op: "set", path: "l", mtimeNs: T0 },
    ]);
    const run = await runBlit(["copy", "a/", "b"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });
});
