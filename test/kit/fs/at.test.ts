import { expect, test } from "bun:test";
import { chmodSync, lstatSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import * as at from "../../../src/kit/fs/at.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

function open(work: Workspace): number {
  const folder = at.openFolderAt(at.HERE, work.path);
  expect(folder).toBeGreaterThan(2);
  return folder;
}

test("folders are made with those above, and what is there already is fine", () => {
  using work = createWorkspace();
  const folder = open(work);
  expect(at.makeFoldersAt(folder, "a/b/ü/d")).toBe(0);
  expect(at.makeFoldersAt(folder, "a/b/ü/d")).toBe(0);
  expect(at.makeFolderAt(folder, "a")).toBe(-errno.EEXIST);
  expect(at.makeFoldersAt(at.HERE, work.at("x/y"))).toBe(0);
  expect(lstatSync(work.at("a/b/ü/d")).isDirectory()).toBe(true);
  work.write("file");
  expect(at.makeFoldersAt(folder, "file/below")).toBe(-errno.ENOTDIR);
  sys.close(folder);
});

test("a rename never replaces what is there", () => {
  using work = createWorkspace();
  const folder = open(work);
  work.write("one", "1");
  work.write("two", "2");
  work.folder("empty");
  work.folder("other");
  expect(at.renameAt(folder, "one", folder, "two")).toBe(-errno.EEXIST);
  expect(at.renameAt(folder, "other", folder, "empty")).toBe(-errno.EEXIST);
  expect(at.renameAt(folder, "one", folder, "three")).toBe(0);
  expect(readFileSync(work.at("two"), "utf8")).toBe("2");
  expect(at.renameAt(folder, "one", folder, "four")).toBe(-errno.ENOENT);
  sys.close(folder);
});

test("a file system that does not know the flag is asked first", () => {
  using work = createWorkspace();
  const folder = open(work);
  work.write("one", "1");
  work.write("two", "2");
  const { renameat2 } = sys;
  const seen: number[] = [];
  sys.renameat2 = (...args) => {
    seen.push(args[4]);
    return args[4] === 0 ? renameat2(...args) : -errno.EINVAL;
  };
  try {
    expect(at.renameAt(folder, "one", folder, "two")).toBe(-errno.EEXIST);
    expect(at.renameAt(folder, "one", folder, "three")).toBe(0);
  } finally {
    sys.renameat2 = renameat2;
  }
  expect(seen).toEqual([1, 1, 0]);
  expect(readFileSync(work.at("three"), "utf8")).toBe("1");
  sys.close(folder);
});

test("names that no file can have are refused before the kernel sees another one", () => {
  using work = createWorkspace();
  const folder = open(work);
  work.write("a");
  expect(at.removeFileAt(folder, "a\0b")).toBe(-errno.EINVAL);
  expect(at.linkAt(folder, "a", folder, "b\0c")).toBe(-errno.EINVAL);
  expect(at.openAt(folder, "x/".repeat(3000), O.RDONLY)).toBe(-errno.ENAMETOOLONG);
  expect(at.makeFolderAt(folder, "é".repeat(2040))).toBe(-errno.ENAMETOOLONG);
  expect(readdirSync(work.path)).toEqual(["a"]);
  sys.close(folder);
});

test("isThere sees dangling links, and nothing below a file", () => {
  using work = createWorkspace();
  const folder = open(work);
  symlinkSync("nowhere", work.at("link"));
  work.write("file");
  expect(["link", "file", "none", "file/x"].map((path) => at.isThere(folder, path))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  sys.close(folder);
});

test("copies hold every byte, whatever the kernel can do", () => {
  using work = createWorkspace();
  const folder = open(work);
  const content = "0123456789abcdef".repeat(200_000);
  work.write("large", content);
  work.write("empty");
  expect(at.copyAt(folder, "large", folder, "copy", 0o640)).toBe(0);
  expect(at.copyAt(folder, "empty", folder, "copy of empty", 0o666)).toBe(0);
  expect(at.copyAt(folder, "large", folder, "copy", 0o666)).toBe(-errno.EEXIST);
  const { copy_file_range: copyRange } = sys;
  sys.copy_file_range = () => -errno.EXDEV;
  try {
    expect(at.copyAt(folder, "large", folder, "by hand", 0o600)).toBe(0);
  } finally {
    sys.copy_file_range = copyRange;
  }
  expect(readFileSync(work.at("copy"), "utf8")).toBe(content);
  expect(readFileSync(work.at("by hand"), "utf8")).toBe(content);
  expect(lstatSync(work.at("copy of empty")).size).toBe(0);
  expect(lstatSync(work.at("by hand")).mode & 0o777).toBe(0o600);
  sys.close(folder);
});

test("a copy that fails leaves nothing", () => {
  using work = createWorkspace();
  const folder = open(work);
  work.write("source", "content");
  const { copy_file_range: copyRange, write } = sys;
  sys.copy_file_range = () => -errno.EXDEV;
  sys.write = () => -errno.ENOSPC;
  try {
    expect(at.copyAt(folder, "source", folder, "target", 0o666)).toBe(-errno.ENOSPC);
  } finally {
    sys.copy_file_range = copyRange;
    sys.write = write;
  }
  expect(readdirSync(work.path)).toEqual(["source"]);
  sys.close(folder);
});

testUnless(cannotMount("btrfs"))("a clone shares blocks, and not later changes", () => {
  using disk = mountFilesystem({ kind: "btrfs", sizeBytes: 128 << 20 });
  using work = createWorkspace(disk.path);
  const folder = open(work);
  work.write("source", "x".repeat(100_000));
  expect(at.cloneAt(folder, "source", folder, "clone", 0o666)).toBe(0);
  work.write("clone", "changed");
  expect(readFileSync(work.at("source"), "utf8")).toHaveLength(100_000);
  sys.close(folder);
});

test("new files: content, mode, and no second one of the name", () => {
  using work = createWorkspace();
  const folder = open(work);
  expect(at.writeNewFileAt(folder, "a", "text", { mode: 0o755, sync: true })).toBe(0);
  expect(at.writeNewFileAt(folder, "a", "other")).toBe(-errno.EEXIST);
  expect(at.writeNewFileAt(folder, "empty", "")).toBe(0);
  expect(readFileSync(work.at("a"), "utf8")).toBe("text");
  expect(lstatSync(work.at("a")).mode & 0o700).toBe(0o700);
  chmodSync(work.at("a"), 0o600);
  sys.close(folder);
});
