import { Fault } from "../../kit/fault/fault.ts";
import type { Snapshot, SystemState } from "../snapshot/types.ts";

/**
 * The snapshot that a declaration begins from: that of the deployment which boots next, or the
 * newest one where nothing is deployed. One that an interrupted run, or one without deploying, has
 * made of it from the same text, and that nobody has deployed yet, is gone on with.
 *
 * @param text the declaration, as it stands in records (`recordText`)
 * @throws {Fault} E_NOT_FOUND where there is no snapshot at all
 */
export function baseSnapshot(state: SystemState, text: string | undefined): Snapshot {
  const base = defaultSnapshot(state);
  if (base === undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: "Cannot find a snapshot to begin from",
      hint: "rastos snapshot create makes the first one",
    });
  }
  const deployed = new Set(state.deployments.map(({ snapshot }) => snapshot));
  const finished = state.snapshots.findLast(
    (one) =>
      one.parent === base.id &&
      text !== undefined &&
      one.system === text &&
      base.system !== text &&
      !deployed.has(one.id),
  );
  return finished ?? base;
}

function defaultSnapshot({
  snapshots,
  deployments,
  defaultDeployment,
}: SystemState): Snapshot | undefined {
  const id = deployments.find((one) => one.id === defaultDeployment)?.snapshot;
  const newest = snapshots.reduce<Snapshot | undefined>(
    (last, one) => (last === undefined || one.id > last.id ? one : last),
    undefined,
  );
  return snapshots.find((one) => one.id === id) ?? newest;
}
