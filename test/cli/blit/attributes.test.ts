import { describe, expect, test } from "bun:test";
import { chmodSync, statSync } from "node:fs";
import { binaryPath, runBlit, runCommand } from "../../support/binary.ts";
import { startBlitd } from "../../support/blitd.ts";
import { describeUnless, firstReason, needsProgram, needsRoot } from "../../support/skip.ts";
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

const MODES = [0o000, 0o100, 0o400, 0o444, 0o600, 0o644, 0o755, 0o777, 0o7777, 0o4755, 0o2755];
const MORE = [0o1644, 0o1777, 0o6711, 0o3770, 0o4000];
const TIMES = [
  "0",
  "1",
  "999999999",
  "-1",
  "-1500000001",
  "-999999999000000001",
  "1700000000123456789",
  "2147483647999999999",
  "4294967296000000001",
  "9000000000123456789",
];

/** Owner rwx, user 12345 r-x, group r--, mask rwx, others none. */
const ACCESS = aclHex([
  { tag: "owner", permissions: 7 },
  { tag: "user", permissions: 5, id: 12345 },
  { tag: "group", permissions: 4 },
  { tag: "mask", permissions: 7 },
  { tag: "others", permissions: 0 },
]);
const DEFAULT = aclHex([
  { tag: "owner", permissions: 7 },
  { tag: "group", permissions: 5 },
  { tag: "members", permissions: 6, id: 54321 },
  { tag: "mask", permissions: 7 },
  { tag: "others", permissions: 1 },
]);
/** cap_net_raw+ep, revision 2 of struct vfs_cap_data. */
const CAPABILITY = "0100000200200000000000000000000000000000";

const ATTRIBUTES: readonly TreeOperation[] = [
  { op: "file", path: "user", text: "1", xattrs: { "user.a": hex("value"), "user.empty": "" } },
  { op: "file", path: "big", text: "1", xattrs: { "user.big": "ab".repeat(2000) } },
  { op: "file", path: "large", size: 9 << 20, seed: 1, xattrs: { "user.large": hex("x") } },
  { op: "file", path: "closed", text: "1", mode: 0o400, xattrs: { "user.a": hex("x") } },
  { op: "file", path: "access", text: "1", mode: 0o640, xattrs: { [acl("access")]: ACCESS } },
  { op: "folder", path: "folder", xattrs: { "user.folder": hex("f") } },
  {
    op: "folder",
    path: "inheriting",
    mode: 0o2770,
    xattrs: { [acl("access")]: ACCESS, [acl("default")]: DEFAULT },
  },
  // Made after the ACL that it would inherit, and then given another mode.
  { op: "file", path: "inheriting/plain", text: "1", mode: 0o604 },
  { op: "folder", path: "inheriting/below", mode: 0o755, xattrs: { "user.b": hex("b") } },
];
const PRIVILEGED: readonly TreeOperation[] = [
  {
    op: "file",
    path: "cap",
    text: "1",
    mode: 0o755,
    xattrs: { "security.capability": CAPABILITY },
  },
  {
    op: "file",
    path: "cap-owned",
    text: "1",
    uid: 77,
    mode: 0o4755,
    xattrs: { "security.capability": CAPABILITY },
  },
  { op: "file", path: "trusted", text: "1", xattrs: { "trusted.t": hex("t") } },
  { op: "folder", path: "trusted-folder", xattrs: { "trusted.t": hex("t") } },
];

function acl(kind: "access" | "default"): string {
  return `system.posix_acl_${kind}`;
}

/** Copies a/ to b, and once more, which has to find nothing to do. */
async function copied(work: { path: string }, ...flags: string[]): Promise<void> {
  const run = await runBlit(["copy", ...flags, "a/", "b"], { cwd: work.path });
  expect(run.stderr).not.toMatch(/warning|error/);
  expect(run.code).toBe(0);
  const before = describeTree(`${work.path}/b`, "ctime", "inode");
  const again = await runBlit(["copy", ...flags, "a/", "b"], { cwd: work.path });
  expect(again.stderr).toMatch(/^Copied 0 files, 0 B(, \d+ up to date)? in/);
  expect(describeTree(`${work.path}/b`, "ctime", "inode")).toEqual(before);
}

