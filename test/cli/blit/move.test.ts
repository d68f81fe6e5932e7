import { describe, expect, test } from "bun:test";
import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { runBlit } from "../../support/binary.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { secondFilesystem } from "../../support/second-filesystem.ts";
import { describeUnless, firstReason, needsRoot } from "../../support/skip.ts";
import {
  describeTree,
  makeTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { createWorkspace } from "../../support/workspace.ts";

const ABOVE_LARGE_BYTES = 9 * 1024 * 1024;

/** A bit of everything that a move has to carry. */
const SAMPLE: readonly TreeOperation[] = [
  { op: "file", path: "file", text: "one", mode: 0o640, mtimeNs: "1500000000123456789" },
  { op: "file", path: "folder/large", size: ABOVE_LARGE_BYTES, seed: 1 },
  { op: "file", path: "folder/below/deep", text: "two", mtimeNs: "1400000000000000001" },
  { op: "file", path: "sparse", size: 1 << 20, data: [[0, 4096]] },
  { op: "link", path: "link", to: "nowhere", mtimeNs: "1300000000000000003" },
  { op: "hard", path: "folder/same", to: "file" },
  { op: "folder", path: "empty", mode: 0o700, mtimeNs: "1200000000987654321" },
  { op: "folder", path: "folder", mode: 0o750, mtimeNs: "1100000000000000007" },
];

describe("move onto itself", () => {
  const spellings: [string, string, string][] = [
    ["the same path", "f", "f"],
    ["another spelling", "f", "./f"],
    ["by way of its folder", "f", "here/../f"],
    ["through a link to its folder", "f", "link/f"],
    ["into its own folder", "f", "."],
    ["into its own folder through a link", "f", "link/"],
    ["a symbolic link", "symbolic", "here/../symbolic"],
  ];
  for (const [what, source, target] of spellings) {
    test(`is refused and loses nothing: ${what}`, async () => {
      using work = createWorkspace();
      work.write("f", "precious");
      work.folder("here");
      symlinkSync(".", work.at("link"));
      symlinkSync("f", work.at("symbolic"));
      const before = describeTree(work.path);
      const run = await runBlit(["move", source, target], { cwd: work.path });
      expect(describeTree(work.path)).toEqual(before);
      expect(run.code).toBe(1);
      expect(run.stderr).toMatch(/^error: Cannot move .* onto itself$/m);
    });
  }

  test("a folder onto itself or into itself is refused", async () => {
    using work = createWorkspace();
    work.write("a/f", "precious");
    symlinkSync("a", work.at("other"));
    const before = describeTree(work.path);
    for (const target of ["a", "a/", "a/b", "other/", "./a/../a"]) {
      const run = await runBlit(["move", "a", target], { cwd: work.path });
      expect([run.code, target]).toEqual([1, target]);
    }
    for (const target of ["a", "other", "a/."]) {
      const run = await runBlit(["move", "a/", target], { cwd: work.path });
      expect([run.code, target]).toEqual([1, target]);
    }
    expect(describeTree(work.path)).toEqual(before);
  });

  test("one name of a file over another name of it leaves the target's name", async () => {
    using work = createWorkspace();
    work.write("f", "precious");
    linkSync(work.at("f"), work.at("g"));
    const run = await runBlit(["move", "f", "g"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(existsSync(work.at("f"))).toBe(false);
    expect(readFileSync(work.at("g"), "utf8")).toBe("precious");
  });
});

describeUnless(treeToolsMissing())("move within a file system", () => {
  test("renames: the inodes stay, everything else too", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), SAMPLE);
    const before = describeTree(work.at("a"), "inode");
    const run = await runBlit(["move", "a", "b"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(existsSync(work.at("a"))).toBe(false);
    expect(describeTree(work.at("b"), "inode")).toEqual(before);
  });

  test("goes into an existing folder, or with its contents", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), SAMPLE);
    work.folder("b");
    const before = describeTree(work.at("a"), "inode");
    expect((await runBlit(["move", "a", "b"], { cwd: work.path })).code).toBe(0);
    expect(describeTree(work.at("b/a"), "inode")).toEqual(before);
    expect((await runBlit(["move", "b/a/", "c"], { cwd: work.path })).code).toBe(0);
    expect(existsSync(work.at("b/a"))).toBe(false);
    expect(describeTree(work.at("c"), "inode")).toEqual(before);
  });

  test("merges into what is there: files by rename, the rest of the target stays", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "a/same", text: "new" },
      { op: "file", path: "a/d/x", text: "from a" },
      { op: "folder", path: "a/d/empty" },
      { op: "link", path: "a/d/l", to: "x" },
      { op: "file", path: "b/same", text: "old!" },
      { op: "file", path: "b/d/y", text: "from b" },
      { op: "link", path: "b/d/l", to: "y" },
    ]);
    const inode = statSync(work.at("a/d/x")).ino;
    const run = await runBlit(["move", "a/", "b"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(existsSync(work.at("a"))).toBe(false);
    const after = describeTree(work.at("b"), "inode");
    expect(Object.keys(after).sort()).toEqual(["", "d", "d/empty", "d/l", "d/x", "d/y", "same"]);
    expect(after["d/x"]?.inode).toBe(inode);
    expect(after["d/l"]?.to).toBe("x");
    expect(readFileSync(work.at("b/same"), "utf8")).toBe("new");
  });

  test("several sources go into a folder, which is made where it ends in a slash", async () => {
    using work = createWorkspace();
    work.write("a", "1");
    work.write("b/c", "2");
    const run = await runBlit(["move", "a", "b", "new/"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(Object.keys(describeTree(work.path))).toEqual(["", "new", "new/a", "new/b", "new/b/c"]);
  });

  test("a conflict of types stays on both sides, and the rest moves", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "a/f", text: "file" },
      { op: "file", path: "a/d/x", text: "in a folder" },
      { op: "file", path: "a/ok", text: "ok" },
      { op: "folder", path: "b/f" },
      { op: "file", path: "b/d", text: "no folder" },
    ]);
    const run = await runBlit(["move", "a/", "b"], { cwd: work.path });
    expect(run.code).toBe(4);
    expect(run.stderr).toContain('"a/f": cannot replace a folder of the target with a file');
    expect(run.stderr).toContain('"a/d": cannot replace a file of the target with a folder');
    const after = describeTree(work.path);
    expect(Object.keys(after).filter((path) => path.startsWith("a"))).toEqual([
      "a",
      "a/d",
      "a/d/x",
      "a/f",
    ]);
    expect(after["b/ok"]?.type).toBe("file");
  });

  test("--ignore-existing and --update leave both files where they are", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "a/old", text: "1", mtimeNs: "1000000000000000000" },
      { op: "file", path: "a/new", text: "2", mtimeNs: "1000000000000000009" },
      { op: "file", path: "b/old", text: "3", mtimeNs: "1000000000000000001" },
      { op: "file", path: "b/new", text: "4", mtimeNs: "1000000000000000008" },
    ]);
    const ignore = await runBlit(["move", "--ignore-existing", "a/", "b"], { cwd: work.path });
    expect(ignore.code).toBe(0);
    expect(readFileSync(work.at("a/old"), "utf8")).toBe("1");
    expect(readFileSync(work.at("b/new"), "utf8")).toBe("4");
    const update = await runBlit(["move", "--update", "a/", "b"], { cwd: work.path });
    expect(update.code).toBe(0);
    expect(readFileSync(work.at("a/old"), "utf8")).toBe("1");
    expect(readFileSync(work.at("b/old"), "utf8")).toBe("3");
    expect(readFileSync(work.at("b/new"), "utf8")).toBe("2");
    expect(existsSync(work.at("a/new"))).toBe(false);
  });

  test("the contents of a folder, by way of a link, become a missing folder", async () => {
    using work = createWorkspace();
    work.write("real/file", "content");
    symlinkSync("real", work.at("link"));
    work.folder("other");
    const run = await runBlit(["move", "link/", "other/new"], { cwd: work.path });
    expect([run.code, run.stderr]).toEqual([0, run.stderr]);
    expect(describeTree(work.at("other"))["new"]?.type).toBe("folder");
    expect(readFileSync(work.at("other/new/file"), "utf8")).toBe("content");
    expect(readdirSync(work.at("real"))).toEqual([]);
    expect(readlinkSync(work.at("link"))).toBe("real");
  });

  test("filters: what is left out stays in the source", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "a/keep.log", text: "1" },
      { op: "file", path: "a/d/keep.log", text: "2" },
      { op: "file", path: "a/d/go", text: "3" },
      { op: "file", path: "a/e/go", text: "4" },
    ]);
    const run = await runBlit(["move", "--exclude", "*.log", "a", "b"], { cwd: work.path });
    expect(run.code).toBe(0);
    expect(Object.keys(describeTree(work.path)).sort()).toEqual(
      ["", "a", "a/d", "a/d/keep.log", "a/keep.log", "b", "b/d", "b/d/go", "b/e", "b/e/go"].sort(),
    );
  });

  test("--dry-run changes nothing and names both roots", async () => {
    using work = createWorkspace();
    makeTree(work.folder("a"), SAMPLE);
    makeTree(work.folder("b"), [{ op: "file", path: "file", text: "other" }]);
    const before = describeTree(work.path, "ctime", "inode");
    for (const target of ["b", "c"]) {
      const run = await runBlit(["move", "-n", "a/", target], { cwd: work.path });
      expect(run.code).toBe(0);
      expect(run.stderr).toContain(`Source: ${work.at("a")}/`);
      expect(run.stderr).toContain(`Target: ${work.at(target)}`);
      expect(describeTree(work.path, "ctime", "inode")).toEqual(before);
    }
  });

  test("--backup-dir keeps what is replaced", async () => {
    using work = createWorkspace();
    makeTree(work.path, [
      { op: "file", path: "a/d/f", text: "new" },
      { op: "file", path: "b/d/f", text: "old" },
    ]);
    const args = ["move", "--backup-dir", "kept", "a/", "b"];
    expect((await runBlit(args, { cwd: work.path })).code).toBe(0);
    expect(readFileSync(work.at("kept/d/f"), "utf8")).toBe("old");
    expect(readFileSync(work.at("b/d/f"), "utf8")).toBe("new");
  });
});

