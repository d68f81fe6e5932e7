import { expect } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { FaultCount } from "../../../ffi/fault-count.ts";
import { findTree } from "../../../src/rastos/snapshot/find-tree.ts";
import { SnapshotTree } from "../../../src/rastos/snapshot/tree.ts";
import { cannotMount } from "../../support/loop-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { mountTop, openTree, partsOf, subvolumesOf } from "../../support/snapshot-tree.ts";
import { createWorkspace } from "../../support/workspace.ts";

const DRIVER = resolve(import.meta.dir, "../../support/snapshot-driver.ts");
type Action = "clone" | "create" | "keep" | "remove" | "hand-over";

const testOnBtrfs = testUnless(cannotMount("btrfs"));

for (const action of ["clone", "create", "keep", "remove", "hand-over"] as const) {
  testOnBtrfs(
    `${action}: killed or failing at any call, the state is the old one or the new one`,
    async () => {
      using disk = mountTop();
      using work = createWorkspace();
      {
        using tree = openTree(disk.path);
        // The state lists it, so that every run looks at the same.
        tree.describe(0, "base");
      }
      const counted = join(work.path, "count.json");
      prepare(disk.path, action);
      await drive(disk.path, action, { TRIAD_FAULTS_COUNT: counted });
      const count = JSON.parse(readFileSync(counted, "utf8")) as FaultCount;
      const calls = count.threads[0]?.total ?? 0;
      expect(calls).toBeGreaterThan(12);
      const outcomes = new Set<string>();
      for (const { at, effect } of pointsOf(calls)) {
        const before = prepare(disk.path, action);
        const code = await drive(disk.path, action, { TRIAD_FAULTS: `*:${effect}@${at}` });
        // The number of calls differs by a few between runs.
        if (effect === "KILL" && at < calls - 5) expect(code, `KILL@${at}`).toBe(137);
        const isNew = check(disk.path, action, before, `${effect}@${at}`);
        // What was reported as done is done.
        if (code === 0) expect(isNew, `${effect}@${at}`).toBe(true);
        outcomes.add(`${effect} ${isNew ? "new" : "old"}`);
      }
      expect(outcomes).toContain("KILL old");
      expect(outcomes).toContain("KILL new");
    },
    180_000,
  );
}

testOnBtrfs(
  "killed at random moments, the state is the old one or the new one",
  async () => {
    using disk = mountTop();
    openTree(disk.path)[Symbol.dispose]();
    const actions = ["clone", "keep", "remove", "create", "hand-over"] as const;
    let killed = 0;
    for (let round = 0; round < 30; round++) {
      const action = actions[round % actions.length] ?? "clone";
      // What the round before has kept is another one's to look for.
      prepare(disk.path, "clone");
      const before = prepare(disk.path, action);
      const delayMs = 15 + Math.random() * 50;
      if ((await drive(disk.path, action, {}, delayMs)) === 137) killed++;
      check(disk.path, action, before, `${action} after ${delayMs} ms`);
    }
    expect(killed).toBeGreaterThan(0);
  },
  180_000,
);

testOnBtrfs(
  "what a clone has reported is on the disk, whatever is cut off after it",
  async () => {
    using work = createWorkspace();
    const image = join(work.path, "image");
    {
      using disk = mountTop();
      openTree(disk.path)[Symbol.dispose]();
      Bun.spawnSync(["btrfs", "filesystem", "sync", disk.path]);
      expect(await drive(disk.path, "clone", {})).toBe(0);
      // The device as it is at this moment; nothing has been unmounted or synced.
      copyFileSync(join(dirname(disk.path), "image"), image);
    }
    const place = join(work.path, "after");
    mkdirSync(place);
    expect(Bun.spawnSync(["mount", "-o", "loop", image, place]).exitCode).toBe(0);
    try {
      expect(check(place, "clone", [0], "after the cut")).toBe(true);
    } finally {
      Bun.spawnSync(["umount", place]);
    }
  },
  120_000,
);

/** Every call in turn takes too long where there are many: the first ones only open things. */
function pointsOf(calls: number): { at: number; effect: "KILL" | "EIO" }[] {
  if (calls < 30) {
    const all = Array.from({ length: calls }, (_, index) => index + 1);
    return all.flatMap((at) => (["KILL", "EIO"] as const).map((effect) => ({ at, effect })));
  }
  const from = Math.floor(calls / 8);
  return Array.from({ length: calls - from }, (_, index) => from + index + 1).flatMap(
    (at): { at: number; effect: "KILL" | "EIO" }[] => {
      if (at % 3 === 0) return [{ at, effect: "KILL" }];
      return at % 6 === 1 ? [{ at, effect: "EIO" }] : [];
    },
  );
}

/** Numbers of the snapshots that there are before the action. */
function prepare(top: string, action: string): number[] {
  using tree = openTree(top);
  const [, ...others] = tree.state.snapshots.map(({ id }) => id);
  if (action === "remove" && others.length === 0) tree.clone(0, "made");
  if (action !== "remove" && others.length > 0) tree.remove(others, { force: true });
  if (action === "hand-over") {
    using clone = tree.temporary(0);
    writeFileSync(join(clone.path, "etc/hostname"), "two\n");
    const { id } = clone.keep({ description: "owner" });
    // Three that have the owner's etc and var, one of them by way of another.
    tree.clone(tree.clone(id, "made").id, "made");
    tree.clone(id, "made");
  }
  return tree.state.snapshots.map(({ id }) => id);
}

/** Opens the tree, as the next run does; whether it is the new state. */
function check(top: string, action: Action, before: readonly number[], what: string): boolean {
  using tree = SnapshotTree.open(top, { command: "check" });
  const ids = tree.state.snapshots.map(({ id }) => id);
  expect(subvolumesOf(top), what).toEqual(partsOf(...ids));
  expect(tree.state.nextSnapshot, what).toBeGreaterThan(Math.max(...before, ...ids));
  const { snapshots } = tree.state;
  for (const { id, description } of snapshots) {
    expect(["base", "made", "owner"], what).toContain(description);
    expect(description === "base", what).toBe(id === 0);
    expect(hostnameOf(tree, id), what).toBe(hostname(action, id));
  }
  // The subvolumes alone say the same: the state repeats it.
  const alone = findTree(top, undefined).state.snapshots.map((each) => [each.id, each.description]);
  expect(alone, what).toEqual(snapshots.map((each) => [each.id, each.description]));
  if (ids.join() === before.join()) return false;
  expect(Math.abs(ids.length - before.length), what).toBe(1);
  return true;
}

function hostnameOf(tree: SnapshotTree, id: number): string {
  const path = join(tree.pathsOf(id).etc, "hostname");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** What a snapshot has in its etc/hostname. */
function hostname(action: Action, id: number): string {
  if (id === 0) return "one\n";
  return { clone: "one\n", remove: "one\n", create: "", keep: "two\n", "hand-over": "two\n" }[
    action
  ];
}

async function drive(
  top: string,
  action: string,
  env: Readonly<Record<string, string>>,
  killAfterMs?: number,
): Promise<number> {
  const child = Bun.spawn([process.execPath, DRIVER, top, action], {
    env: { ...process.env, ...env },
    stdout: "ignore",
    stderr: "ignore",
  });
  if (killAfterMs !== undefined) setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  await child.exited;
  return child.signalCode === "SIGKILL" ? 137 : (child.exitCode ?? -1);
}
