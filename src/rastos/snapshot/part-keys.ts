import { partPlace } from "./part-place.ts";
import type { PartKeys } from "./stream-format.ts";
import { subvolumeInfo } from "./subvolume.ts";
import type { SystemState } from "./types.ts";

/** A snapshot, and what its parts are known by on other machines. */
export interface KeyedSnapshot {
  readonly id: number;
  readonly keys: PartKeys;
}

/**
 * What the parts of a snapshot are known by: the UUID that they were received under, or their own.
 */
export function keysOf(top: string, id: number): PartKeys {
  const key = (part: "root" | "etc" | "var"): string => {
    const { uuid, receivedUuid } = subvolumeInfo(partPlace(top, part, id));
    return receivedUuid === "" ? uuid : receivedUuid;
  };
  return { root: key("root"), etc: key("etc"), var: key("var") };
}

/** The keys of all snapshots of a tree. */
export function keysOfAll(top: string, state: SystemState): KeyedSnapshot[] {
  return state.snapshots.map(({ id }) => ({ id, keys: keysOf(top, id) }));
}

/** The snapshot with these keys. */
export function findByKeys(all: readonly KeyedSnapshot[], keys: PartKeys): number | undefined {
  const { root, etc } = keys;
  return all.find(
    (each) => each.keys.root === root && each.keys.etc === etc && each.keys.var === keys.var,
  )?.id;
}

/**
 * The nearest snapshot, up the line of parents and then among all others, that the receiver has.
 */
export function commonParent(options: {
  readonly state: SystemState;
  readonly own: readonly KeyedSnapshot[];
  readonly theirs: readonly KeyedSnapshot[];
  readonly id: number;
}): number | undefined {
  const { state, own, theirs } = options;
  const isThere = (id: number): boolean => {
    const keys = own.find((each) => each.id === id)?.keys;
    return keys !== undefined && findByKeys(theirs, keys) !== undefined;
  };
  const parents = new Map(state.snapshots.map(({ id, parent }) => [id, parent]));
  for (let id = parents.get(options.id); id !== undefined; id = parents.get(id)) {
    if (isThere(id)) return id;
  }
  const others = state.snapshots.map(({ id }) => id).filter((id) => id !== options.id);
  return others.findLast(isThere);
}
