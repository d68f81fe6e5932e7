import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { runBlit } from "../../support/binary.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { describeUnless, firstReason, needsRoot, testUnless } from "../../support/skip.ts";
import {
  aclHex,
  describeTree,
  differences,
  hex,
  makeTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const MIB = 1 << 20;

async function copied(work: Workspace, ...flags: string[]): Promise<string> {
  const run = await runBlit(["copy", ...flags, "a/", "b"], { cwd: work.path });
  expect(run.code).toBe(0);
  return run.stderr;
}

describeUnless(treeToolsMissing())("symbolic links are copied as they are", () => {
  test("dangling, absolute, to folders, to themselves, long, of odd bytes", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), [
      { op: "file", path: "d/f", text: "1" },
      { op: "link", path: "to-folder", to: "d" },
      { op: "link", path: "to-file", to: "d/f" },
      { op: "link", path: "dangling", to: "no/such\nthing\xff" },
      { op: "link", path: "absolute", to: work.at("a/d") },
      { op: "link", path: "out", to: "../../../../etc" },
      { op: "link", path: "loop", to: "loop" },
      { op: "link", path: "slash", to: "d/" },
      { op: "link", path: "long", to: "x/".repeat(2047) },
      { op: "link", path: "d/up", to: ".." },
    ]);
    await copied(work);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
    expect(readlinkSync(work.at("b/absolute"))).toBe(work.at("a/d"));
    expect(await copied(work)).toMatch(/^Copied 0 files, 0 B, 10 up to date in/);
  });

  test("one that leads elsewhere now is replaced, its new place untouched", async () => {
    using work = createWorkspace();
    work.write("outside/f", "precious");
    makeTree(work.folder("a"), [
      { op: "link", path: "l", to: "new" },
      { op: "file", path: "f", text: "file" },
    ]);
    makeTree(work.folder("b"), [
      { op: "link", path: "l", to: "../outside" },
      { op: "link", path: "f", to: "../outside/f" },
    ]);
    await copied(work);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
    expect(await Bun.file(work.at("outside/f")).text()).toBe("precious");
  });

  test("a folder of the target that is a link is not followed", async () => {
    using work = createWorkspace();
    work.folder("outside");
    makeTree(work.folder("a"), [{ op: "file", path: "d/f", text: "1" }]);
    makeTree(work.folder("b"), [{ op: "link", path: "d", to: "../outside" }]);
    const run = await runBlit(["copy", "a/", "b"], { cwd: work.path });
    expect(run.code).toBe(4);
    expect(existsSync(work.at("outside/f"))).toBe(false);
  });
});

