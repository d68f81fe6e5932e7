import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type FoundParts,
  type InspectedRoot,
  planRecovery,
} from "../../../src/rastos/snapshot/plan-recovery.ts";
import { EMPTY_STATE } from "../../../src/rastos/snapshot/state.ts";
import type { Snapshot, SystemState } from "../../../src/rastos/snapshot/types.ts";

const snapshot = (id: number, parent?: number): Snapshot => ({
  id,
  parent,
  branch: undefined,
  description: `number ${id}`,
  createdMs: 1000 + id,
  isPinned: false,
  uuid: `uuid-${id}`,
});

function state(ids: readonly number[], next?: number): SystemState {
  const nextSnapshot = next ?? Math.max(-1, ...ids) + 1;
  return { ...EMPTY_STATE, snapshots: ids.map((id) => snapshot(id)), nextSnapshot };
}

function parts(
  root: readonly number[],
  others: readonly number[] = root,
  unfinished: FoundParts["unfinished"] = [],
): FoundParts {
  const ids = { root: new Set(root), etc: new Set(others), var: new Set(others) };
  return { ids, unfinished };
}

function inspected(recordId: number | undefined, more: Partial<InspectedRoot> = {}): InspectedRoot {
  const record =
    recordId === undefined
      ? undefined
      : { id: recordId, parent: 0, branch: "b", description: "found", createdMs: 5, system: "s" };
  const common = { isWhole: true, isReadOnly: true, isReceived: false };
  return { ...common, record, uuid: "found", createdMs: 7, ...more };
}

function plan(
  stored: SystemState | undefined,
  found: FoundParts,
  roots: Readonly<Record<number, InspectedRoot>> = {},
) {
  const map = new Map(Object.entries(roots).map(([id, root]) => [Number(id), root]));
  return planRecovery({ stored, parts: found, inspected: map });
}

describe("a snapshot that the state does not list", () => {
  test("counts when it is whole and read-only", () => {
    const {
      state: found,
      remove,
      seal,
      mustWrite,
    } = plan(state([0]), parts([0, 1]), {
      1: inspected(1),
    });
    expect(found.snapshots[1]).toEqual({
      ...snapshot(1, 0),
      branch: "b",
      description: "found",
      createdMs: 5,
      uuid: "found",
      system: "s",
    });
    expect([remove, seal, mustWrite, found.nextSnapshot]).toEqual([[], [], false, 2]);
  });

  test("has no parent when its record is another machine's", () => {
    for (const root of [inspected(1, { isReceived: true }), inspected(9)]) {
      const { state: found } = plan(state([0]), parts([0, 1]), { 1: root });
      expect(found.snapshots[1]).toMatchObject({ parent: undefined, createdMs: 7 });
    }
  });

  test("is a leftover while it is writable or parts of it are missing", () => {
    const writable = plan(state([0]), parts([0, 1]), { 1: inspected(0, { isReadOnly: false }) });
    expect(writable.remove).toEqual([
      { part: "etc", name: "etc-1" },
      { part: "var", name: "var-1" },
      { part: "root", name: "snapshot-1" },
    ]);
    expect(writable.state.nextSnapshot).toBe(2);
    const partial = plan(state([0]), parts([0, 1], [0]), {
      1: inspected(1, { isWhole: false }),
    });
    expect(partial.remove).toEqual([{ part: "root", name: "snapshot-1" }]);
    const early = plan(state([0]), parts([0], [0, 1]));
    expect(early.remove).toEqual([
      { part: "etc", name: "etc-1" },
      { part: "var", name: "var-1" },
    ]);
  });

  test("is left alone when it may be somebody's", () => {
    const old = plan(state([0], 5), parts([0, 3], [0]), {
      3: inspected(3, { isWhole: false }),
    });
    expect([old.remove, old.issues]).toEqual([[], ["Snapshot 3 is not whole, and was left alone"]]);
    const stateless = plan(undefined, parts([], [0, 1]));
    expect(stateless.remove).toEqual([]);
    const foreign = plan(undefined, parts([0], []), {
      0: inspected(undefined, { isWhole: false }),
    });
    expect([foreign.remove, foreign.issues.length]).toEqual([[], 1]);
  });

  test("is sealed when others have made it whole, such as the first boot of an image", () => {
    const root = inspected(undefined, { isReadOnly: false });
    const { seal, state: found, remove } = plan(undefined, parts([0]), { 0: root });
    expect([seal, remove]).toEqual([[0], []]);
    expect(found.snapshots).toMatchObject([{ id: 0, description: "", createdMs: 7 }]);
  });
});

describe("what is being removed", () => {
  test("is gone as soon as its root has another name, and its number stays used", () => {
    const unfinished = [{ part: "root", name: ".del-1", kind: "del", id: 1 }] as const;
    const found = plan(state([0, 1]), parts([0], [0, 1], unfinished));
    expect(found.state.snapshots.map(({ id }) => id)).toEqual([0]);
    // The root comes last: until then it says that the others are nobody's.
    expect(found.remove).toEqual([
      { part: "etc", name: "etc-1" },
      { part: "var", name: "var-1" },
      { part: "root", name: ".del-1" },
    ]);
    expect([found.mustWrite, found.state.nextSnapshot, found.issues]).toEqual([true, 2, []]);
  });

  test("by hand is told, and its other parts stay", () => {
    const found = plan(state([0, 1]), parts([0], [0, 1]));
    expect([found.remove, found.issues]).toEqual([[], ["Snapshot 1 is gone"]]);
  });
});

test("nothing that the state lists and that is there is ever removed", () => {
  const few = fc.uniqueArray(fc.integer({ min: 0, max: 6 }));
  fc.assert(
    fc.property(few, few, few, fc.boolean(), (listed, roots, others, hasState) => {
      const stored = hasState ? state(listed) : undefined;
      const map = Object.fromEntries(
        roots
          .filter((id) => !hasState || !listed.includes(id))
          .map((id) => [id, inspected(id, { isWhole: others.includes(id) })]),
      );
      const found = plan(stored, parts(roots, others), map);
      const kept = new Set(found.state.snapshots.map(({ id }) => id));
      for (const id of listed) if (hasState && roots.includes(id)) expect(kept).toContain(id);
      for (const { name } of found.remove) {
        const id = Number(/\d+$/.exec(name)?.[0]);
        expect(kept).not.toContain(id);
        expect(stored === undefined || id < stored.nextSnapshot).toBe(false);
      }
      for (const id of [...kept, ...roots]) expect(found.state.nextSnapshot).toBeGreaterThan(id);
    }),
  );
});