describeUnless(firstReason(treeToolsMissing(), cannotMount("tmpfs")))(
  "move across file systems",
  () => {
    const size = 64 * 1024 * 1024;

    for (const direction of ["disk to memory", "memory to disk"] as const) {
      test(`${direction}: everything arrives, the source is gone`, async () => {
        using memory = mountFilesystem({ kind: "tmpfs", sizeBytes: size });
        using disk = createWorkspace(tmpdir());
        const [from, to] =
          direction === "disk to memory" ? [disk.path, memory.path] : [memory.path, disk.path];
        makeTree(from, [{ op: "folder", path: "a" }]);
        makeTree(`${from}/a`, SAMPLE);
        const before = describeTree(`${from}/a`);
        const run = await runBlit(["move", `${from}/a`, `${to}/b`]);
        expect(run.stderr).toContain("Moved ");
        expect(run.code).toBe(0);
        expect(existsSync(`${from}/a`)).toBe(false);
        expect(describeTree(`${to}/b`)).toEqual(before);
      });
    }

    test("merges, leaves what conflicts, is kept or is left out in the source", async () => {
      using memory = mountFilesystem({ kind: "tmpfs", sizeBytes: size });
      using work = createWorkspace(tmpdir());
      makeTree(work.folder("a"), [
        { op: "file", path: "conflict", text: "file" },
        { op: "file", path: "keep.log", text: "left out" },
        { op: "file", path: "older", text: "a", mtimeNs: "1000000000000000000" },
        { op: "file", path: "d/go", text: "goes" },
        { op: "file", path: "d/equal", text: "same", mtimeNs: "1000000000000000000" },
      ]);
      makeTree(memory.path, [
        { op: "folder", path: "b/conflict" },
        { op: "file", path: "b/older", text: "b", mtimeNs: "1000000000000000001" },
        { op: "file", path: "b/d/equal", text: "same", mtimeNs: "1000000000000000000" },
        { op: "file", path: "b/d/other", text: "stays" },
      ]);
      const args = ["move", "--update", "--exclude", "*.log", "a/", `${memory.path}/b`];
      const run = await runBlit(args, { cwd: work.path });
      expect(run.code).toBe(4);
      expect(Object.keys(describeTree(work.path)).sort()).toEqual(
        ["", "a", "a/conflict", "a/keep.log", "a/older"].sort(),
      );
      const after = describeTree(`${memory.path}/b`);
      expect(Object.keys(after).sort()).toEqual(
        ["", "conflict", "d", "d/equal", "d/go", "d/other", "older"].sort(),
      );
    });

    test("a target's file of equal size and time is compared before the source goes", async () => {
      using memory = mountFilesystem({ kind: "tmpfs", sizeBytes: size });
      using work = createWorkspace(tmpdir());
      const times = { mtimeNs: "1000000000000000000" };
      const same: TreeOperation = { op: "file", path: "a/same", text: "equal", ...times };
      makeTree(work.path, [same, { op: "file", path: "a/f", text: "source", ...times }]);
      makeTree(memory.path, [same, { op: "file", path: "a/f", text: "target", ...times }]);
      const run = await runBlit(["move", "a", `${memory.path}/`], { cwd: work.path });
      expect(run.stderr).toMatch(/^Moved 2 entries, 6 B, 1 up to date in/);
      expect(run.code).toBe(0);
      expect(readFileSync(`${memory.path}/a/f`, "utf8")).toBe("source");
      expect(existsSync(work.at("a"))).toBe(false);
    });

    test("what is skipped stays in the source, and is named", async () => {
      using memory = mountFilesystem({ kind: "tmpfs", sizeBytes: size });
      using work = createWorkspace(tmpdir());
      makeTree(work.folder("a"), [
        { op: "fifo", path: "fifo" },
        { op: "file", path: "f", text: "1" },
      ]);
      const run = await runBlit(["move", "a", `${memory.path}/b`], { cwd: work.path });
      expect(run.code).toBe(0);
      expect(run.stderr).toContain('skipped: "a/fifo"');
      expect(Object.keys(describeTree(work.path))).toEqual(["", "a", "a/fifo"]);
      expect(existsSync(`${memory.path}/b/f`)).toBe(true);
    });

    test("--dry-run changes nothing", async () => {
      using memory = mountFilesystem({ kind: "tmpfs", sizeBytes: size });
      using work = createWorkspace(tmpdir());
      makeTree(work.folder("a"), SAMPLE);
      const before = describeTree(work.path, "ctime", "inode");
      const run = await runBlit(["move", "-n", "a", `${memory.path}/b`], { cwd: work.path });
      expect(run.code).toBe(0);
      expect(run.stdout).toContain("a/folder/large");
      expect(describeTree(work.path, "ctime", "inode")).toEqual(before);
      expect(existsSync(`${memory.path}/b`)).toBe(false);
    });

    test("a file goes under its new name", async () => {
      using memory = mountFilesystem({ kind: "tmpfs", sizeBytes: size });
      using work = createWorkspace(tmpdir());
      work.write("f", "content", { mode: 0o604 });
      const run = await runBlit(["move", "f", `${memory.path}/g`], { cwd: work.path });
      expect(run.code).toBe(0);
      expect(existsSync(work.at("f"))).toBe(false);
      expect(readFileSync(`${memory.path}/g`, "utf8")).toBe("content");
      expect(statSync(`${memory.path}/g`).mode & 0o7777).toBe(0o604);
    });
  },
);

