import { describe, expect, test } from "bun:test";
import { lstatSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from "node:fs";
import { RootFolder } from "../../../src/kit/fs/root-folder.ts";
import { needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** A root beside a folder that is none of its business, with links between them. */
function world(): Workspace & { readonly root: RootFolder } {
  const work = createWorkspace();
  work.write("outside/etc/passwd", "host\n");
  work.write("root/etc/passwd", "guest\n");
  work.folder("root/usr/lib");
  return { ...work, root: RootFolder.open(work.at("root")) };
}

function names(work: Workspace, path: string): string[] {
  return readdirSync(work.at(path)).sort();
}

describe("links in a root", () => {
  test("absolute ones begin at the root, as in a chroot", () => {
    using work = world();
    symlinkSync("/etc/passwd", work.at("root/usr/lib/passwd"));
    symlinkSync(work.at("outside/etc"), work.at("root/way-out"));
    expect(work.root.readText("usr/lib/passwd")).toBe("guest\n");
    expect(work.root.readText("way-out/passwd")).toBeUndefined();
    expect(() => work.root.writeFile("way-out/passwd", "x")).toThrow("no such file");
    expect(readFileSync(work.at("outside/etc/passwd"), "utf8")).toBe("host\n");
  });

  test("'..' ends at the root", () => {
    using work = world();
    symlinkSync("../../../../../../../../etc", work.at("root/usr/up"));
    expect(work.root.readText("usr/up/passwd")).toBe("guest\n");
    expect(work.root.readText("../../etc/passwd")).toBe("guest\n");
  });

  test("the last name is replaced, and what it leads to stays", () => {
    using work = world();
    symlinkSync(work.at("outside/etc/passwd"), work.at("root/etc/shadow"));
    symlinkSync("passwd", work.at("root/etc/other"));
    work.root.writeFile("etc/shadow", "new\n");
    work.root.writeFile("etc/other", "new\n");
    expect(readFileSync(work.at("outside/etc/passwd"), "utf8")).toBe("host\n");
    expect(readFileSync(work.at("root/etc/passwd"), "utf8")).toBe("guest\n");
    expect(lstatSync(work.at("root/etc/shadow")).isFile()).toBe(true);
    work.root.writeLink("etc/other", "/anywhere");
    expect(readlinkSync(work.at("root/etc/other"))).toBe("/anywhere");
    expect(work.root.readLink("etc/other")).toBe("/anywhere");
    expect(work.root.readLink("etc/passwd")).toBeUndefined();
  });

  test("a root that follows none refuses them", () => {
    using work = world();
    symlinkSync("/etc", work.at("root/usr/home"));
    using strict = work.root.sub("usr", "none");
    expect(() => strict.writeFile("home/passwd", "x")).toThrow("a symbolic link on the way");
    expect(() => strict.readText("../etc/passwd")).toThrow("leads elsewhere");
    expect(strict.status("home")?.kind).toBe("link");
    expect(readFileSync(work.at("root/etc/passwd"), "utf8")).toBe("guest\n");
  });

  test("those that go round in circles end", () => {
    using work = world();
    symlinkSync("/loop", work.at("root/loop"));
    expect(() => work.root.readText("loop")).toThrow("a symbolic link on the way");
  });
});

describe("changes", () => {
  test("files keep their rights, new ones get those asked for, no temporary name stays", () => {
    using work = world();
    work.root.writeFile("etc/secret", "1", { mode: 0o600 });
    work.root.writeFile("etc/secret", "2");
    expect(work.root.status("etc/secret")).toMatchObject({ kind: "file", mode: 0o600 });
    expect(work.root.readText("etc/secret")).toBe("2");
    expect(names(work, "root/etc")).toEqual(["passwd", "secret"]);
  });

  test("a folder in the way is told, and nothing is left behind", () => {
    using work = world();
    work.folder("root/etc/hostname");
    expect(() => work.root.writeFile("etc/hostname", "x")).toThrow("Cannot write");
    expect(names(work, "root/etc")).toEqual(["hostname", "passwd"]);
  });

  test("folders are made with those above, and removed when empty", () => {
    using work = world();
    work.root.makeFolder("home/ada/.ssh", { mode: 0o700 });
    expect(work.root.status("home")).toMatchObject({ mode: 0o755 });
    expect(work.root.status("home/ada/.ssh")).toMatchObject({ kind: "folder", mode: 0o700 });
    work.root.makeFolder("home/ada", { mode: 0o777 });
    expect(work.root.status("home/ada")).toMatchObject({ mode: 0o755 });
    expect(() => work.root.remove("home")).toThrow("folder not empty");
    work.root.remove("home/ada/.ssh");
    work.root.remove("home/ada/.ssh");
    expect(work.root.names("home/ada")).toEqual([]);
    expect(work.root.names("nowhere")).toEqual([]);
    expect(() => work.root.makeFolder("etc/passwd/x")).toThrow();
  });

  testUnless(needsRoot())("owners are set", () => {
    using work = world();
    work.root.writeFile("etc/mail", "", { uid: 7, gid: 8 });
    work.root.writeFile("etc/mail", "more");
    expect(work.root.status("etc/mail")).toMatchObject({ uid: 7, gid: 8 });
    work.root.setRights("etc/mail", { mode: 0o640, uid: 0, gid: 9 });
    expect(work.root.status("etc/mail")).toMatchObject({ uid: 0, gid: 9, mode: 0o640 });
  });
});

test("what is no file holds nobody up", () => {
  using work = world();
  expect(Bun.spawnSync(["mkfifo", work.at("root/etc/pipe")]).success).toBe(true);
  expect(() => work.root.read("etc/pipe")).toThrow("Cannot read");
  expect(work.root.status("etc/pipe")?.kind).toBe("other");
});

describe("from one root to another", () => {
  test("a copy has content, rights and attributes, and no link is copied through", () => {
    using work = world();
    using other = RootFolder.open(work.folder("other"));
    work.root.writeFile("etc/secret", "psk\n", { mode: 0o640 });
    const set = ["setfattr", "-n", "user.note", "-v", "1", work.at("root/etc/secret")];
    const hasAttributes = Bun.spawnSync(set).success;
    other.makeFolder("etc");
    other.copyFile(work.root, "etc/secret");
    expect(other.readText("etc/secret")).toBe("psk\n");
    expect(other.status("etc/secret")).toMatchObject({ mode: 0o640 });
    const expected = hasAttributes ? [["user.note", "1"]] : [];
    expect([...other.attributes("etc/secret")]).toEqual(expected as [string, string][]);
    other.setAttributes("etc/secret", new Map());
    expect([...other.attributes("etc/secret")]).toEqual([]);
    other.copyFile(work.root, "etc/secret", { mode: 0o600 }, false);
    expect(other.status("etc/secret")).toMatchObject({ mode: 0o600 });
    symlinkSync(work.at("outside/etc/passwd"), work.at("root/etc/link"));
    expect(() => other.copyFile(work.root, "etc/link")).toThrow();
    expect(names(work, "other/etc")).toEqual(["secret"]);
  });

  test("a new name takes the place of a file, and stays within the root", () => {
    using work = world();
    work.root.writeFile("etc/a", "a");
    work.root.writeFile("etc/b", "b");
    work.root.rename("etc/a", "etc/b");
    expect(work.root.readText("etc/b")).toBe("a");
    expect(names(work, "root/etc")).toEqual(["b", "passwd"]);
    symlinkSync(work.at("outside"), work.at("root/way-out"));
    expect(() => work.root.rename("etc/b", "way-out/b")).toThrow("no such file");
    expect(names(work, "outside")).toEqual(["etc"]);
  });
});