describeUnless(treeToolsMissing())("kept by default", () => {
  test("mode of files and folders, with set-id and sticky bits and none at all", async () => {
    using work = createWorkspace();
    const all = [...MODES, ...MORE];
    makeTree(
      work.folder("a"),
      all.flatMap((mode): TreeOperation[] => [
        { op: "file", path: `f${mode.toString(8)}`, text: "1", mode },
        { op: "file", path: `d${mode.toString(8)}/below`, text: "1" },
        { op: "folder", path: `d${mode.toString(8)}`, mode },
        { op: "file", path: `large${mode.toString(8)}`, size: mode === 0o4755 ? 9 << 20 : 9, mode },
      ]),
    );
    await copied(work);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  test("the umask takes nothing away", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), [
      { op: "file", path: "d/f", text: "1", mode: 0o666 },
      { op: "folder", path: "d", mode: 0o777 },
    ]);
    const line = `umask 077 && exec "$0" copy a b/`;
    const run = await runCommand(["sh", "-c", line, await binaryPath("blit")], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(differences(work.at("a"), work.at("b/a"))).toBe("");
    // The folder that was made for the target itself is the user's own.
    expect(statSync(work.at("b")).mode & 0o777).toBe(0o700);
  });

  test("times in ns of files, folders and links, before 1970 and after 2106", async () => {
    using work = createWorkspace();
    makeTree(
      work.folder("a"),
      TIMES.flatMap((mtimeNs, index): TreeOperation[] => [
        { op: "file", path: `f${index}`, text: "1", mtimeNs },
        { op: "file", path: `d${index}/below/f`, text: "1", mtimeNs },
        { op: "folder", path: `d${index}/below`, mtimeNs },
        { op: "folder", path: `d${index}`, mtimeNs },
        { op: "link", path: `l${index}`, to: "nowhere", mtimeNs },
      ]),
    );
    await copied(work);
    expect(describeTree(work.at("b"))).toEqual(describeTree(work.at("a")));
  });

  test("access times, and those of the source stay too", async () => {
    using work = createWorkspace();
    const atime = { atimeNs: "1111111111111111111", mtimeNs: "1222222222222222222" };
    makeTree(work.folder("a"), [
      { op: "file", path: "d/small", text: "1", ...atime },
      { op: "file", path: "d/medium", size: 1 << 20, ...atime },
      { op: "file", path: "d/large", size: 9 << 20, ...atime },
      { op: "link", path: "d/link", to: "small", ...atime },
      { op: "folder", path: "d", ...atime },
    ]);
    const before = describeTree(work.at("a/d"), "atime");
    expect((await runBlit(["copy", "a/d", "b"], { cwd: work.path })).code).toBe(0);
    expect(describeTree(work.at("b"), "atime")).toEqual(before);
    expect(describeTree(work.at("a/d"), "atime")).toEqual(before);
  });

  test("the attributes of the root folder itself", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "a/f", text: "1" },
      { op: "folder", path: "a", mode: 0o1711, mtimeNs: "1000000000000000001" },
      { op: "folder", path: "b", mode: 0o700 },
    ]);
    await copied(work);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  test("extended attributes and ACLs of files and folders", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), ATTRIBUTES);
    await copied(work);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
    expect(describeTree(work.at("b"))).toEqual(describeTree(work.at("a")));
  });

  test("--no-xattrs leaves them, and what the target has", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), ATTRIBUTES);
    makeTree(work.folder("b"), [
      { op: "file", path: "user", text: "old", xattrs: { "user.own": hex("o") } },
      { op: "folder", path: "folder", xattrs: { "user.own": hex("o") } },
    ]);
    const run = await runBlit(["copy", "--no-xattrs", "a/", "b"], { cwd: work.path });
    expect(run.code).toBe(0);
    const after = describeTree(work.at("b"));
    for (const [path, entry] of Object.entries(after)) {
      const own = path === "folder" ? { "user.own": hex("o") } : undefined;
      expect([path, entry.xattrs]).toEqual([path, own]);
    }
  });
});

/** Another file system may be mounted below the source: the first answer is as one of it. */
const noAttributesOnce = { TRIAD_FAULTS: "flistxattr:EOPNOTSUPP@1" };

describeUnless(treeToolsMissing())("a file whose file system has no attributes", () => {
  test("says nothing of the others", async () => {
    using work = createWorkspace();
    const names = ["one", "two", "three", "four"];
    makeTree(
      work.path,
      names.map((name) => {
        const xattrs = { "user.a": hex(name) };
        return { op: "file", path: `a/${name}`, text: name, xattrs };
      }),
    );
    const run = await runBlit(["copy", "a/", "b"], { cwd: work.path, env: noAttributesOnce });
    expect(run.code).toBe(0);
    const after = describeTree(work.at("b"));
    expect(names.filter((name) => after[name]?.xattrs !== undefined)).toHaveLength(3);
  });

  test("leaves those of the target, but no ACL that its permissions would not have", async () => {
    using work = createWorkspace();
    const mtimeNs = "1500000000000000000";
    const xattrs = { "user.own": hex("o"), [acl("access")]: ACCESS };
    makeTree(work.path, [
      { op: "file", path: "a/f", text: "1", mode: 0o604, mtimeNs },
      { op: "file", path: "b/f", text: "1", mode: 0o600, mtimeNs, xattrs },
    ]);
    const run = await runBlit(["copy", "a/", "b"], { cwd: work.path, env: noAttributesOnce });
    expect(run.code).toBe(0);
    const { mode, xattrs: left } = describeTree(work.at("b"))["f"] ?? {};
    expect([mode, left]).toEqual(["0604", { "user.own": hex("o") }]);
  });
});