describeUnless(firstReason(treeToolsMissing(), cannotMount("tmpfs"), needsRoot()))(
  "mounts within the trees of a move",
  () => {
    test("what is mounted in the source stays, named, and the rest moves", async () => {
      using work = createWorkspace();
      makeTree(work.folder("a"), [{ op: "file", path: "f", text: "outer" }]);
      using _mounted = mountAt(work.folder("a/mnt"), ["-t", "tmpfs", "tmpfs"]);
      makeTree(work.at("a/mnt"), [{ op: "file", path: "in/f", text: "inner" }]);
      work.folder("b");
      const run = await runBlit(["move", "a/", "b"], { cwd: work.path });
      expect(run.stderr).toContain('failed: "a/mnt"');
      expect(run.code).toBe(4);
      expect(readFileSync(work.at("b/f"), "utf8")).toBe("outer");
      expect(readFileSync(work.at("a/mnt/in/f"), "utf8")).toBe("inner");
    });

    test("a source folder that is mounted in the target loses nothing", async () => {
      using work = createWorkspace();
      makeTree(work.path, [
        { op: "file", path: "a/shared/precious", text: "1" },
        { op: "hard", path: "a/shared/twice", to: "a/shared/precious" },
        { op: "folder", path: "b/shared" },
      ]);
      using _mounted = mountAt(work.at("b/shared"), ["--bind", work.at("a/shared")]);
      const run = await runBlit(["move", "a/", "b"], { cwd: work.path });
      expect(run.code).not.toBe(3);
      expect(readdirSync(work.at("b/shared")).sort()).toEqual(["precious", "twice"]);
    });

    test("what is mounted in the target is synced too, or its source stays", async () => {
      using work = createWorkspace();
      using memory = mountFilesystem({ kind: "tmpfs", sizeBytes: 1 << 20 });
      makeTree(work.path, [
        { op: "file", path: "a/f", text: "outer" },
        { op: "file", path: "a/mnt/in/f", text: "inner" },
      ]);
      makeTree(memory.path, [{ op: "folder", path: "b/mnt" }]);
      using _mounted = mountAt(`${memory.path}/b/mnt`, ["-t", "tmpfs", "tmpfs"]);
      // The first one is that of the target's root.
      const env = { TRIAD_FAULTS: "syncfs:EIO@2+" };
      const run = await runBlit(["move", "a/", `${memory.path}/b`], { cwd: work.path, env });
      expect(run.stderr).toContain('failed: "a/mnt": sync the folder');
      expect(run.code).toBe(4);
      expect(existsSync(work.at("a/f"))).toBe(false);
      expect(readFileSync(work.at("a/mnt/in/f"), "utf8")).toBe("inner");
      const again = await runBlit(["move", "a/", `${memory.path}/b`], { cwd: work.path });
      expect(again.code, again.stderr).toBe(0);
      expect(existsSync(work.at("a"))).toBe(false);
      expect(readFileSync(`${memory.path}/b/mnt/in/f`, "utf8")).toBe("inner");
    });

    test("nor does one that is mounted there across file systems", async () => {
      using work = createWorkspace();
      using memory = mountFilesystem({ kind: "tmpfs", sizeBytes: 1 << 20 });
      makeTree(work.path, [{ op: "file", path: "a/shared/precious", text: "1" }]);
      makeTree(memory.path, [{ op: "folder", path: "b/shared" }]);
      using _mounted = mountAt(`${memory.path}/b/shared`, ["--bind", work.at("a/shared")]);
      const run = await runBlit(["move", "a/", `${memory.path}/b`], { cwd: work.path });
      expect(run.code).not.toBe(3);
      expect(readFileSync(work.at("a/shared/precious"), "utf8")).toBe("1");
    });
  },
);

