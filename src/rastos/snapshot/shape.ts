/** Questions about the shape of the tree. Pure. */
import type { Snapshot, SystemState } from "./types.ts";

/** The children of a snapshot, oldest first; of `undefined` those whose parent is gone or none. */
export function childrenOf(snapshots: readonly Snapshot[], id: number | undefined): Snapshot[] {
  const ids = new Set(snapshots.map((snapshot) => snapshot.id));
  return snapshots.filter(({ parent }) =>
    id === undefined ? parent === undefined || !ids.has(parent) : parent === id,
  );
}

/** These snapshots and all that descend from them. */
export function withDescendants(
  snapshots: readonly Snapshot[],
  ids: readonly number[],
): readonly number[] {
  const found = new Set(ids);
  // A child has a higher number than its parent, and the list is in that order.
  for (const { id, parent } of snapshots) {
    if (parent !== undefined && found.has(parent)) found.add(id);
  }
  return [...found];
}

/** The snapshot that boots next, if its deployment is known. */
export function defaultSnapshot(state: SystemState): number | undefined {
  return state.deployments.find(({ id }) => id === state.defaultDeployment)?.snapshot;
}