describeUnless(treeToolsMissing())("hard links", () => {
  test("within and across folders, of files, links and large files", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), [
      { op: "file", path: "one", text: "1" },
      { op: "hard", path: "two", to: "one" },
      { op: "hard", path: "d/e/three", to: "one" },
      { op: "hard", path: "z/four", to: "one" },
      { op: "file", path: "large", size: 9 * MIB, seed: 3 },
      { op: "hard", path: "d/large", to: "large" },
      { op: "link", path: "link", to: "nowhere" },
      { op: "hard", path: "d/link", to: "link" },
      { op: "file", path: "empty", text: "" },
      { op: "hard", path: "empty2", to: "empty" },
      { op: "folder", path: "d/e", mode: 0o755, mtimeNs: "1000000000000000001" },
      { op: "folder", path: "d", mode: 0o755, mtimeNs: "1000000000000000002" },
    ]);
    const said = await copied(work);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
    expect(statSync(work.at("b/one")).nlink).toBe(4);
    expect(said).toMatch(/^Copied 3 files, /);
    const before = describeTree(work.at("b"), "ctime", "inode");
    expect(await copied(work)).toMatch(/^Copied 0 files, 0 B, 10 up to date in/);
    expect(describeTree(work.at("b"), "ctime", "inode")).toEqual(before);
  });

  test("more names than the source shows: those outside it make no difference", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "a/f", text: "1" },
      { op: "hard", path: "elsewhere", to: "a/f" },
    ]);
    await copied(work);
    expect(statSync(work.at("b/f")).nlink).toBe(1);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  test("links that the target lacks are made, files that differ are linked anew", async () => {
    using work = createWorkspace();
    const [old, now] = [{ mtimeNs: "1000000000000000000" }, { mtimeNs: "1000000000000000005" }];
    makeTree(work.folder("a"), [
      { op: "file", path: "1", text: "new", ...now },
      { op: "hard", path: "d/2", to: "1" },
      { op: "file", path: "3", text: "equal", ...old },
      { op: "hard", path: "4", to: "3" },
    ]);
    makeTree(work.folder("b"), [
      { op: "file", path: "1", text: "old", ...old },
      { op: "hard", path: "d/2", to: "1" },
      { op: "hard", path: "extra", to: "1" },
      { op: "file", path: "3", text: "equal", ...old },
      { op: "file", path: "4", text: "equal", ...old },
    ]);
    await copied(work);
    expect(differences(work.at("a"), work.at("b"), "--exclude=extra")).toBe("");
    expect(await Bun.file(work.at("b/extra")).text()).toBe("old");
  });

  test("between several sources of one command", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "x/f", text: "1" },
      { op: "hard", path: "y/g", to: "x/f" },
    ]);
    const run = await runBlit(["copy", "x", "y", "to/"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(statSync(work.at("to/x/f")).ino).toBe(statSync(work.at("to/y/g")).ino);
  });

  test("a mirror links across what it makes room for", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), [
      { op: "file", path: "f", text: "1" },
      { op: "hard", path: "d/g", to: "f" },
      { op: "hard", path: "h", to: "f" },
      { op: "hard", path: "d/e/i", to: "f" },
    ]);
    makeTree(work.folder("b"), [
      { op: "file", path: "d", text: "a file" },
      { op: "file", path: "h/a", text: "a folder" },
    ]);
    const run = await runBlit(["mirror", "--yes", "a/", "b"], { cwd: work.path });
    expect([run.code, run.stderr.includes("warning")]).toEqual([0, false]);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });

  test("many groups, over many folders", async () => {
    using work = createWorkspace();
    const operations: TreeOperation[] = [];
    for (let i = 0; i < 700; i++) {
      operations.push({ op: "file", path: `d${i % 7}/f${i}`, text: `${i}` });
      operations.push({ op: "hard", path: `e${i % 5}/g${i}`, to: `d${i % 7}/f${i}` });
    }
    makeTree(work.folder("a"), operations);
    await copied(work);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });
});

describeUnless(treeToolsMissing())("holes", () => {
  const FILES: readonly TreeOperation[] = [
    { op: "file", path: "all-hole", size: 3 * MIB, data: [] },
    { op: "file", path: "one-byte-hole", size: 1, data: [] },
    { op: "file", path: "leading", size: 2 * MIB, data: [[MIB, MIB]] },
    { op: "file", path: "trailing", size: 2 * MIB, data: [[0, 4096]] },
    { op: "file", path: "odd-end", size: 2 * MIB + 777, data: [[MIB, 100]] },
    {
      op: "file",
      path: "many",
      size: 4 * MIB,
      data: Array.from({ length: 16 }, (_, i) => [i * 262_144, 4096] as const),
    },
    { op: "file", path: "small", size: 20_000, data: [[8192, 10]] },
    { op: "file", path: "large", size: 80 * MIB, data: [[70 * MIB, 4096]] },
    { op: "file", path: "huge-hole", size: 2 ** 41, data: [[2 ** 40, 4096]] },
    { op: "file", path: "dense", size: MIB },
    { op: "file", path: "zeros", text: "\0".repeat(65_536) },
  ];

  test("stay holes, at the same places", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), FILES);
    makeTree(work.at("a"), [{ op: "remove", path: "huge-hole" }]);
    await copied(work);
    expect(describeTree(work.at("b"))).toEqual(describeTree(work.at("a")));
  });

  test("a file of 2 TiB with one block of data, replacing a dense one", async () => {
    using work = createWorkspace();
    makeTree(
      work.folder("a"),
      FILES.filter((file) => file.path === "huge-hole"),
    );
    makeTree(work.folder("b"), [{ op: "file", path: "huge-hole", size: 9 * MIB }]);
    await copied(work);
    const [source, target] = [statSync(work.at("a/huge-hole")), statSync(work.at("b/huge-hole"))];
    expect([target.size, target.blocks]).toEqual([source.size, source.blocks]);
    const at = Bun.file(work.at("b/huge-hole")).slice(2 ** 40, 2 ** 40 + 4096);
    const expected = Bun.file(work.at("a/huge-hole")).slice(2 ** 40, 2 ** 40 + 4096);
    expect(await at.bytes()).toEqual(await expected.bytes());
  });
});

