import { expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BuildRoot, removeWork } from "../../../src/rastos/aur/build-root.ts";
import { mountFilesystem } from "../../support/loop-filesystem.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

const needs = firstReason(needsRoot(), needsProgram("mount", "umount"));

function mountsOf(path: string): number {
  return readFileSync("/proc/self/mountinfo", "utf8").split(path).length - 1;
}

testUnless(needs)("what is installed into the layer never reaches the system below", () => {
  using work = createWorkspace();
  work.write("base/usr/there", "old");
  work.write("etc-4/conf", "apart");
  symlinkSync("usr/bin", work.at("base/bin"));
  {
    const apart = { etc: work.at("etc-4") };
    using root = BuildRoot.create(work.at("base"), work.at("work"), apart);
    expect(readFileSync(`${root.path}/etc/conf`, "utf8")).toBe("apart");
    for (const path of ["usr/there", "usr/new", "etc/conf", "var/lib/pacman/local"]) {
      writeFileSync(`${root.path}/${path}`, "new");
    }
    expect(readFileSync(`${root.path}/usr/there`, "utf8")).toBe("new");
    expect(existsSync(`${root.path}/bin`)).toBe(false);
  }
  expect(readFileSync(work.at("base/usr/there"), "utf8")).toBe("old");
  expect(readFileSync(work.at("etc-4/conf"), "utf8")).toBe("apart");
  expect(existsSync(work.at("base/usr/new")) || existsSync(work.at("work"))).toBe(false);
  expect(mountsOf(work.path)).toBe(0);
});

testUnless(needs)("what a run that was killed has left is swept", () => {
  using work = createWorkspace();
  work.write("base/usr/there", "old");
  BuildRoot.create(work.at("base"), work.at("work/one/system"));
  BuildRoot.create(work.at("base"), work.at("work/two with blanks/system"));
  expect(mountsOf(work.path)).toBeGreaterThan(1);
  // Those who have put their caches elsewhere come by a link; the kernel names no links.
  symlinkSync(work.path, work.at("link"));
  removeWork(work.at("link/work"));
  expect(mountsOf(work.path)).toBe(0);
  expect(existsSync(work.at("work"))).toBe(false);
  expect(readFileSync(work.at("base/usr/there"), "utf8")).toBe("old");
  expect(() => BuildRoot.create(work.at("base"), work.at("a,b"))).toThrow(/separates layers/);
});

testUnless(firstReason(needs, needsProgram("mkfs.btrfs", "btrfs")))(
  "a snapshot is built in: read-only, its etc and var apart",
  () => {
    using btrfs = mountFilesystem({ kind: "btrfs", sizeBytes: 256 * 1024 * 1024 });
    using work = createWorkspace();
    const at = (path: string): string => join(btrfs.path, path);
    const snapshot = ["snapshot-1", "etc-1", "var-1"];
    for (const name of snapshot) Bun.spawnSync(["btrfs", "subvolume", "create", at(name)]);
    mkdirSync(at("snapshot-1/usr"));
    mkdirSync(at("var-1/lib/pacman"), { recursive: true });
    const files = ["snapshot-1/usr/file", "etc-1/file", "var-1/lib/pacman/file"];
    for (const file of files) writeFileSync(at(file), "old");
    for (const name of snapshot) {
      Bun.spawnSync(["btrfs", "property", "set", "-ts", at(name), "ro", "true"]);
    }
    {
      const apart = { etc: at("etc-1"), "var/lib/pacman": at("var-1/lib/pacman") };
      using root = BuildRoot.create(at("snapshot-1"), work.at("work"), apart);
      for (const path of ["usr/file", "etc/file", "var/lib/pacman/file"]) {
        expect(readFileSync(join(root.path, path), "utf8")).toBe("old");
        writeFileSync(join(root.path, path), "new");
      }
    }
    for (const file of files) expect(readFileSync(at(file), "utf8")).toBe("old");
  },
);
