import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { BootMenu } from "../../../src/rastos/boot/menu.ts";
import { openBootFiles } from "../../../src/rastos/boot/target.ts";
import type { BootTarget } from "../../../src/rastos/boot/types.ts";
import { deploySnapshot } from "../../../src/rastos/deploy/deploy.ts";
import { readStatus, type SystemStatus } from "../../../src/rastos/deploy/status.ts";
import { SnapshotTree } from "../../../src/rastos/snapshot/tree.ts";
import { makeDeployWorld } from "../../support/deploy-world.ts";
import { cannotMount } from "../../support/loop-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

testUnless(cannotMount("btrfs"))(
  "what was changed after a deployment was made of the running one is told",
  async () => {
    using work = createWorkspace();
    using world = makeDeployWorld(work.path);
    const target: BootTarget = { kind: "folder", path: world.esp };
    const etc = join(world.top, ".snapshots/deploy/deploy-0-1/etc");
    const deploy = async (): Promise<void> => {
      using tree = SnapshotTree.open(world.top, { command: "test" });
      await deploySnapshot(tree, { snapshot: 0, target, booted: 1 });
    };
    const status = (): SystemStatus => {
      using tree = SnapshotTree.open(world.top, { command: "test" });
      const menu = new BootMenu(openBootFiles(target));
      const booted = { snapshot: 0, deployment: 1 };
      return readStatus({ top: world.top, state: tree.state, menu, booted });
    };
    await deploy();
    writeFileSync(join(etc, "early"), "x");
    expect(status().etcSince).toEqual([]);
    await Bun.sleep(20);
    await deploy();
    expect(status()).toMatchObject({ etcSince: [], etc: [{ path: "early" }] });
    await Bun.sleep(20);
    writeFileSync(join(etc, "hostname"), "late\n");
    expect(status()).toMatchObject({ next: "rastos-0-2", etcSince: ["hostname"] });
    await Bun.sleep(20);
    await deploy();
    expect(status()).toMatchObject({ next: "rastos-0-3", etcSince: [] });
  },
);