const sizes = [0, 1, 4095, 4096, 262_143, 262_144, 262_145, MIB, 8 * MIB, 8 * MIB + 1, 17 * MIB];

describeUnless(treeToolsMissing())("files of every size, fresh and as replacements", () => {
  test(`${sizes.join(", ")}, and 70 MiB`, async () => {
    using work = createWorkspace();
    const all = [...sizes, 70 * MIB];
    makeTree(
      work.folder("a"),
      all.map((size) => ({ op: "file", path: `${size}`, size, seed: size })),
    );
    await copied(work);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
    makeTree(
      work.at("b"),
      all.map((size) => ({ op: "file", path: `${size}`, size, seed: size + 1 })),
    );
    await copied(work);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
  });
});

describeUnless(treeToolsMissing())("folders", () => {
  test("empty ones, at every level, and an empty source", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), [
      { op: "folder", path: "1/2/3/4", mtimeNs: "1000000000000000001" },
      { op: "folder", path: "empty", mode: 0o700 },
      { op: "folder", path: "closed", mode: 0 },
    ]);
    await copied(work);
    expect(differences(work.at("a"), work.at("b"))).toBe("");
    work.folder("none");
    const run = await runBlit(["copy", "none", "new"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(describeTree(work.at("new"))).toEqual(describeTree(work.at("none")));
  });

  test("existing ones keep what only they have", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), [{ op: "file", path: "d/f", text: "1" }]);
    makeTree(work.folder("b"), [{ op: "file", path: "d/g", text: "2" }]);
    await copied(work);
    expect(Object.keys(describeTree(work.at("b")))).toEqual(["", "d", "d/f", "d/g"]);
  });
});

const SPECIALS: readonly TreeOperation[] = [
  { op: "fifo", path: "fifo", mode: 0o640, mtimeNs: "1000000000000000001" },
  { op: "socket", path: "d/socket", mode: 0o600, mtimeNs: "1000000000000000002" },
  { op: "file", path: "f", text: "1" },
];
const DEVICES: readonly TreeOperation[] = [
  { op: "device", path: "null", kind: "char", major: 1, minor: 3, uid: 5, mtimeNs: "1" },
  { op: "device", path: "big", kind: "block", major: 4095, minor: 1_048_575, mode: 0o604 },
  { op: "hard", path: "null2", to: "null" },
];

