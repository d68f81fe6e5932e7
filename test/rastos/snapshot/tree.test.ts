import { expect } from "bun:test";
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { LOCK } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { readTree } from "../../../src/rastos/snapshot/find-tree.ts";
import { partFolder } from "../../../src/rastos/snapshot/layout.ts";
import { nameBeside, writeRecord } from "../../../src/rastos/snapshot/record.ts";
import { freeSpace } from "../../../src/rastos/snapshot/space.ts";
import { openFolder } from "../../../src/rastos/snapshot/subvolume.ts";
import { holdClone, listTemporary } from "../../../src/rastos/snapshot/temporary.ts";
import { SnapshotTree } from "../../../src/rastos/snapshot/tree.ts";
import { cannotMount } from "../../support/loop-filesystem.ts";
import { memoryAt } from "../../support/mount-at.ts";
import { testUnless } from "../../support/skip.ts";
import {
  mountTop,
  openTree,
  partsOf,
  subvolumesOf,
  writeSystem,
} from "../../support/snapshot-tree.ts";
import { createWorkspace } from "../../support/workspace.ts";

const testOnBtrfs = (name: string, body: () => void | Promise<void>) =>
  testUnless(cannotMount("btrfs"))(name, body, 30_000);

testOnBtrfs("a folder becomes snapshot 0 with an etc and a var of its own, all read-only", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  expect(tree.state.snapshots).toMatchObject([
    { id: 0, parent: undefined, description: "base", isPinned: false },
  ]);
  const { root, etc, var: variable } = tree.pathsOf(0);
  expect(readFileSync(join(etc, "hostname"), "utf8")).toBe("one\n");
  expect(readFileSync(join(variable, "lib/counter"), "utf8")).toBe("1\n");
  expect(readlinkSync(join(root, "bin"))).toBe("usr/bin");
  expect(lstatSync(join(root, "usr/bin/tool")).mode & 0o777).toBe(0o755);
  expect(existsSync(join(root, "etc/hostname"))).toBe(false);
  for (const path of [root, etc, variable]) {
    expect(() => writeFileSync(join(path, "new"), "")).toThrow("EROFS");
  }
  expect(lstatSync(join(disk.path, ".snapshots")).mode & 0o777).toBe(0o700);
});

testOnBtrfs(
  "clones, branches, descriptions and pins are there after the tree is opened again",
  () => {
    using disk = mountTop();
    {
      using tree = openTree(disk.path);
      expect(tree.clone(0, "first").id).toBe(1);
      expect(tree.clone(1).parent).toBe(1);
      expect(tree.branch(0, "test").branch).toBe("test");
      expect(() => tree.branch(0, "test")).toThrow("has that name");
      tree.describe(2, "second");
      tree.pin(2, true);
      tree.clone(3, "not in the file yet");
    }
    using again = openTree(disk.path);
    expect(again.state.snapshots).toMatchObject([
      { id: 0 },
      { id: 1, parent: 0, description: "first" },
      { id: 2, parent: 1, description: "second", isPinned: true },
      { id: 3, parent: 0, branch: "test" },
      { id: 4, parent: 3, description: "not in the file yet" },
    ]);
    expect(again.state.nextSnapshot).toBe(5);
    expect(readTree(disk.path)).toEqual(again.state);
  },
);

testOnBtrfs(
  "what is pinned, deployed or a parent goes only with force, and no id is used twice",
  () => {
    using disk = mountTop();
    {
      using tree = openTree(disk.path);
      tree.clone(0);
      tree.clone(1);
      tree.clone(2);
      expect(faultOf(() => tree.remove([1], { force: false }))).toMatchObject({
        code: "E_REFUSED",
        message: "Cannot remove: snapshot 1 is the parent of 2",
      });
      tree.pin(3, true);
      expect(faultOf(() => tree.remove([2, 3], { force: false })).message).toContain("3 is pinned");
      tree.pin(3, false);
      tree.remove([1], { force: true });
      expect(tree.snapshot(2).parent).toBe(0);
      tree.remove([3], { force: false });
      expect(faultOf(() => tree.snapshot(3)).hint).toContain("there are 0, 2");
      expect(faultOf(() => tree.remove([3], { force: true })).code).toBe("E_NOT_FOUND");
    }
    using again = openTree(disk.path);
    expect(again.clone(0).id).toBe(4);
    expect(subvolumesOf(disk.path)).toEqual(partsOf(0, 2, 4));
  },
);

