import { expect, test } from "bun:test";
import fc from "fast-check";
import { unneededDeployments } from "../../../src/rastos/deploy/retention.ts";
import type { Deployment, DeploymentState } from "../../../src/rastos/snapshot/types.ts";

const states: readonly DeploymentState[] = ["new", "trying", "good", "bad"];

const made = (id: number, state: DeploymentState, snapshot = 0): Deployment => ({
  id,
  snapshot,
  subvolume: `.snapshots/deploy/deploy-${snapshot}-${id}`,
  entry: `rastos-${snapshot}-${id}`,
  state,
  createdMs: id,
  kernelVersion: undefined,
});

test("bad ones go first, the newest of them stays to be asked about", () => {
  const deployments = [made(1, "good"), made(2, "bad"), made(3, "bad"), made(4, "good")];
  const facts = { deployments, booted: 4, next: 4, pinnedSnapshots: new Set<number>(), keep: 1 };
  expect(unneededDeployments(facts).map(({ id }) => id)).toEqual([2]);
});

test("good ones go beyond those that are kept, the oldest first", () => {
  const deployments = [1, 2, 3, 4, 5].map((id) => made(id, "good", id));
  const facts = { deployments, booted: 2, next: 5, pinnedSnapshots: new Set([1]), keep: 1 };
  expect(unneededDeployments(facts).map(({ id }) => id)).toEqual([3]);
});

test("those that were never started go beyond those that are kept, before good ones", () => {
  const list = [1, 2, 3, 4, 5].map((id) => made(id, id === 1 ? "good" : "new"));
  const facts = { deployments: list, booted: 1, next: 5, pinnedSnapshots: new Set<number>() };
  expect(unneededDeployments({ ...facts, keep: 1 }).map(({ id }) => id)).toEqual([2, 3]);
  expect(unneededDeployments({ ...facts, keep: 3 })).toEqual([]);
  expect(unneededDeployments({ ...facts, next: undefined, keep: 1 })).toEqual([]);
  const neverGood = list.slice(1);
  expect(unneededDeployments({ ...facts, deployments: neverGood, keep: 1 })).toEqual([]);
});

test("never the running one, the next one, a pinned one, nor the last to fall back to", () => {
  const one = fc.record({ state: fc.constantFrom(...states), snapshot: fc.nat(3) });
  fc.assert(
    fc.property(
      fc.array(one, { minLength: 1, maxLength: 12 }),
      fc.nat(11),
      fc.nat(11),
      fc.nat(5),
      fc.uniqueArray(fc.nat(3)),
      (list, booted, next, keep, pinned) => {
        const deployments = list.map(({ state, snapshot }, id) => made(id, state, snapshot));
        const pinnedSnapshots = new Set(pinned);
        const facts = { deployments, booted, next, pinnedSnapshots, keep };
        const gone = new Set(unneededDeployments(facts).map(({ id }) => id));
        expect(gone.has(booted)).toBe(false);
        expect(gone.has(next)).toBe(false);
        const good = deployments.filter(({ id, state }) => state === "good" && id !== next);
        if (good.length > 0) expect(good.some(({ id }) => !gone.has(id))).toBe(true);
        for (const { id, state, snapshot } of deployments) {
          const isAhead = state === "new" && id > next;
          if (isAhead || state === "trying" || pinnedSnapshots.has(snapshot)) {
            expect(gone.has(id)).toBe(false);
          }
        }
      },
    ),
  );
});