describe("FIFOs, sockets and devices", () => {
  testUnless(treeToolsMissing())("are skipped with a warning, and that is no failure", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), SPECIALS);
    const said = await copied(work);
    expect(said).toContain('warning: skipped: "a/fifo": it is a FIFO');
    expect(said).toContain('warning: skipped: "a/d/socket": it is a socket');
    expect(said).toMatch(/^Copied 1 file, 1 B, 2 skipped in/m);
    expect(Object.keys(describeTree(work.at("b")))).toEqual(["", "d", "f"]);
  });

  testUnless(treeToolsMissing())(
    "a mirror leaves those of the target under their names",
    async () => {
      using work = createWorkspace();
      makeTree(work.folder("a"), SPECIALS);
      makeTree(work.folder("b"), [
        { op: "fifo", path: "fifo" },
        { op: "fifo", path: "extra" },
      ]);
      const run = await runBlit(["mirror", "--yes", "a/", "b"], { cwd: work.path });
      expect(run.code).toBe(0);
      expect(Object.keys(describeTree(work.at("b")))).toEqual(["", "d", "f", "fifo"]);
    },
  );

  testUnless(firstReason(treeToolsMissing(), needsRoot()))("--specials makes them", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), [...SPECIALS, ...DEVICES]);
    const said = await copied(work, "--specials");
    expect(said).not.toContain("warning");
    expect(describeTree(work.at("b"))).toEqual(describeTree(work.at("a")));
    expect(differences(work.at("a"), work.at("b"))).toBe("");
    const before = describeTree(work.at("b"), "ctime", "inode");
    await copied(work, "--specials");
    expect(describeTree(work.at("b"), "ctime", "inode")).toEqual(before);
  });

  testUnless(firstReason(treeToolsMissing(), needsRoot()))(
    "--specials replaces and mends what is there",
    async () => {
      using work = createWorkspace();
      makeTree(work.folder("a"), [
        { op: "fifo", path: "1", mode: 0o4640, uid: 3, mtimeNs: "1000000000000000001" },
        { op: "device", path: "2", kind: "char", major: 1, minor: 3 },
        { op: "fifo", path: "3" },
        { op: "file", path: "4", text: "file" },
      ]);
      makeTree(work.folder("b"), [
        { op: "fifo", path: "1", mode: 0o600 },
        { op: "device", path: "2", kind: "char", major: 1, minor: 5 },
        { op: "file", path: "3", text: "old" },
        { op: "fifo", path: "4" },
      ]);
      await copied(work, "--specials");
      expect(differences(work.at("a"), work.at("b"))).toBe("");
    },
  );
});

describeUnless(firstReason(treeToolsMissing(), cannotMount("ramfs"), needsRoot()))(
  "a target without extended attributes",
  () => {
    test("is told once for each kind, also by several threads; the rest arrives", async () => {
      using memory = mountFilesystem({ kind: "ramfs", sizeBytes: 64 * MIB });
      using source = mountFilesystem({ kind: "ext4", sizeBytes: 256 * MIB });
      using work = createWorkspace(source.path);
      const acl = aclHex([
        { tag: "owner", permissions: 6 },
        { tag: "user", permissions: 6, id: 7 },
        { tag: "group", permissions: 4 },
        { tag: "mask", permissions: 6 },
        { tag: "others", permissions: 0 },
      ]);
      const xattrs = { "user.a": hex("x"), "system.posix_acl_access": acl };
      const operations: TreeOperation[] = [];
      for (let i = 0; i < 4000; i++) {
        operations.push({ op: "file", path: `d${i % 40}/f${i}`, text: `${i}`, xattrs });
      }
      makeTree(work.folder("a"), operations);
      const run = await runBlit(["copy", "--json", "a/", `${memory.path}/b`], { cwd: work.path });
      expect(run.code).toBe(0);
      const said = JSON.parse(run.stdout) as { workers: number; issues: { message: string }[] };
      expect(said.workers).toBeGreaterThan(0);
      const messages = said.issues.map(({ message }) => message).sort();
      expect(messages).toEqual([
        expect.stringContaining("the target cannot hold ACLs"),
        expect.stringContaining("the target cannot hold attributes of kind user"),
      ]);
      const target = `${memory.path}/b`;
      expect(differences(work.at("a"), target, "--no-xattrs", "--no-acls")).toBe("");
      const again = await runBlit(["copy", "a/", target], { cwd: work.path });
      expect(again.code).toBe(0);
      expect(again.stderr).toContain("Copied 0 files, 0 B, 4000 up to date");
      const quiet = await runBlit(["copy", "--no-xattrs", "a/", `${memory.path}/c`], {
        cwd: work.path,
      });
      expect(quiet.stderr).not.toContain("warning");
    });

    test("as a source takes nothing away that a target has not", async () => {
      using memory = mountFilesystem({ kind: "ramfs", sizeBytes: 64 * MIB });
      using work = createWorkspace();
      makeTree(memory.path, [{ op: "file", path: "a/d/f", text: "1", mode: 0o640 }]);
      const run = await runBlit(["copy", `${memory.path}/a`, "b"], { cwd: work.path });
      expect([run.code, run.stderr.includes("warning")]).toEqual([0, false]);
      expect(differences(`${memory.path}/a`, work.at("b"))).toBe("");
    });
  },
);

