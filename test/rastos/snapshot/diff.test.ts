import { expect } from "bun:test";
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { diffFiles } from "../../../src/rastos/snapshot/diff.ts";
import { diffPackages } from "../../../src/rastos/snapshot/diff-packages.ts";
import type { SnapshotTree } from "../../../src/rastos/snapshot/tree.ts";
import { cannotMount } from "../../support/loop-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { mountTop, openTree } from "../../support/snapshot-tree.ts";

const testOnBtrfs = (name: string, body: () => void | Promise<void>) =>
  testUnless(cannotMount("btrfs"))(name, body, 30_000);

testOnBtrfs("each kind of change is seen, times alone are none", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  const prepared = change(tree, 0, (root) => {
    for (const name of ["content", "mode", "owner", "gone", "type", "time", "same", "moved"]) {
      writeFileSync(join(root, "usr", name), "one");
    }
    symlinkSync("here", join(root, "usr/link"));
    mkdirSync(join(root, "usr/folder/deep"), { recursive: true });
    writeFileSync(join(root, "usr/folder/deep/file"), "");
    writeFileSync(join(root, "usr/attributes"), "");
  });
  const changed = change(tree, prepared, (root) => {
    writeFileSync(join(root, "usr/content"), "two");
    chmodSync(join(root, "usr/mode"), 0o600);
    chownSync(join(root, "usr/owner"), 7, 8);
    rmSync(join(root, "usr/gone"));
    rmSync(join(root, "usr/type"));
    mkdirSync(join(root, "usr/type"));
    writeFileSync(join(root, "usr/type/inner"), "");
    utimesSync(join(root, "usr/time"), 1, 2);
    renameSync(join(root, "usr/moved"), join(root, "usr/elsewhere"));
    rmSync(join(root, "usr/link"));
    symlinkSync("there", join(root, "usr/link"));
    rmSync(join(root, "usr/folder"), { recursive: true });
    writeFileSync(join(root, "etc/hostname"), "two\n");
    writeFileSync(join(root, "var/lib/new"), "");
    writeFileSync(Buffer.from(join(root, "usr/b\xffd"), "latin1"), "");
    Bun.spawnSync(["setfattr", "-n", "user.a", "-v", "b", join(root, "usr/attributes")]);
  });
  const hasTool = Bun.which("setfattr") !== null;
  expect(lines(tree, prepared, changed)).toEqual([
    "changed /etc/hostname content",
    ...(hasTool ? ["changed /usr/attributes attributes"] : []),
    "added /usr/b\xffd ",
    "changed /usr/content content",
    "added /usr/elsewhere ",
    "removed /usr/folder ",
    "removed /usr/folder/deep ",
    "removed /usr/folder/deep/file ",
    "removed /usr/gone ",
    "changed /usr/link target",
    "changed /usr/mode mode",
    "removed /usr/moved ",
    "changed /usr/owner owner",
    "changed /usr/type type",
    "added /usr/type/inner ",
    "added /var/lib/new ",
  ]);
  expect(lines(tree, prepared, changed, true)).toEqual(lines(tree, prepared, changed));
  expect(lines(tree, changed, changed)).toEqual([]);
});

testOnBtrfs("snapshots that do not descend from one are compared file by file", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  using source = tree.temporary(0);
  const other = tree.create({ from: source.path, description: "other" }).id;
  expect(lines(tree, 0, other)).toEqual([]);
  const changed = change(tree, other, (root) => writeFileSync(join(root, "usr/bin/tool"), "x"));
  expect(lines(tree, 0, changed)).toEqual(["changed /usr/bin/tool content"]);
});

testOnBtrfs("a folder that becomes a link to outside is not followed", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  const before = change(tree, 0, (root) => {
    mkdirSync(join(root, "opt"));
    writeFileSync(join(root, "opt/hostname"), "");
  });
  const after = change(tree, before, (root) => {
    rmSync(join(root, "opt"), { recursive: true });
    symlinkSync("/etc", join(root, "opt"));
  });
  expect(lines(tree, before, after)).toEqual(["changed /opt type", "removed /opt/hostname "]);
  expect(lines(tree, after, before)).toEqual(["changed /opt type", "added /opt/hostname "]);
});

