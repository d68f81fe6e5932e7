import { existsSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import type { SnapshotTree } from "../snapshot/tree.ts";
import type { Deployment } from "../snapshot/types.ts";
import { SYSTEM_TEXT_PATH } from "../system/configuration.ts";
import { type CarryPlan, NO_CARRY, planCarry } from "./carry-plan.ts";
import { changedStateFolders } from "./state-folders.ts";
import { readTextAt } from "./tree-path.ts";

/** Which deployment a new one takes over from. */
export interface InheritOptions {
  /** N. */
  readonly snapshot: number;
  /** The deployment that is running. */
  readonly booted?: number | undefined;
  readonly carriesEtc?: boolean | undefined;
}

/** What a new deployment takes over from the one before it, and what it does not. */
export interface Inheritance {
  /** The deployment that runs, or that boots next: the new one is for the same machine. */
  readonly before: Deployment | undefined;
  readonly carry: CarryPlan;
  /** In the place of the snapshot's fstab. */
  readonly fstab: string | undefined;
  /** The system.toml of the snapshot. */
  readonly declaration: string | undefined;
  /** Folders in which the deployment before has what the new one will not have; absolute. */
  readonly leftBehind: readonly string[];
}

/**
 * Finds out what a new deployment takes over. Looks, and changes nothing.
 *
 * @throws {Fault} E_REFUSED where accounts of both cannot be in one system, and where nobody can
 *   tell any more what was changed
 */
export function planInheritance(tree: SnapshotTree, options: InheritOptions): Inheritance {
  const before = deploymentBefore(tree, options);
  if (before === undefined) {
    const nothing = { fstab: undefined, declaration: undefined, leftBehind: [] };
    return { before, carry: NO_CARRY, ...nothing };
  }
  const isKnown = tree.state.snapshots.some(({ id }) => id === before.snapshot);
  const base = isKnown ? tree.pathsOf(before.snapshot) : undefined;
  const next = tree.pathsOf(options.snapshot).etc;
  const mine = join(tree.root, before.subvolume);
  const isCarrying = options.carriesEtc !== false;
  if (isCarrying && base === undefined) throw unknownBase(before);
  const carry =
    isCarrying && base !== undefined
      ? planCarry({ base: base.etc, mine: join(mine, "etc"), next })
      : NO_CARRY;
  const [collision] = carry.collisions;
  if (collision !== undefined) throw twoOfOneNumber(collision, options.snapshot);
  return {
    before,
    carry,
    fstab: carry.fstab,
    declaration: readTextAt(next, SYSTEM_TEXT_PATH.replace(/^etc\//, "")),
    leftBehind: base === undefined ? [] : changedStateFolders({ base, mine }),
  };
}

function deploymentBefore(tree: SnapshotTree, options: InheritOptions): Deployment | undefined {
  const { deployments, defaultDeployment } = tree.state;
  const wanted = options.booted ?? defaultDeployment;
  const found = deployments.find(({ id }) => id === wanted);
  const isThere = found !== undefined && existsSync(join(tree.root, found.subvolume, "etc"));
  return isThere ? found : undefined;
}

const WITHOUT = "--no-etc deploys without the changes that were made by hand in /etc";

function unknownBase({ entry, snapshot }: Deployment): Fault {
  return new Fault({
    code: "E_REFUSED",
    message: `Cannot tell what was changed in /etc of ${entry}: its snapshot ${snapshot} is gone`,
    hint: WITHOUT,
  });
}

function twoOfOneNumber(collision: string, snapshot: number): Fault {
  return new Fault({
    code: "E_REFUSED",
    message: `Cannot take /etc along: ${collision} in snapshot ${snapshot}`,
    hint: `usermod -u or groupmod -g gives it another number; ${WITHOUT}`,
  });
}