describeUnless(treeToolsMissing())("nothing leaks in from the target's folder", () => {
  const source: readonly TreeOperation[] = [
    { op: "file", path: "f", text: "1", mode: 0o640 },
    { op: "file", path: "d/e/f", text: "1", mode: 0o604 },
    { op: "file", path: "d/large", size: 9 << 20, mode: 0o600 },
    { op: "folder", path: "d/e", mode: 0o705 },
    { op: "folder", path: "d", mode: 0o750 },
    { op: "link", path: "l", to: "f" },
    { op: "hard", path: "d/h", to: "f" },
  ];
  const parents: Record<string, TreeOperation> = {
    "a default ACL": { op: "folder", path: "p", xattrs: { [acl("default")]: DEFAULT } },
    "a set-group-id bit": { op: "folder", path: "p", gid: 4242, mode: 0o2777 },
    both: {
      op: "folder",
      path: "p",
      gid: 4242,
      mode: 0o2777,
      xattrs: { [acl("default")]: DEFAULT },
    },
  };
  test("nor into small files that are old enough to be copied the short way", async () => {
    using work = createWorkspace();
    const old: TreeOperation = { op: "file", path: "a/d/f", text: "1", mode: 0o600 };
    makeTree(work.path, [old, { ...old, path: "a/d/g", mode: 0o644 }]);
    // Younger files are read twice, in another way (settledSeconds in engine/limits.ts).
    await Bun.sleep(3200);
    await using daemon = await startBlitd({ modules: [{ name: "m", path: work.path }] });
    for (const [index, parent] of Object.values(parents).entries()) {
      makeTree(work.path, [{ ...parent, path: `p${index}` }]);
      for (const target of [work.at(`p${index}/new`), daemon.place("m", `p${index}/far`)]) {
        const run = await runBlit(["copy", work.at("a/"), target]);
        expect(run.stderr).not.toMatch(/warning|error/);
      }
      const wanted = describeTree(work.at("a"));
      expect(describeTree(work.at(`p${index}/new`))).toEqual(wanted);
      expect(describeTree(work.at(`p${index}/far`))).toEqual(wanted);
    }
  }, 180_000);

  for (const [what, parent] of Object.entries(parents)) {
    for (const target of ["p/new", "p/there"]) {
      test(`${what}, into ${target}`, async () => {
        using work = createWorkspace();
        makeTree(work.path, [parent]);
        if (target.endsWith("there")) makeTree(work.path, [{ op: "folder", path: target }]);
        makeTree(work.folder("a"), source);
        const run = await runBlit(["copy", "a/", target], { cwd: work.path });
        expect(run.stderr).not.toMatch(/warning|error/);
        expect(describeTree(work.at(target))).toEqual(describeTree(work.at("a")));
      });
    }
  }
});

describeUnless(firstReason(treeToolsMissing(), needsRoot()))("kept as root", () => {
  const owned: readonly TreeOperation[] = [
    { op: "file", path: "f", text: "1", uid: 1234, gid: 5678, mode: 0o6755 },
    { op: "file", path: "large", size: 9 << 20, uid: 1, gid: 2, mode: 0o2711 },
    { op: "link", path: "l", to: "f", uid: 11, gid: 12 },
    { op: "file", path: "d/f", text: "1", uid: 4294967290, gid: 65534 },
    { op: "folder", path: "d", uid: 21, gid: 22, mode: 0o2770 },
    { op: "hard", path: "d/h", to: "f" },
  ];

  test("owner and group, and set-id bits with them", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), owned);
    await copied(work);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  test("--no-owner leaves both, and keeps nobody's set-id bits", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), owned);
    await copied(work, "--no-owner");
    const after = describeTree(work.at("b"));
    for (const [path, { uid, gid }] of Object.entries(after)) {
      expect([path, uid, gid]).toEqual([path, 0, 0]);
    }
    // A program that ran with the rights of user 1234 must not run with those of root.
    expect(after["f"]?.mode).toBe("0755");
    expect(after["large"]?.mode).toBe("0711");
  });

  test("capabilities and trusted attributes, beside a change of owner", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), PRIVILEGED);
    await copied(work);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
    expect(describeTree(work.at("b"))).toEqual(describeTree(work.at("a")));
  });
});

