import { expect } from "bun:test";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { packKernel } from "../../../src/rastos/kernel/package.ts";
import { openPackageManager } from "../../../src/rastos/package/open.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

function packIn(work: Workspace): string {
  const modules = "install/usr/lib/modules/6.9.3-test";
  work.write(`${modules}/vmlinuz`, "image");
  work.write(`${modules}/kernel/b.ko`, "b".repeat(5000));
  work.write(`${modules}/kernel/a b.ko`, "a");
  symlinkSync("kernel/b.ko", work.at(modules, "link"));
  return packKernel({
    installFolder: work.at("install"),
    folder: work.path,
    name: "linux-rastos-test",
    release: "6.9.3-test",
    dateSeconds: 1_700_000_000,
  });
}

testUnless(firstReason(needsRoot(), needsProgram("bsdtar", "pacman")))(
  "pacman installs it and knows its files; the same kernel gives the same bytes",
  async () => {
    using work = createWorkspace();
    const file = packIn(work);
    expect(file).toEndWith("/linux-rastos-test-6.9.3_test-1-x86_64.pkg.tar.zst");
    const root = work.folder("root");
    const kmod = { name: "kmod", version: "1-1", files: {} };
    const { makeRepository } = await import("../../support/pacman-repository.ts");
    const repository = makeRepository(work.folder("repository"), [kmod]);
    using manager = openPackageManager({
      root,
      repositories: [{ ...repository, signatureLevel: "Never" }],
    });
    await manager.sync();
    await manager.run({ files: [file] });
    const installed = await manager.installed();
    expect(installed.find(({ name }) => name === "linux-rastos-test")).toMatchObject({
      version: "6.9.3_test-1",
      installedBytes: 5006,
      dependencies: ["kmod"],
    });
    const modules = `${root}/usr/lib/modules/6.9.3-test`;
    expect(readFileSync(`${modules}/kernel/a b.ko`, "utf8")).toBe("a");
    const pacman = ["pacman", "--root", root, "--dbpath", `${root}/var/lib/pacman`, "-Qkk"];
    const checked = Bun.spawnSync([...pacman, "linux-rastos-test"], { stderr: "pipe" });
    expect(checked.stdout.toString()).toContain("0 altered files");
    await manager.run({ remove: ["linux-rastos-test"] });
    expect(existsSync(modules)).toBe(false);
    const first = readFileSync(file);
    using other = createWorkspace();
    expect(readFileSync(packIn(other)).equals(first)).toBe(true);
  },
  120_000,
);
