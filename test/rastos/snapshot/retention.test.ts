import { expect, test } from "bun:test";
import fc from "fast-check";
import { planRetention } from "../../../src/rastos/snapshot/retention.ts";
import { EMPTY_STATE } from "../../../src/rastos/snapshot/state.ts";
import type { Snapshot, SystemState } from "../../../src/rastos/snapshot/types.ts";

const DAY_MS = 86_400_000;
/** A Wednesday, at noon in local time. */
const NOW = new Date(2026, 6, 15, 12).getTime();

function stateOf(agesInDays: readonly number[], more: Partial<Snapshot> = {}): SystemState {
  const oldestFirst = [...agesInDays].sort((a, b) => b - a);
  const snapshots = oldestFirst.map((age, id) => ({
    id,
    parent: id === 0 ? undefined : id - 1,
    branch: undefined,
    description: "",
    createdMs: NOW - age * DAY_MS,
    isPinned: false,
    uuid: "",
    ...(id === 0 ? {} : more),
  }));
  return { ...EMPTY_STATE, snapshots, nextSnapshot: snapshots.length };
}

test("the newest ones stay, and the base", () => {
  expect(planRetention(stateOf([9, 4, 3, 2, 1]), { last: 2 })).toEqual([1, 2]);
  expect(planRetention(stateOf([9, 4, 3]), { last: 9 })).toEqual([]);
  expect(planRetention(stateOf([9, 4, 3]), { last: 0 })).toEqual([1, 2]);
});

test("of a day, a week, a month or a year the newest stays, and empty ones do not count", () => {
  // Ids:        0    1    2    3   4   5    6    7     8
  const ages = [900, 400, 200, 40, 10, 2, 1.01, 1, 0.01];
  const state = stateOf(ages);
  expect(planRetention(state, { daily: 3 })).toEqual([1, 2, 3, 4, 6]);
  expect(planRetention(state, { weekly: 2 })).toEqual([1, 2, 3, 5, 6, 7]);
  expect(planRetention(state, { monthly: 3 })).toEqual([1, 4, 5, 6, 7]);
  expect(planRetention(state, { yearly: 2 })).toEqual([1, 3, 4, 5, 6, 7]);
});

test("pins, branches and what is deployed stay", () => {
  expect(planRetention(stateOf([9, 4, 3], { isPinned: true }), { last: 0 })).toEqual([]);
  expect(planRetention(stateOf([9, 4, 3], { branch: "b" }), { last: 0 })).toEqual([]);
  const deployment = {
    id: 1,
    snapshot: 2,
    subvolume: "",
    entry: "",
    state: "good",
    createdMs: 0,
    kernelVersion: undefined,
  } as const;
  const state = { ...stateOf([9, 4, 3]), deployments: [deployment] };
  expect(planRetention(state, { last: 0 })).toEqual([1]);
});

test("more rules never remove more", () => {
  const count = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined });
  const rules = fc.record({ last: count, daily: count, weekly: count, monthly: count });
  const ages = fc.array(fc.float({ min: 0, max: 900, noNaN: true }), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(ages, rules, fc.integer({ min: 0, max: 5 }), (days, some, yearly) => {
      const state = stateOf(days);
      const less = planRetention(state, some);
      const more = planRetention(state, { ...some, yearly });
      expect(less).toEqual(expect.arrayContaining([...more]));
      expect(state.snapshots.length - less.length).toBeGreaterThanOrEqual(
        Math.min(some.last ?? 0, days.length),
      );
    }),
  );
});