testOnBtrfs("what is mounted in the folder stays out, and its place is there", () => {
  using disk = mountTop();
  using work = createWorkspace();
  const from = work.folder("system");
  writeSystem(from);
  mkdirSync(join(from, "usr/inner"));
  using _proc = memoryAt(join(from, "proc"));
  using _inner = memoryAt(join(from, "usr/inner"));
  for (const name of ["proc", "usr/inner"]) writeFileSync(join(from, name, "file"), "");
  using tree = SnapshotTree.open(disk.path, { command: "test", isNew: true });
  const { root } = tree.pathsOf(tree.create({ from, description: "" }).id);
  expect(readdirSync(join(root, "proc"))).toEqual([]);
  expect(readdirSync(join(root, "usr")).sort()).toEqual(["bin", "inner"]);
  expect(readdirSync(join(root, "usr/inner"))).toEqual([]);
});

testOnBtrfs("on a full disk nothing is begun, and removing still works", () => {
  using disk = mountTop(256 * 1024 * 1024);
  using tree = openTree(disk.path);
  tree.clone(0);
  const fd = openSync(join(disk.path, "filler"), "w");
  const chunk = crypto.getRandomValues(new Uint8Array(65536));
  try {
    for (;;) {
      writeSync(fd, chunk);
    }
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
  } finally {
    closeSync(fd);
  }
  expect(faultOf(() => tree.clone(0)).code).toBe("E_NO_SPACE");
  expect(faultOf(() => tree.temporary(0)).code).toBe("E_NO_SPACE");
  expect(subvolumesOf(disk.path)).toEqual(partsOf(0, 1));
  tree.remove([1], { force: false });
  expect(subvolumesOf(disk.path)).toEqual(partsOf(0));
  expect(readTree(disk.path).nextSnapshot).toBe(2);
});

testOnBtrfs("what somebody has done by hand is kept in the reserve's place, if need be", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  using clone = tree.temporary(0);
  const fd = openSync(join(clone.path, "usr/work"), "w");
  const step = 4 * 1024 ** 2;
  const hasRoom = (): boolean => {
    const { freeBytes, reserveBytes } = freeSpace(disk.path);
    return freeBytes > reserveBytes;
  };
  for (let at = 0; hasRoom(); at += step) {
    expect(sys.fallocate(fd, 0, at, step)).toBeGreaterThanOrEqual(0);
    fsyncSync(fd);
  }
  closeSync(fd);
  const fault = faultOf(() => clone.keep({ description: "repeatable" }));
  expect(fault.code).toBe("E_NO_SPACE");
  expect(clone.keep({ description: "by hand", isPrecious: true }).id).toBe(1);
});

testOnBtrfs("a temporary clone is kept as a child, or leaves nothing", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  {
    using clone = tree.temporary(0);
    writeFileSync(join(clone.path, "etc/hostname"), "two\n");
    expect(listTemporary(disk.path)).toMatchObject([{ isInUse: true }]);
  }
  expect(subvolumesOf(disk.path)).toEqual(partsOf(0));
  const clone = tree.temporary(0);
  writeFileSync(join(clone.path, "etc/hostname"), "two\n");
  writeFileSync(join(clone.path, "usr/new"), "new\n");
  mkdirSync(join(clone.path, "var/log"));
  const kept = clone.keep({ description: "changed", system: "[system]\n" });
  clone.discard();
  expect(kept).toMatchObject({ id: 1, parent: 0, description: "changed", system: "[system]\n" });
  const { root, etc, var: variable } = tree.pathsOf(1);
  expect(readFileSync(join(etc, "hostname"), "utf8")).toBe("two\n");
  expect(readFileSync(join(root, "usr/new"), "utf8")).toBe("new\n");
  expect(existsSync(join(variable, "log"))).toBe(true);
  expect(subvolumesOf(disk.path)).toEqual(partsOf(0, 1));
  using of1 = tree.temporary(1);
  expect(readFileSync(join(of1.path, "etc/hostname"), "utf8")).toBe("two\n");
});

testOnBtrfs(
  "a clone whose etc became a link to elsewhere is refused, and nothing outside goes",
  () => {
    using disk = mountTop();
    using tree = openTree(disk.path);
    mkdirSync(join(disk.path, "outside"));
    writeFileSync(join(disk.path, "outside/file"), "");
    const clone = tree.temporary(0);
    Bun.spawnSync(["mv", join(clone.path, "etc"), join(clone.path, "etc.old")]);
    symlinkSync(join(disk.path, "outside"), join(clone.path, "etc"));
    expect(faultOf(() => clone.keep({ description: "" }))).toMatchObject({ code: "E_REFUSED" });
    clone.discard();
    expect(existsSync(join(disk.path, "outside/file"))).toBe(true);
    expect(subvolumesOf(disk.path)).toEqual(partsOf(0));
  },
);

testOnBtrfs("subvolumes that a program has made in a clone go with it", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  const clone = tree.temporary(0);
  const inner = join(clone.path, "var/lib/machines");
  Bun.spawnSync(["btrfs", "subvolume", "create", inner]);
  Bun.spawnSync(["btrfs", "subvolume", "create", join(inner, "deeper")]);
  expect(subvolumesOf(disk.path)).toHaveLength(8);
  clone.discard();
  expect(subvolumesOf(disk.path)).toEqual(partsOf(0));
});

