import { expect, test } from "bun:test";
import { readContent } from "../../../src/rastos/image/btrfs/data.ts";
import { forFirstBoot } from "../../../src/rastos/image/first-boot.ts";
import { readFolderTree } from "../../../src/rastos/image/folder-tree.ts";
import { folderAt } from "../../../src/rastos/image/system-tree.ts";
import { writeSmallSystem } from "../../support/small-system.ts";
import { createWorkspace } from "../../support/workspace.ts";

const TIME = 1_700_000_000n * 1_000_000_000n;

test("what belongs to the machine that builds does not come along", () => {
  using work = createWorkspace();
  const root = writeSmallSystem(work);
  work.write("root/var/lib/systemd/random-seed", "seed");
  work.write("root/etc/pacman.d/gnupg/secret", "key");
  work.write("root/var/cache/pacman/pkg/a.pkg.tar.zst", "package");
  work.write("root/var/lib/pacman/local/a-1-1/desc", "%INSTALLDATE%\n1790000000\n\n%NAME%\na\n");
  const { tree, notes } = forFirstBoot(readFolderTree(root), TIME);
  const names = (path: string): string[] =>
    [...(folderAt(tree, path)?.entries.keys() ?? [])].sort();
  expect(names("run")).toEqual([]);
  expect(names("etc/ssh")).toEqual(["sshd_config"]);
  expect(names("etc/pacman.d")).toEqual([]);
  expect(names("var/lib/systemd")).toEqual([]);
  expect(names("var/cache/pacman/pkg")).toEqual([]);
  expect(textAt("etc", "machine-id")).toBe("");
  expect(textAt("var/lib/pacman/local/a-1-1", "desc")).toContain("%INSTALLDATE%\n1700000000\n");
  expect(notes).toEqual([
    "pacman's keys are not in the image: run pacman-key --init on the new machine",
  ]);

  function textAt(folder: string, name: string): string {
    const node = folderAt(tree, folder)?.entries.get(name);
    if (node?.kind !== "file") throw new Error(`${folder}/${name} is no file`);
    return Buffer.from(readContent(node.content)).toString();
  }
});
