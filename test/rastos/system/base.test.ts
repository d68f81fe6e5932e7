import { expect, test } from "bun:test";
import type { Snapshot, SystemState } from "../../../src/rastos/snapshot/types.ts";
import { baseSnapshot } from "../../../src/rastos/system/base.ts";

function snapshot(id: number, parent?: number, system?: string): Snapshot {
  const rest = { branch: undefined, description: "", createdMs: 0, isPinned: false, uuid: "" };
  return { id, parent, system, ...rest };
}

function state(snapshots: readonly Snapshot[], deployed: readonly number[] = []): SystemState {
  const deployments = deployed.map((of, index) => ({
    id: index + 1,
    snapshot: of,
    subvolume: "",
    entry: "",
    state: "good" as const,
    createdMs: 0,
    kernelVersion: undefined,
  }));
  return {
    format: 1,
    defaultDeployment: deployments.at(-1)?.id,
    snapshots,
    deployments,
    nextSnapshot: 99,
    nextDeployment: 99,
  };
}

test("what boots next, or the newest where nothing is deployed", () => {
  const snapshots = [snapshot(0), snapshot(1, 0), snapshot(2, 1)];
  expect(baseSnapshot(state(snapshots, [1]), "x").id).toBe(1);
  expect(baseSnapshot(state(snapshots), "x").id).toBe(2);
  expect(() => baseSnapshot(state([]), "x")).toThrow("Cannot find a snapshot");
});

test("one that was made of it from the same text and never deployed is gone on with", () => {
  const snapshots = [snapshot(0), snapshot(1, 0, "a"), snapshot(2, 0, "b"), snapshot(3, 1, "a")];
  expect(baseSnapshot(state(snapshots, [0]), "a").id).toBe(1);
  expect(baseSnapshot(state(snapshots, [0]), "b").id).toBe(2);
  expect(baseSnapshot(state(snapshots, [0]), "c").id).toBe(0);
  // It was deployed, and is not what boots next: somebody has rolled it back.
  expect(baseSnapshot(state(snapshots, [1, 0]), "a").id).toBe(0);
});
