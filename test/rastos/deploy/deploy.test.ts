import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Printer } from "../../../src/kit/out/printer.ts";
import { BootMenu } from "../../../src/rastos/boot/menu.ts";
import { openBootFiles } from "../../../src/rastos/boot/target.ts";
import type { BootTarget } from "../../../src/rastos/boot/types.ts";
import { run as removeRun } from "../../../src/rastos/cli/boot/remove-run.ts";
import { giveVerdict } from "../../../src/rastos/deploy/bless.ts";
import {
  type DeployOptions,
  deploySnapshot,
  type MadeDeployment,
  planDeployment,
  removeDeployments,
} from "../../../src/rastos/deploy/deploy.ts";
import { writeIntent } from "../../../src/rastos/deploy/intent.ts";
import type { DeployPlace } from "../../../src/rastos/deploy/recover.ts";
import { recoverDeployments } from "../../../src/rastos/deploy/recover.ts";
import { planRollback, rollBack } from "../../../src/rastos/deploy/rollback.ts";
import { SnapshotTree } from "../../../src/rastos/snapshot/tree.ts";
import type { Deployment } from "../../../src/rastos/snapshot/types.ts";
import { problemsOf } from "../../lab/system-check.ts";
import { type DeployWorld, deployedNames, makeDeployWorld } from "../../support/deploy-world.ts";
import { cannotMount } from "../../support/loop-filesystem.ts";
import { describeUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

let work: Workspace;
let world: DeployWorld;

/** Opens the tree, does something, and closes it again, as a command does. */
async function within<T>(call: (place: DeployPlace) => T | Promise<T>): Promise<T> {
  using tree = SnapshotTree.open(world.top, { command: "test" });
  return await call({ tree, menu: new BootMenu(openBootFiles(target())) });
}

const target = (): BootTarget => ({ kind: "folder", path: world.esp });
const deploy = (options: Partial<DeployOptions> = {}): Promise<MadeDeployment> =>
  within(({ tree }) => deploySnapshot(tree, { snapshot: 0, target: target(), ...options }));
const entryFiles = (): string[] => readdirSync(join(world.esp, "loader/entries")).sort();
const problems = (): readonly string[] => problemsOf({ top: world.top, esp: world.esp });

describeUnless(cannotMount("btrfs"))("deploying", () => {
  beforeAll(() => {
    work = createWorkspace();
    world = makeDeployWorld(work.path);
  });
  afterAll(() => {
    world[Symbol.dispose]();
    work[Symbol.dispose]();
  });

  test("a plan changes nothing", async () => {
    const plan = await within(({ tree }) =>
      planDeployment(tree, { snapshot: 0, target: target() }),
    );
    expect(plan).toMatchObject({ entry: "rastos-0-1", kernelVersion: "6.1.0-1", removes: [] });
    expect(plan.bootBytes).toBeGreaterThan(40_000);
    expect(readdirSync(world.esp)).toEqual([]);
    expect(deployedNames(world.top)).toEqual([]);
  });

  test("makes a clone, its kernel, and its entry", async () => {
    const made = await deploy({ clock: () => 1234 });
    expect(made).toEqual({
      id: 1,
      snapshot: 0,
      subvolume: ".snapshots/deploy/deploy-0-1",
      entry: "rastos-0-1",
      state: "new",
      reason: undefined,
      createdMs: 1234,
      kernelVersion: "6.1.0-1",
      before: undefined,
      etc: [],
      leftBehind: [],
    });
    expect(entryFiles()).toEqual(["rastos-0-1+3.conf"]);
    expect(readFileSync(join(world.esp, "loader/loader.conf"), "utf8")).toBe(
      "default rastos-*\ntimeout 3\n",
    );
    expect(problems()).toEqual([]);
  });

  test("names the root by UUID and subvolume, and keeps the system's own words", async () => {
    const { menu } = await within((place) => place);
    const uuid = uuidOf(world.top);
    expect(menu.entry("rastos-0-1").options).toBe(
      `root=UUID=${uuid} rootflags=subvol=.snapshots/deploy/deploy-0-1 rw panic=10 console=ttyS0`,
    );
    const fstab = readFileSync(join(world.top, ".snapshots/deploy/deploy-0-1/etc/fstab"), "utf8");
    expect(fstab).toContain(
      `UUID=${uuid} / btrfs rw,noatime,subvol=.snapshots/deploy/deploy-0-1 0 0\n`,
    );
    expect(fstab).toContain("/dev/sdb none swap");
    expect(fstab).not.toContain("ext4");
  });

  test("a second one boots next, and rollback takes it back by a rename", async () => {
    await within(({ menu }) => menu.bless("rastos-0-1"));
    await deploy();
    expect(entryFiles()).toEqual(["rastos-0-1.conf", "rastos-0-2+3.conf"]);
    await within(({ tree }) => expect(tree.state.defaultDeployment).toBe(2));
    const plan = await within((place) => rollBack(place, { reason: "it is slow" }));
    expect(plan).toEqual({ to: "rastos-0-1", from: "rastos-0-2" });
    expect(entryFiles()).toEqual(["rastos-0-1.conf", "rastos-0-2+0-1.conf"]);
    await within(({ tree }) => {
      expect(tree.state.defaultDeployment).toBe(1);
      expect(tree.state.deployments.map(({ state, reason }) => [state, reason])).toEqual([
        ["good", undefined],
        ["bad", "it is slow"],
      ]);
    });
  });

  test("rollback to what boots next, to nothing, and to a bad one", async () => {
    await within((place) => {
      expect(() => planRollback(place, { to: 1 })).toThrow("boots next already");
      expect(() => planRollback(place, { to: 77 })).toThrow("no boot entry");
      expect(() => planRollback(place, {})).toThrow("no other deployment");
      rollBack(place, { to: 2 });
    });
    expect(entryFiles()).toEqual(["rastos-0-1+0-1.conf", "rastos-0-2+3.conf"]);
    await within((place) => rollBack(place, { to: 1 }));
    await within(({ menu }) => menu.bless("rastos-0-1"));
    expect(problems()).toEqual([]);
  });

  test("removes what nobody needs, and never what boots next or is the last good one", async () => {
    for (let round = 0; round < 3; round++) {
      const made = await deploy({ keep: 1 });
      await within(({ menu }) => menu.bless(made.entry));
    }
    await deploy({ keep: 1 });
    expect(deployedNames(world.top)).toEqual(["deploy-0-2", "deploy-0-5", "deploy-0-6"]);
    expect(problems()).toEqual([]);
  });

  test("a boot partition without room is said before anything is done", async () => {
    const tiny = createWorkspace();
    using small = tiny;
    const { makeFatImage } = await import("../../support/boot-image.ts");
    const image = makeFatImage(small.at("esp.img"), 16);
    writeFileSync(small.at("fill"), new Uint8Array(15_000_000));
    Bun.spawnSync(["mcopy", "-i", image, small.at("fill"), "::fill"]);
    const full: BootTarget = { kind: "image", path: image, offset: 0 };
    const before = deployedNames(world.top);
    await expect(deploy({ target: full })).rejects.toMatchObject({ code: "E_NO_SPACE" });
    expect(deployedNames(world.top)).toEqual(before);
  });

  test("what fails half-way is undone at once", async () => {
    const before = deployedNames(world.top);
    const broken = work.folder("broken-esp");
    work.write("broken-esp/loader", "a file where a folder is wanted");
    const failing = deploy({ target: { kind: "folder", path: broken } });
    await expect(failing).rejects.toMatchObject({ code: "E_IO" });
    expect(deployedNames(world.top)).toEqual(before);
    expect(readdirSync(join(broken, "EFI/rastos"))).toEqual([]);
    expect(existsSync(join(world.top, ".snapshots/state/deploy.json"))).toBe(false);
    expect(problems()).toEqual([]);
  });

  test("no kernel, no snapshot", async () => {
    await expect(deploy({ kernel: "linux-lts" })).rejects.toMatchObject({
      hint: "there are: 6.1.0-1",
    });
    await expect(deploy({ snapshot: 99 })).rejects.toMatchObject({ code: "E_NOT_FOUND" });
  });

  test("deployments that the state has lost are found again by their entries", async () => {
    await within(({ tree, menu }) => {
      const before = tree.state.deployments;
      tree.update((state) => ({ ...state, deployments: [], nextDeployment: 0 }));
      recoverDeployments({ tree, menu });
      const facts = (list: readonly Deployment[]) =>
        list.map(({ id, subvolume, state }) => ({ id, subvolume, state }));
      expect(facts(tree.state.deployments)).toEqual(facts(before));
      expect(tree.state.nextDeployment).toBeGreaterThan(6);
    });
  });

  test("what was begun without an entry is undone, with one it is finished", async () => {
    const before = deployedNames(world.top);
    await within(({ tree, menu }) => {
      tree.update((state) => ({ ...state, nextDeployment: 21 }));
      writeIntent(tree.root, { kind: "deploy", snapshot: 0, deployment: 20 });
      menu.files.write("EFI/rastos/0-20/vmlinuz", "half");
      const notes = recoverDeployments({ tree, menu });
      expect(notes).toContain("Undid the deployment rastos-0-20, which was interrupted");
      expect(recoverDeployments({ tree, menu })).toEqual([]);
    });
    expect(existsSync(join(world.esp, "EFI/rastos/0-20"))).toBe(false);
    expect(deployedNames(world.top)).toEqual(before);
    const made = await deploy();
    expect(made.id).toBe(21);
    await within(({ tree, menu }) => {
      writeIntent(tree.root, { kind: "deploy", snapshot: 0, deployment: 21 });
      expect(recoverDeployments({ tree, menu })).toHaveLength(1);
      writeIntent(tree.root, { kind: "remove", deployments: [21] });
      recoverDeployments({ tree, menu });
      expect(menu.next()?.name).toBe("rastos-0-6");
    });
    expect(problems()).toEqual([]);
  });

  test("a removal that was interrupted is finished wherever that was", async () => {
    const { id, entry, subvolume } = await deploy();
    await within(({ menu }) => menu.condemn(entry));
    await within(({ tree, menu }) => {
      writeIntent(tree.root, { kind: "remove", deployments: [id] });
      menu.remove(entry);
      const deployments = tree.state.deployments.filter((one) => one.id !== id);
      tree.update((state) => ({ ...state, deployments }));
    });
    // The power went: no entry and no record leads to its files any more.
    await within((place) => recoverDeployments(place));
    expect(existsSync(join(world.top, subvolume))).toBe(false);
    expect(problems()).toEqual([]);
  });

  test("a verdict waits for who changes deployments, and needs no tree", async () => {
    const { id, entry } = await deploy();
    const identity = { snapshot: 0, deployment: id };
    const menu = new BootMenu(openBootFiles(target()));
    const standing = () => menu.entry(entry).triesLeft;
    {
      using other = SnapshotTree.open(world.top, { command: "test" });
      const given = giveVerdict(world.top, { menu, identity, reason: "ugly" }, "test");
      expect(standing()).toBe(3);
      other[Symbol.dispose]();
      await given;
    }
    expect(standing()).toBe(0);
    await within(({ tree }) => {
      expect(tree.state.deployments.at(-1)).toMatchObject({ id, state: "bad", reason: "ugly" });
    });
    const without = giveVerdict(work.path, { menu, identity, reason: undefined }, "test");
    await expect(without).rejects.toMatchObject({ code: "E_NOT_FOUND" });
    expect(standing()).toBeUndefined();
    await within((place) => removeDeployments(place, [{ id }]));
  });

  test("what became the next one while the question stood there is not removed", async () => {
    const { id, entry } = await deploy();
    const { to } = await within((place) => rollBack(place, {}));
    const args = {
      root: world.top,
      esp: world.esp,
      deployment: [String(id)],
      "dry-run": false,
      get yes() {
        using tree = SnapshotTree.open(world.top, { command: "test" });
        rollBack({ tree, menu: new BootMenu(openBootFiles(target())) }, { to: id });
        return true;
      },
    };
    const context = { args, printer: {} as Printer, commandPath: "rastos boot remove" };
    await expect(removeRun(context)).rejects.toThrow(`Cannot remove ${entry}: it boots next`);
    expect(deployedNames(world.top)).toContain(`deploy-0-${id}`);
    await within((place) => {
      rollBack(place, { to: Number(to.split("-")[2]) });
      place.menu.bless(to);
      removeDeployments(place, [{ id }]);
    });
    expect(problems()).toEqual([]);
  });
});

function uuidOf(path: string): string {
  const found = Bun.spawnSync(["findmnt", "-no", "UUID", path]).stdout.toString().trim();
  if (found !== "") return found;
  const shown = Bun.spawnSync(["btrfs", "filesystem", "show", path]).stdout.toString();
  return /uuid: (\S+)/.exec(shown)?.[1] ?? "";
}
