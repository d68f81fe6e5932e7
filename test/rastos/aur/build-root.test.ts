import { expect } from "bun:test";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { BuildRoot, removeWork } from "../../../src/rastos/aur/build-root.ts";
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
  removeWork(work.at("work"));
  expect(mountsOf(work.path)).toBe(0);
  expect(existsSync(work.at("work"))).toBe(false);
  expect(readFileSync(work.at("base/usr/there"), "utf8")).toBe("old");
  expect(() => BuildRoot.create(work.at("base"), work.at("a,b"))).toThrow(/separates layers/);
});
