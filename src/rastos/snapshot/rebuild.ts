import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { findTree } from "./find-tree.ts";
import { deployFolder } from "./layout.ts";
import { lockTree } from "./lock-tree.ts";
import { EMPTY_STATE, readStateFile, writeStateFile } from "./state.ts";
import { subvolumeInfo } from "./subvolume.ts";
import type { Deployment, SystemState } from "./types.ts";

/** A state that was made anew. */
export interface RebuiltState {
  readonly state: SystemState;
  /** Sentences about what was found and could not be used. */
  readonly issues: readonly string[];
}

/**
 * Makes the state anew from the subvolumes. What only the old state knows (pins, changed
 * descriptions, what is known of deployments) is taken from it where it can be read.
 *
 * @throws {Fault} E_LOCKED, E_NOT_FOUND where there is no tree
 */
export function rebuildState(
  top: string,
  options: { readonly command: string; readonly isDryRun: boolean },
): RebuiltState {
  using _lock = lockTree(top, options.command);
  const { old, issue } = readOld(top);
  const plan = findTree(top, undefined);
  const before = new Map(old.snapshots.map((snapshot) => [snapshot.id, snapshot]));
  // What is still to be made read-only is left to whoever opens the tree next.
  const whole = plan.state.snapshots.filter(({ id }) => !plan.seal.includes(id));
  const snapshots = whole.map((found) => {
    const known = before.get(found.id);
    return known?.uuid === found.uuid ? { ...known, uuid: found.uuid } : found;
  });
  const deployments = findDeployments(top, old);
  const last = Math.max(-1, ...deployments.map(({ id }) => id));
  const state: SystemState = {
    format: 1,
    snapshots,
    deployments,
    defaultDeployment: deployments.find(({ id }) => id === old.defaultDeployment)?.id,
    nextSnapshot: Math.max(old.nextSnapshot, plan.state.nextSnapshot),
    nextDeployment: Math.max(old.nextDeployment, last + 1),
  };
  if (!options.isDryRun) writeStateFile(top, state);
  return { state, issues: [...(issue === undefined ? [] : [issue]), ...plan.issues] };
}

function readOld(top: string): { readonly old: SystemState; readonly issue?: string } {
  try {
    const old = readStateFile(top);
    if (old !== undefined) return { old };
    return { old: EMPTY_STATE, issue: "There was no state: pins and later descriptions are lost" };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { old: EMPTY_STATE, issue: `${error.message}: what only it held is lost` };
  }
}

/** Deployments by their subvolumes; how they have fared is known to the boot loader (`status`). */
function findDeployments(top: string, old: SystemState): Deployment[] {
  const before = new Map(old.deployments.map((deployment) => [deployment.id, deployment]));
  const found = readdirSync(deployFolder(top)).flatMap((name): Deployment[] => {
    const match = /^deploy-(\d{1,9})-(\d{1,9})$/.exec(name);
    if (match === null) return [];
    const [snapshot, id] = [Number(match[1]), Number(match[2])];
    const known = before.get(id);
    if (known?.snapshot === snapshot) return [known];
    return [
      {
        id,
        snapshot,
        subvolume: `.snapshots/deploy/${name}`,
        entry: `rastos-${snapshot}-${id}`,
        state: "new",
        createdMs: subvolumeInfo(join(deployFolder(top), name)).createdMs,
        kernelVersion: undefined,
      },
    ];
  });
  return found.sort((a, b) => a.id - b.id);
}
