import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { entryName, identityOf } from "../boot/entry.ts";
import type { BootMenu } from "../boot/menu.ts";
import type { BootEntry, EntryIdentity } from "../boot/types.ts";
import { deployFolder } from "../snapshot/layout.ts";
import { isSubvolume, subvolumeInfo, syncFilesystem } from "../snapshot/subvolume.ts";
import { removeClone } from "../snapshot/temporary.ts";
import type { SnapshotTree } from "../snapshot/tree.ts";
import type { Deployment } from "../snapshot/types.ts";
import { clearIntent, type Intent, readIntent } from "./intent.ts";
import { standingOf, withStandings } from "./standing.ts";

/** A root with its boot partition. */
export interface DeployPlace {
  readonly tree: SnapshotTree;
  readonly menu: BootMenu;
}

/**
 * Finishes or undoes what an interrupted run has left, and clears the boot partition of what leads
 * nowhere. A deployment counts from the moment when its boot entry is there.
 *
 * @returns sentences about what was done
 */
export function recoverDeployments(place: DeployPlace): readonly string[] {
  return place.menu.together(() => recover(place));
}

function recover(place: DeployPlace): readonly string[] {
  const { tree, menu } = place;
  const notes = menu.repair().map((path) => `Removed "${path}", left by an interrupted run`);
  notes.push(...menu.settleReasons());
  adoptDeployments(place);
  const intent = readIntent(tree.root);
  if (intent !== undefined) {
    notes.push(finish(place, intent));
    clearIntent(tree.root);
  }
  // The loader may have fallen back since, or a rollback was interrupted before its last step.
  const next = menu.next();
  const isKnown = next === undefined || idOf(next) === tree.state.defaultDeployment;
  if (!isKnown) recordDefault(place);
  return notes;
}

/** Deployments that boot and that the state has lost: it was made anew from the subvolumes. */
function adoptDeployments({ tree, menu }: DeployPlace): void {
  const known = new Set(tree.state.deployments.map(({ id }) => id));
  const lost = menu.entries().flatMap((entry) => {
    const identity = identityOf(entry.name);
    if (identity === undefined || known.has(identity.deployment)) return [];
    const subvolume = subvolumeOf(identity);
    const path = join(tree.root, subvolume);
    if (!existsSync(path) || !isSubvolume(path)) return [];
    const { createdMs } = subvolumeInfo(path);
    const { snapshot, deployment: id } = identity;
    const standing = standingOf(entry, menu.files);
    const common = { id, snapshot, subvolume, entry: entry.name, kernelVersion: undefined };
    return [{ ...common, ...standing, createdMs: Math.round(createdMs) }];
  });
  if (lost.length === 0) return;
  tree.update((state) => ({
    ...state,
    deployments: [...state.deployments, ...lost].sort((a, b) => a.id - b.id),
    nextDeployment: Math.max(state.nextDeployment, ...lost.map(({ id }) => id + 1)),
  }));
}

function finish(place: DeployPlace, intent: Intent): string {
  switch (intent.kind) {
    case "deploy": {
      const name = entryName(intent);
      if (place.menu.entries().some((entry) => entry.name === name)) {
        recordDefault(place);
        return `Finished the deployment ${name}, which was interrupted`;
      }
      dropDeployment(place, { id: intent.deployment, snapshot: intent.snapshot });
      return `Undid the deployment ${name}, which was interrupted`;
    }
    case "remove":
      dropDeployments(place, intent.deployments);
      return "Finished the removal of deployments, which was interrupted";
  }
}

/** `.snapshots/deploy/deploy-N-K`. */
export function subvolumeOf(identity: EntryIdentity): string {
  return `.snapshots/deploy/deploy-${identity.snapshot}-${identity.deployment}`;
}

/** Writes what boots next, and how all stand, into the state: for those who read only that. */
export function recordDefault({ tree, menu }: DeployPlace): void {
  const entries = menu.entries();
  const next = menu.next();
  const defaultDeployment = next === undefined ? undefined : idOf(next);
  tree.repeat((state) => ({ ...withStandings(state, entries, menu.files), defaultDeployment }));
}

function idOf(entry: BootEntry): number | undefined {
  return identityOf(entry.name)?.deployment;
}

/** Removes deployments: the entry first, so that nothing leads to what is gone; the files last. */
export function dropDeployments(place: DeployPlace, ids: readonly number[]): void {
  const { deployments } = place.tree.state;
  for (const id of ids) {
    const name = place.menu.entries().find((entry) => identityOf(entry.name)?.deployment === id);
    const snapshot =
      deployments.find((one) => one.id === id)?.snapshot ??
      identityOf(name?.name ?? "")?.snapshot ??
      snapshotInFolder(place.tree.root, id);
    if (snapshot !== undefined) dropDeployment(place, { id, snapshot });
  }
  // What is gone for those who ask is gone from the disk before nobody knows of it any more.
  syncFilesystem(place.tree.root);
}

/** Of a removal that was interrupted after its entry and its record had gone. */
function snapshotInFolder(top: string, id: number): number | undefined {
  const folder = deployFolder(top);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const found = names.map((name) => /^deploy-(\d{1,9})-(\d{1,9})$/.exec(name));
  const match = found.find((one) => Number(one?.[2] ?? -1) === id);
  return match === undefined ? undefined : Number(match?.[1]);
}

function dropDeployment(
  { tree, menu }: DeployPlace,
  deployment: Pick<Deployment, "id" | "snapshot">,
): void {
  const identity = { snapshot: deployment.snapshot, deployment: deployment.id };
  menu.remove(entryName(identity));
  tree.update((state) => ({
    ...state,
    deployments: state.deployments.filter(({ id }) => id !== deployment.id),
  }));
  const path = join(tree.root, subvolumeOf(identity));
  if (existsSync(path)) removeClone(path);
}
