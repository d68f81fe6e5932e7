import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, truncateSync } from "node:fs";
import type { BootFiles } from "../../../src/rastos/boot/boot-files.ts";
import { FolderFiles } from "../../../src/rastos/boot/folder-files.ts";
import { bootTargetOf, fatVolumeId, openBootFiles } from "../../../src/rastos/boot/target.ts";
import { makeDiskImage, makeFatImage } from "../../support/boot-image.ts";
import { describeUnless, needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const needsTools = needsProgram("mkfs.vfat", "mcopy");

/** The same behaviour, whatever holds the files. */
function behaves(make: (work: Workspace) => BootFiles): void {
  test("writes, lists, reads, replaces and removes", () => {
    using work = createWorkspace();
    const files = make(work);
    expect(files.list("loader/entries")).toEqual([]);
    expect(files.read("loader/loader.conf")).toBeUndefined();
    files.write("loader/entries/rastos-1-1+3.conf", "one");
    files.write("loader/entries/rastos-1-1+3.conf", "two");
    files.write("loader/loader.conf", "x");
    files.write("grub/grub.cfg", "1");
    files.write("grub/grub.cfg", "2");
    expect(files.list("grub")).toEqual([{ name: "grub.cfg", isFolder: false }]);
    expect(files.list("loader")).toEqual([
      { name: "entries", isFolder: true },
      { name: "loader.conf", isFolder: false },
    ]);
    const read = files.read("loader/entries/rastos-1-1+3.conf");
    expect(Buffer.from(read ?? []).toString()).toBe("two");
    files.rename("loader/entries", "rastos-1-1+3.conf", "rastos-1-1.conf");
    expect(files.list("loader/entries").map(({ name }) => name)).toEqual(["rastos-1-1.conf"]);
    files.write("EFI/rastos/1-1/vmlinuz", new Uint8Array(300_000));
    expect(files.read("EFI/rastos/1-1/vmlinuz")?.length).toBe(300_000);
    files.remove("loader/entries/rastos-1-1.conf");
    files.remove("loader/entries/rastos-1-1.conf");
    files.removeFolder("EFI/rastos/1-1");
    files.removeFolder("EFI/rastos/1-1");
    expect(files.list("loader/entries")).toEqual([]);
    expect(files.list("EFI/rastos")).toEqual([]);
    files.sync();
  });

  test("does several things in steps", () => {
    using work = createWorkspace();
    const files = make(work);
    files.write("a/old", "1");
    files.write("a/gone", "2");
    files.change([
      [
        { kind: "write", path: "b/c/new", content: "3" },
        { kind: "write", path: "a/gone", content: "4" },
      ],
      [
        { kind: "rename", path: "a/old", to: "a/renamed" },
        { kind: "remove", path: "a/gone" },
        { kind: "remove", path: "a/never" },
      ],
    ]);
    expect(files.list("a")).toEqual([{ name: "renamed", isFolder: false }]);
    expect(Buffer.from(files.read("a/renamed") ?? []).toString()).toBe("1");
    expect(Buffer.from(files.read("b/c/new") ?? []).toString()).toBe("3");
    const missing = { kind: "rename", path: "a/none", to: "a/other" } as const;
    const written = { kind: "write", path: "a/renamed", content: "5" } as const;
    expect(() => files.change([[missing], [written]])).toThrow("Cannot rename");
    expect(files.list("a")).toEqual([{ name: "renamed", isFolder: false }]);
  });

  test("a rename takes the place of what has the name", () => {
    using work = createWorkspace();
    const files = make(work);
    files.write("a/one", "1");
    files.write("a/two", "2");
    files.rename("a", "one", "two");
    expect(files.list("a")).toEqual([{ name: "two", isFolder: false }]);
    expect(Buffer.from(files.read("a/two") ?? []).toString()).toBe("1");
  });
}

describe("a folder", () => {
  behaves((work) => openBootFiles(bootTargetOf(work.folder("esp"))));
});

describe("a folder that is taken for a FAT of its own", () => {
  behaves((work) => new FolderFiles(work.folder("esp"), { isOwn: true, isFat: true }));
});

describeUnless(needsTools)("an image", () => {
  behaves((work) => openBootFiles(bootTargetOf(makeFatImage(work.at("esp.img"), 40))));

  test("knows what is free, and says when it is full", () => {
    using work = createWorkspace();
    const files = openBootFiles(bootTargetOf(makeFatImage(work.at("esp.img"), 40)));
    const before = files.freeBytes();
    files.write("big", new Uint8Array(1_000_000));
    expect(before - files.freeBytes()).toBeGreaterThanOrEqual(1_000_000);
    expect(before - files.freeBytes()).toBeLessThan(1_100_000);
    expect(() => files.write("huge", new Uint8Array(60_000_000))).toThrow(
      expect.objectContaining({ code: "E_NO_SPACE" }),
    );
    expect(files.list("").map(({ name }) => name)).toEqual(["big"]);
  });

  test("has a serial number", () => {
    using work = createWorkspace();
    expect(fatVolumeId(makeFatImage(work.at("esp.img"), 40), 0)).toBe("1234-ABCD");
    expect(fatVolumeId(makeFatImage(work.at("small.img"), 16), 0)).toBe("1234-ABCD");
  });
});

describe("what --esp names", () => {
  testUnless(needsProgram("sfdisk", "mkfs.vfat", "mcopy"))(
    "the EFI system partition of a disk image",
    () => {
      using work = createWorkspace();
      const target = bootTargetOf(makeDiskImage(work.at("disk.img"), 48));
      expect(target).toEqual({ kind: "image", path: work.at("disk.img"), offset: 2048 * 512 });
      const files = openBootFiles(target);
      files.write("loader/loader.conf", "default rastos-*\n");
      expect(files.list("loader")).toHaveLength(1);
    },
  );

  test("nothing, and something else", () => {
    using work = createWorkspace();
    expect(() => bootTargetOf(work.at("none"))).toThrow("Cannot find the boot partition");
    expect(() => bootTargetOf(work.write("text", "hello"))).toThrow("neither a FAT");
    truncateSync(work.write("zeros"), 1_000_000);
    expect(() => bootTargetOf(work.at("zeros"))).toThrow("neither a FAT");
    mkdirSync(work.at("folder"));
    expect(bootTargetOf(work.at("folder"))).toEqual({ kind: "folder", path: work.at("folder") });
    expect(existsSync(work.at("none"))).toBe(false);
  });
});
