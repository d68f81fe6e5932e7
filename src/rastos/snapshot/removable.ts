import { Fault } from "../../kit/fault/fault.ts";
import type { SystemState } from "./types.ts";

/**
 * Refuses to remove what is pinned, deployed, or the parent of a snapshot that stays. Pure.
 * @throws {Fault} E_REFUSED naming each of them
 */
export function requireRemovable(state: SystemState, doomed: ReadonlySet<number>): void {
  const reasons = [...doomed].flatMap((id) => {
    const reason = whyNeeded(state, id, doomed);
    return reason === undefined ? [] : `snapshot ${id} ${reason}`;
  });
  if (reasons.length === 0) return;
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot remove: ${reasons.join("; ")}`,
    hint: hintFor(state, doomed),
  });
}

function hintFor(state: SystemState, doomed: ReadonlySet<number>): string {
  const deployed = state.deployments.filter(({ snapshot }) => doomed.has(snapshot));
  // Without its snapshot nobody can tell what was changed by hand in a deployment.
  if (deployed.length > 0) {
    return `rastos boot remove ${deployed.map(({ entry }) => entry).join(" ")} comes first`;
  }
  const isPinned = state.snapshots.some((each) => each.isPinned && doomed.has(each.id));
  return isPinned
    ? "--force removes it all the same; rastos snapshot unpin lets go of it"
    : "--tree removes children too, --force leaves them to the next ancestor";
}

/** Why a snapshot should stay, as the end of a sentence; undefined where nothing speaks for it. */
export function whyNeeded(
  state: SystemState,
  id: number,
  doomed: ReadonlySet<number>,
): string | undefined {
  const snapshot = state.snapshots.find((each) => each.id === id);
  if (snapshot?.isPinned === true) return "is pinned";
  const deployment = state.deployments.find((each) => each.snapshot === id);
  if (deployment !== undefined) return `is deployed as ${deployment.entry}`;
  const children = state.snapshots.filter((each) => each.parent === id && !doomed.has(each.id));
  if (children.length === 0) return undefined;
  return `is the parent of ${children.map((child) => child.id).join(", ")}`;
}
