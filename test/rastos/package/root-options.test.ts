import { expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { readRootOptions } from "../../../src/rastos/package/root-options.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("a root's own pacman.conf, with globs and links that stay inside", () => {
  using work = createWorkspace();
  const conf = "[options]\nIgnorePkg = x\n[core]\nInclude = /etc/pacman.d/*.list\n";
  work.write("root/etc/real.conf", conf);
  // Absolute, as the system itself would follow it.
  symlinkSync("/etc/real.conf", work.at("root/etc/pacman.conf"));
  work.write("root/etc/pacman.d/b.list", "Server = file:///two");
  work.write("root/etc/pacman.d/a.list", "Server = file:///one");
  work.write("root/etc/pacman.d/other", "Server = file:///no");
  const options = readRootOptions({ root: work.at("root") });
  expect(options.repositories).toEqual([{ name: "core", servers: ["file:///one", "file:///two"] }]);
  expect(options.ignored).toEqual(["x"]);
  expect(options.databaseFolder).toBeUndefined();
});

test("etc and var of a snapshot lie apart", () => {
  using work = createWorkspace();
  work.folder("snapshot-1");
  work.write("etc-1/pacman.conf", "[core]\nInclude = /etc/pacman.d/list\n");
  work.write("etc-1/pacman.d/list", "Server = file:///one");
  work.folder("var-1");
  const place = { root: work.at("snapshot-1"), etc: work.at("etc-1"), var: work.at("var-1") };
  expect(readRootOptions(place)).toMatchObject({
    repositories: [{ name: "core", servers: ["file:///one"] }],
    databaseFolder: work.at("var-1/lib/pacman"),
    gpgFolder: work.at("etc-1/pacman.d/gnupg"),
  });
});

test("without a pacman.conf there are no repositories; an include must be there", () => {
  using work = createWorkspace();
  work.folder("root");
  expect(readRootOptions({ root: work.at("root") }).repositories).toEqual([]);
  work.write("root/etc/pacman.conf", "[core]\nInclude = /etc/gone\n");
  expect(() => readRootOptions({ root: work.at("root") })).toThrow('includes "/etc/gone"');
});