describeUnless(firstReason(treeToolsMissing(), needsRoot(), needsProgram("setpriv")))(
  "without the rights of root",
  () => {
    const as = (uid: number): string[] => [
      "setpriv",
      `--reuid=${uid}`,
      `--regid=${uid}`,
      "--clear-groups",
      "--",
    ];
    const NOBODY = 65534;

    async function asNobody(cwd: string, ...args: string[]): ReturnType<typeof runCommand> {
      const command = [...as(NOBODY), await binaryPath("blit"), ...args];
      return await runCommand(command, { cwd, env: { HOME: cwd } });
    }

    test("everything but the owner is kept, also on read-only files and folders", async () => {
      using work = createWorkspace();
      chmodSync(work.path, 0o777);
      const mine = { uid: NOBODY, gid: NOBODY };
      makeTree(work.folder("a"), [
        { op: "file", path: "ro", text: "1", mode: 0o444, xattrs: { "user.a": hex("x") }, ...mine },
        { op: "file", path: "d/ro", text: "1", mode: 0o400, ...mine },
        { op: "folder", path: "d", mode: 0o555, xattrs: { "user.d": hex("d") }, ...mine },
        { op: "file", path: "suid", text: "1", mode: 0o4755, ...mine },
        { op: "file", path: "acl", text: "1", xattrs: { [acl("access")]: ACCESS }, ...mine },
      ]);
      makeTree(work.path, [{ op: "set", path: "a", mode: 0o755, ...mine }]);
      const run = await asNobody(work.path, "copy", "a", "b");
      expect(run.stderr).not.toMatch(/warning|error/);
      expect(run.code).toBe(0);
      expect(describeTree(work.at("b"))).toEqual(describeTree(work.at("a")));
      const again = await asNobody(work.path, "copy", "a/", "b");
      expect(again.stderr).toMatch(/^Copied 0 files/);
      expect(again.code).toBe(0);
    });

    test("files of others become one's own, without their set-id bits", async () => {
      using work = createWorkspace();
      chmodSync(work.path, 0o777);
      makeTree(work.folder("a"), [
        { op: "file", path: "suid", text: "1", mode: 0o6755 },
        { op: "file", path: "f", text: "1", mode: 0o644 },
      ]);
      const run = await asNobody(work.path, "copy", "a", "b");
      expect(run.code).toBe(0);
      const after = describeTree(work.at("b"));
      expect(after["suid"]?.mode).toBe("0755");
      expect(after["f"]?.uid).toBe(NOBODY);
      const again = await asNobody(work.path, "copy", "a/", "b");
      expect(again.stderr).toMatch(/^Copied 0 files, 0 B, 2 up to date in/);
    });

    test("one file that cannot be read is named, the rest is copied, exit code 4", async () => {
      using work = createWorkspace();
      chmodSync(work.path, 0o777);
      makeTree(work.folder("a"), [
        { op: "file", path: "closed", text: "1", mode: 0o600 },
        { op: "file", path: "open", text: "1", mode: 0o644 },
        { op: "file", path: "locked/f", text: "1" },
        { op: "folder", path: "locked", mode: 0o700 },
      ]);
      const run = await asNobody(work.path, "copy", "a", "b");
      expect(run.code).toBe(4);
      expect(run.stderr).toContain('failed: "a/closed": open for reading: permission denied');
      expect(run.stderr).toContain('failed: "a/locked"');
      expect(run.stderr).toMatch(/Copied 1 file, .*2 failed/);
      expect(Object.keys(describeTree(work.at("b")))).toContain("open");
    });
  },
);

describe("flags and config file agree", () => {
  test("transfer.xattrs = false is --no-xattrs, and --xattrs overrules it", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), [
      { op: "file", path: "f", text: "1", xattrs: { "user.a": hex("x") } },
    ]);
    work.write("config/blit/config.toml", "[transfer]\nxattrs = false\n");
    const env = { XDG_CONFIG_HOME: work.at("config") };
    await runBlit(["copy", "a/", "b"], { cwd: work.path, env });
    expect(describeTree(work.at("b"))["f"]?.xattrs).toBeUndefined();
    await runBlit(["copy", "--xattrs", "a/", "c"], { cwd: work.path, env });
    expect(describeTree(work.at("c"))["f"]?.xattrs).toEqual({ "user.a": hex("x") });
  });
});
