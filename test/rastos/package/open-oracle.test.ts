import { expect, setDefaultTimeout, test } from "bun:test";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { compareArms } from "../../support/package-comparison.ts";
import { SCENARIOS } from "../../support/package-scenarios.ts";
import { describeUnless, firstReason, needsProgram, needsRoot } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

// Three arms, each with many processes: slow where others work too.
setDefaultTimeout(60_000);

const missing = firstReason(needsRoot(), needsProgram("pacman"));

describeUnless(missing)("ours by libalpm, ours by the pacman command, and pacman itself", () => {
  for (const scenario of SCENARIOS) {
    test(`agree: ${scenario.name}`, async () => {
      using work = createWorkspace();
      await compareArms(scenario, work.path);
    });
  }
});

describeUnless(firstReason(missing, cannotMount("btrfs")))("in btrfs subvolumes", () => {
  test("they agree too", async () => {
    using disk = mountFilesystem({ kind: "btrfs", sizeBytes: 256 * 1024 * 1024 });
    for (const [index, scenario] of SCENARIOS.slice(0, 3).entries()) {
      const folder = `${disk.path}/${index}`;
      Bun.spawnSync(["mkdir", folder]);
      for (const name of ["libalpm", "pacman", "itself"]) {
        const made = Bun.spawnSync(["btrfs", "subvolume", "create", `${folder}/${name}`]);
        expect(made.success).toBe(true);
      }
      await compareArms(scenario, folder);
    }
  });
});