describeUnless(firstReason(treeToolsMissing(), cannotMount("ext2"), needsRoot()))(
  "a target that keeps whole seconds",
  () => {
    test("is up to date after one copy; a second makes a difference", async () => {
      using disk = mountFilesystem({ kind: "ext2", sizeBytes: 16 * MIB });
      using work = createWorkspace();
      makeTree(work.folder("a"), [
        { op: "file", path: "d/f", text: "one", mtimeNs: "1500000000999999999" },
        { op: "file", path: "g", text: "two", mtimeNs: "1500000000000000001" },
        { op: "link", path: "l", to: "x", mtimeNs: "1500000000500000000" },
        { op: "folder", path: "d", mtimeNs: "1500000000700000000" },
      ]);
      const target = `${disk.path}/b`;
      expect((await runBlit(["copy", "a/", target], { cwd: work.path })).code).toBe(0);
      const again = await runBlit(["copy", "a/", target], { cwd: work.path });
      expect(again.stderr).toMatch(/^Copied 0 files, 0 B, 3 up to date in/);
      makeTree(work.at("a"), [{ op: "set", path: "g", mtimeNs: "1500000001000000001" }]);
      const third = await runBlit(["copy", "a/", target], { cwd: work.path });
      expect(third.stderr).toMatch(/^Copied 1 file, /);
      const back = await runBlit(["copy", target, "back"], { cwd: work.path });
      expect(back.code).toBe(0);
    });
  },
);

describeUnless(firstReason(treeToolsMissing(), cannotMount("vfat"), needsRoot()))(
  "a target that cannot hold all of it",
  () => {
    test("is told once for each kind, and the rest arrives", async () => {
      using fat = mountFilesystem({ kind: "vfat", sizeBytes: 32 * MIB });
      using work = createWorkspace();
      const operations: TreeOperation[] = [{ op: "link", path: "link", to: "x" }];
      for (let i = 0; i < 60; i++) {
        const path = `d${i % 6}/f${i}`;
        const xattrs = { "user.a": hex("x") };
        operations.push({ op: "file", path, text: `${i}`, uid: 1000, xattrs });
        operations.push({ op: "hard", path: `e${i % 6}/g${i}`, to: path });
      }
      makeTree(work.folder("a"), operations);
      const run = await runBlit(["copy", "a/", fat.path], { cwd: work.path });
      expect(run.code).toBe(0);
      for (const what of ["symbolic links", "owner and group", "attributes of kind user"]) {
        const times = run.stderr.split(`the target cannot hold ${what}`).length - 1;
        expect([what, times]).toEqual([what, 1]);
      }
      expect(run.stderr.split("\n").length).toBeLessThan(12);
      for (let i = 0; i < 60; i++) {
        expect(await Bun.file(`${fat.path}/e${i % 6}/g${i}`).text()).toBe(`${i}`);
      }
      const again = await runBlit(["copy", "a/", fat.path], { cwd: work.path });
      expect(again.stderr).toContain("Copied 0 files");
    });

    test("names that differ in case only are told apart, nothing is overwritten", async () => {
      using fat = mountFilesystem({ kind: "vfat", sizeBytes: 32 * MIB });
      using work = createWorkspace();
      makeTree(work.folder("a"), [
        { op: "file", path: "Name", text: "one" },
        { op: "file", path: "NAME", text: "two!" },
        { op: "file", path: "Dir/f", text: "three" },
        { op: "file", path: "DIR/g", text: "four" },
      ]);
      const run = await runBlit(["copy", "a/", `${fat.path}/b`], { cwd: work.path });
      expect(run.code).toBe(4);
      expect(run.stderr.split("folds case").length - 1).toBe(2);
      const first = await Bun.file(`${fat.path}/b/name`).text();
      expect(["one", "two!"]).toContain(first);
      const again = await runBlit(["copy", "a/", `${fat.path}/b`], { cwd: work.path });
      expect(again.code).toBe(4);
      expect(await Bun.file(`${fat.path}/b/name`).text()).toBe(first);
    });
  },
);

