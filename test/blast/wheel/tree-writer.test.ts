import { expect, test } from "bun:test";
import { lstatSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { TreeWriter } from "../../../src/blast/wheel/tree-writer.ts";
import { HERE, openFolderAt } from "../../../src/kit/fs/at.ts";
import { createWorkspace } from "../../support/workspace.ts";

function openFolder(path: string): Fd {
  return new Fd(openFolderAt(HERE, path));
}

function writeText(writer: TreeWriter, path: string, mode: number, ...pieces: string[]) {
  return writer.write(path, mode, (sink) => {
    for (const piece of pieces) sink(Buffer.from(piece));
  });
}

test("files with their folders, in any order, with exact permissions under any umask", () => {
  using work = createWorkspace();
  using root = openFolder(work.path);
  const mask = sys.umask(0o077);
  try {
    using writer = new TreeWriter(root.number, "a.whl");
    writeText(writer, "a/b/one.py", 0o644, "one", "", " and more");
    writeText(writer, "top.py", 0o755, "top");
    writeText(writer, "a/two.py", 0o644);
    writeText(writer, "a/b/three.py", 0o755, "three");
    writeText(writer, "ü/c/d/four.py", 0o644, "four");
    expect(writer.folders).toEqual(["a", "a/b", "ü", "ü/c", "ü/c/d"]);
  } finally {
    sys.umask(mask);
  }
  expect(readFileSync(work.at("a/b/one.py"), "utf8")).toBe("one and more");
  expect(readFileSync(work.at("ü/c/d/four.py"), "utf8")).toBe("four");
  expect(statSync(work.at("a/two.py")).size).toBe(0);
  expect(statSync(work.at("top.py")).mode & 0o7777).toBe(0o755);
  expect(statSync(work.at("a/b/one.py")).mode & 0o7777).toBe(0o644);
});

test("tells the state that the file was left in", () => {
  using work = createWorkspace();
  using root = openFolder(work.path);
  using writer = new TreeWriter(root.number, "a.whl");
  const written = writeText(writer, "f", 0o644, "12345");
  const status = lstatSync(work.at("f"), { bigint: true });
  expect(written.size).toBe(5);
  expect(BigInt(written.mtimeSec) * 1_000_000_000n + BigInt(written.mtimeNsec)).toBe(
    status.mtimeNs,
  );
});

test("follows no link, replaces nothing, and leaves no descriptor behind", () => {
  using work = createWorkspace();
  const outside = work.folder("outside");
  work.folder("root");
  symlinkSync(outside, work.at("root/link"));
  symlinkSync(work.at("outside/new"), work.at("root/file"));
  work.write("root/there", "old");
  using root = openFolder(work.at("root"));
  const open = () => sys.fcntl(root.number, 1030, 0);
  const before = open();
  sys.close(before);
  {
    using writer = new TreeWriter(root.number, "a.whl");
    expect(() => writeText(writer, "link/x", 0o644, "x")).toThrow(
      'Cannot unpack "a.whl" to "link"',
    );
    expect(() => writeText(writer, "file", 0o644, "x")).toThrow("it exists already");
    expect(() => writeText(writer, "there", 0o644, "x")).toThrow("it exists already");
    writeText(writer, "a/b/c/d", 0o644, "x");
    const fail = () => writer.write("a/e", 0o644, () => expect.unreachable());
    expect(fail).toThrow();
  }
  expect(readFileSync(work.at("root/there"), "utf8")).toBe("old");
  const after = open();
  sys.close(after);
  expect(after).toBe(before);
});