testOnBtrfs("the lock names who has it, and is given back while a tree is paused", async () => {
  using disk = mountTop();
  using tree = openTree(disk.path, "rastos snapshot clone");
  const second = faultOf(() => openTree(disk.path));
  expect(second.code).toBe("E_LOCKED");
  expect(second.message).toContain(`process ${process.pid} (rastos snapshot clone)`);
  tree.pause();
  {
    using other = openTree(disk.path);
    other.clone(0);
  }
  await tree.resume();
  expect(tree.state.snapshots).toHaveLength(2);
});

testOnBtrfs(
  "a paused tree waits for others as long as they take, unless it is told not to",
  async () => {
    using disk = mountTop();
    const notes: string[] = [];
    openTree(disk.path)[Symbol.dispose]();
    const onNote = (text: string): void => void notes.push(text);
    using tree = SnapshotTree.open(disk.path, { command: "test", onNote });
    using clone = tree.temporary(0);
    tree.pause();
    using other = openTree(disk.path, "rastos snapshot receive");
    const given = new AbortController();
    const stopped = tree.resume(given.signal).catch((error: unknown) => error);
    given.abort();
    expect(await stopped).toMatchObject({ code: "E_INTERRUPTED" });
    const resumed = tree.resume();
    const wait = `Waiting for process ${process.pid} (rastos snapshot receive)`;
    expect(notes).toEqual([wait, wait]);
    other.clone(0);
    other[Symbol.dispose]();
    await resumed;
    expect(clone.keep({ description: "hours of work" }).id).toBe(2);
  },
);

testOnBtrfs("what was never made leaves nothing to what gets its number", () => {
  using disk = mountTop();
  {
    using tree = openTree(disk.path);
    const next = tree.state.nextSnapshot;
    using folder = openFolder(partFolder(disk.path, "root"));
    // As a clone that was killed after its first step has left it.
    const record = { id: next, parent: undefined, description: "other", createdMs: 1 };
    writeRecord(folder.number, { ...record, branch: "ghost", system: "x" }, nameBeside(next));
  }
  using tree = openTree(disk.path);
  using clone = tree.temporary(0);
  const kept = clone.keep({ description: "kept" });
  const { branch, description, parent, system } = readTree(disk.path).snapshots[1] ?? {};
  expect(kept.id).toBe(1);
  expect({ branch, description, parent, system }).toEqual({
    branch: undefined,
    description: "kept",
    parent: 0,
    system: undefined,
  });
});

testOnBtrfs("a clone is in use also when somebody has just looked whether it is", async () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  using clone = tree.temporary(0);
  const path = join(clone.path, "var");
  const child = Bun.spawn(["flock", "-o", path, "sh", "-c", "echo held; read -r _"], {
    stdin: "pipe",
    stdout: "pipe",
  });
  await child.stdout.getReader().read();
  // It lets go while it is waited for.
  const free = Bun.spawn(["sh", "-c", `sleep 0.2; kill ${child.pid}`]);
  using held = holdClone(path);
  expect(held.isOpen).toBe(true);
  await Promise.all([child.exited, free.exited]);
  using again = openFolder(path);
  expect(sys.flock(again.number, LOCK.EX | LOCK.NB)).toBeLessThan(0);
});

testOnBtrfs("subvolumes in a clone go also beside names that are no UTF-8", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  using clone = tree.temporary(0);
  const inner = Buffer.from(join(clone.path, "var/lib/x\xff/y"), "latin1");
  mkdirSync(inner, { recursive: true });
  const made = Bun.spawnSync([
    "sh",
    "-c",
    `cd ${join(clone.path, "var/lib")}/x*/y && btrfs subvolume create "$(printf 'in\\376')" &&
      cd in* && btrfs subvolume create deeper`,
  ]);
  expect(made.exitCode).toBe(0);
  clone.discard();
  expect(subvolumesOf(disk.path)).toEqual(partsOf(0));
});

testOnBtrfs("without a tree, and without room, a sentence says so", () => {
  using disk = mountTop(128 * 1024 * 1024);
  expect(faultOf(() => readTree(disk.path)).code).toBe("E_NOT_FOUND");
  expect(faultOf(() => SnapshotTree.open(disk.path, { command: "" })).code).toBe("E_NOT_FOUND");
  using tree = openTree(disk.path);
  const full = faultOf(() => tree.reserve(1024 ** 3));
  expect(full.code).toBe("E_NO_SPACE");
  expect(full.message).toMatch(/MiB of 128 MiB are free, 1\.0 GiB are needed, 3\.8 MiB of them/);
  expect(full.details).toMatchObject({ sizeBytes: 128 * 1024 ** 2 });
});

function faultOf(run: () => unknown): Fault {
  try {
    run();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("Nothing was thrown");
}