describeUnless(firstReason(treeToolsMissing(), cannotMount("btrfs"), needsRoot()))(
  "on a file system that shares extents",
  () => {
    test("files are reflinked, and are equal", async () => {
      using disk = mountFilesystem({ kind: "btrfs", sizeBytes: 256 * MIB });
      makeTree(disk.path, [
        { op: "file", path: "a/large", size: 20 * MIB, seed: 1, mode: 0o640 },
        { op: "file", path: "a/medium", size: MIB, seed: 2 },
        { op: "file", path: "a/sparse", size: 4 * MIB, data: [[MIB, 4096]] },
        { op: "file", path: "a/small", text: "inline" },
        { op: "file", path: "a/empty", text: "" },
        { op: "hard", path: "a/d/large", to: "a/large" },
      ]);
      const run = await runBlit(["copy", "--json", "a/", "b"], { cwd: disk.path });
      expect(run.code).toBe(0);
      const said = JSON.parse(run.stdout) as Record<string, number>;
      expect(said["bytesReflinked"]).toBeGreaterThanOrEqual(21 * MIB);
      expect(differences(`${disk.path}/a`, `${disk.path}/b`)).toBe("");
      expect(describeTree(`${disk.path}/b`)).toEqual(describeTree(`${disk.path}/a`));
    });

    test("small ones too, young or settled, and those that cannot be are written", async () => {
      using disk = mountFilesystem({ kind: "btrfs", sizeBytes: 256 * MIB });
      makeTree(disk.path, [
        { op: "file", path: "a/inline", size: 1000, seed: 1, mode: 0o4755 },
        { op: "file", path: "a/block", size: 9000, seed: 2 },
        { op: "file", path: "a/empty", text: "" },
      ]);
      // A file without checksums shares nothing with one that has them: chattr(1), attribute C.
      mkdirSync(`${disk.path}/a/plain`);
      expect(Bun.spawnSync(["chattr", "+C", `${disk.path}/a/plain`]).exitCode).toBe(0);
      writeFileSync(`${disk.path}/a/plain/f`, new Uint8Array(9000).fill(7));
      Bun.spawnSync(["sync", "-f", disk.path]);
      const copy = async (to: string): Promise<void> => {
        const run = await runBlit(["copy", "--json", "a/", to], { cwd: disk.path });
        expect(run.code).toBe(0);
        const said = JSON.parse(run.stdout) as Record<string, number>;
        expect(said["bytesReflinked"]).toBe(10_000);
        expect(differences(`${disk.path}/a`, `${disk.path}/${to}`)).toBe("");
      };
      await copy("young");
      // Older than what counts as settled: the way without a second look.
      const settledMs = statSync(`${disk.path}/a/plain/f`).ctimeMs + 5000;
      await Bun.sleep(Math.max(0, settledMs - Date.now()));
      await copy("settled");
    });
  },
);
