import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { RootFolder } from "../../../src/kit/fs/root-folder.ts";
import { markReason, withReason } from "../../../src/rastos/system/install-reason.ts";
import { makeRepository } from "../../support/pacman-repository.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("what is there already is not said twice", () => {
  const desc = "%NAME%\na\n\n%VALIDATION%\nnone\n\n";
  const marked = withReason(desc, "dependency");
  expect(marked).toBe("%NAME%\na\n\n%REASON%\n1\n\n%VALIDATION%\nnone\n\n");
  expect(withReason(marked, "dependency")).toBe(marked);
  expect(withReason(marked, "explicit")).toBe(desc);
  expect(withReason("%NAME%\na\n\n", "dependency")).toBe("%NAME%\na\n\n%REASON%\n1\n\n");
});

testUnless(firstReason(needsRoot(), needsProgram("pacman")))(
  "pacman reads and writes the same",
  () => {
    using work = createWorkspace();
    const { folder } = makeRepository(work.at("repository"), [{ name: "a", version: "1-1" }]);
    work.write("pacman.conf", `[options]\nSigLevel = Never\n[test]\nServer = file://${folder}\n`);
    work.folder("root/var/lib/pacman");
    const pacman = (...words: string[]): string => {
      const place = ["--root", work.at("root"), "--config", work.at("pacman.conf")];
      const cache = ["--cachedir", work.at("cache"), "--logfile", work.at("log"), "--noconfirm"];
      return Bun.spawnSync(["pacman", ...words, ...place, ...cache]).stdout.toString();
    };
    work.folder("cache");
    pacman("-Sy", "a");
    const desc = (): string =>
      readFileSync(work.at("root/var/lib/pacman/local/a-1-1/desc"), "utf8");
    const original = desc();
    using root = RootFolder.open(work.at("root"));
    const a = [{ name: "a", version: "1-1" }];
    markReason(root, a, "dependency");
    const ours = desc();
    expect(pacman("-Qqd")).toBe("a\n");
    pacman("-D", "--asexplicit", "a");
    expect(desc()).toBe(original);
    pacman("-D", "--asdeps", "a");
    expect(desc()).toBe(ours);
    markReason(root, a, "explicit");
    expect(desc()).toBe(original);
  },
);