function mountAt(path: string, args: readonly string[]): Disposable {
  const run = Bun.spawnSync(["mount", ...args, path], { stderr: "pipe" });
  if (!run.success) throw new Error(run.stderr.toString());
  return { [Symbol.dispose]: () => void Bun.spawnSync(["umount", path]) };
}

const elsewhere = secondFilesystem();
const noSecond = elsewhere === undefined ? "no second file system" : undefined;

describeUnless(noSecond)("a move to another file system", () => {
  test("takes a file that is named itself, whatever the filter says of what is below", async () => {
    using work = createWorkspace();
    using far = createWorkspace(elsewhere);
    work.write("a.log", "content");
    const args = ["move", "--exclude", "*.log", work.at("a.log"), `${far.path}/`];
    const run = await runBlit(args);
    expect([run.code, run.stderr]).toEqual([0, run.stderr]);
    expect(readFileSync(far.at("a.log"), "utf8")).toBe("content");
    expect(existsSync(work.at("a.log"))).toBe(false);
  });

  for (const flag of ["--ignore-existing", "--size-only"]) {
    test(`with ${flag}, leaves what has other content of the same size and time`, async () => {
      using work = createWorkspace();
      using far = createWorkspace(elsewhere);
      for (const place of [work, far]) {
        const text = place === work ? "ours" : "them";
        place.write("a/other", text, { mtimeSeconds: 1_500_000_000 });
        place.write("a/same", "same", { mtimeSeconds: 1_500_000_000 });
      }
      work.write("a/new", "new");
      const run = await runBlit(["move", flag, `${work.at("a")}/`, far.at("a")]);
      expect(run.code).toBe(flag === "--size-only" ? 4 : 0);
      expect(run.stderr).toContain("left in the source");
      expect(readdirSync(work.at("a"))).toEqual(["other"]);
      expect(readFileSync(work.at("a/other"), "utf8")).toBe("ours");
      expect(readFileSync(far.at("a/other"), "utf8")).toBe("them");
      expect(readFileSync(far.at("a/new"), "utf8")).toBe("new");
    });
  }
});