testOnBtrfs("what the file system says was changed and a look at every file agree", () => {
  using disk = mountTop(1024 * 1024 * 1024);
  using tree = openTree(disk.path);
  const base = change(tree, 0, (root) => {
    for (let index = 0; index < 60; index++) {
      mkdirSync(join(root, `usr/d${index % 6}`), { recursive: true });
      writeFileSync(join(root, `usr/d${index % 6}/f${index}`), `${index}`);
    }
  });
  const step = fc.record({
    kind: fc.constantFrom("write", "remove", "mode", "move", "link", "folder", "remove-folder"),
    folder: fc.integer({ min: 0, max: 5 }),
    file: fc.integer({ min: 0, max: 59 }),
    to: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 12 }),
      fc.array(step, { maxLength: 12 }),
      (one, two) => {
        const [a, b] = [one, two].map((steps) =>
          change(tree, base, (root) => {
            for (const each of steps) attempt(() => perform(join(root, "usr"), each));
          }),
        );
        const [from, to] = [a ?? 0, b ?? 0];
        const deeper = change(tree, to, (root) => {
          attempt(() => perform(join(root, "usr"), WRITE));
        });
        expect(lines(tree, from, to)).toEqual(lines(tree, from, to, true));
        expect(lines(tree, base, deeper)).toEqual(lines(tree, base, deeper, true));
        tree.remove([from, to, deeper], { force: true });
      },
    ),
    { numRuns: 8 },
  );
});

testOnBtrfs("packages are compared by pacman's database", () => {
  using disk = mountTop();
  using tree = openTree(disk.path);
  const first = change(tree, 0, (root) => install(root, "a-1.0-1", "b-2:1.0-1", "c-d-1.0.r3-2"));
  const second = change(tree, first, (root) => {
    rmSync(join(root, "var/lib/pacman/local/a-1.0-1"), { recursive: true });
    rmSync(join(root, "var/lib/pacman/local/c-d-1.0.r3-2"), { recursive: true });
    install(root, "a-1.1-1", "new-1-1");
  });
  expect(diffPackages(tree.pathsOf(first).var, tree.pathsOf(second).var)).toEqual([
    { name: "a", from: "1.0-1", to: "1.1-1" },
    { name: "c-d", from: "1.0.r3-2", to: undefined },
    { name: "new", from: undefined, to: "1-1" },
  ]);
  expect(diffPackages(tree.pathsOf(0).var, tree.pathsOf(0).var)).toEqual([]);
});

interface Step {
  readonly kind: string;
  readonly folder: number;
  readonly file: number;
  readonly to: number;
}

const WRITE = { kind: "write", folder: 0, file: 3, to: 0 };

function perform(folder: string, { kind, folder: at, file, to }: Step): void {
  const names = readdirSync(join(folder, `d${at}`));
  const name = names[file % Math.max(names.length, 1)] ?? "none";
  const path = join(folder, `d${at}`, name);
  if (kind === "write") writeFileSync(path, `${file} ${to}`);
  if (kind === "remove") rmSync(path);
  if (kind === "mode") chmodSync(path, 0o600 + to);
  if (kind === "move") renameSync(path, join(folder, `d${to}`, `f${file}`));
  if (kind === "link") linkSync(path, join(folder, `d${to}`, `l${file}`));
  if (kind === "folder") mkdirSync(join(folder, `d${at}/f${file}/x`), { recursive: true });
  if (kind === "remove-folder") rmSync(join(folder, `d${at}`), { recursive: true });
}

function attempt(run: () => void): void {
  try {
    run();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

function install(root: string, ...folders: string[]): void {
  for (const name of folders) {
    mkdirSync(join(root, "var/lib/pacman/local", name), { recursive: true });
  }
}

function change(tree: SnapshotTree, from: number, edit: (root: string) => void): number {
  using clone = tree.temporary(from);
  edit(clone.path);
  return clone.keep({ description: "changed" }).id;
}

function lines(tree: SnapshotTree, from: number, to: number, isThorough = false): string[] {
  const { root: top, state } = tree;
  const changes = diffFiles({ top, state, from, to, isThorough });
  return changes.map(({ kind, path, aspects }) => `${kind} ${path} ${aspects.join()}`);
}
