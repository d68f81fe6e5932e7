import { existsSync } from "node:fs";
import { join } from "node:path";
import { entryName, identityOf } from "../boot/entry.ts";
import type { BootMenu } from "../boot/menu.ts";
import type { BootEntry, EntryIdentity } from "../boot/types.ts";
import { partPlace } from "../snapshot/part-place.ts";
import type { DeploymentState, SystemState } from "../snapshot/types.ts";
import { compareEtc, type EtcChange, pathsChangedSince } from "./etc-diff.ts";
import { subvolumeOf } from "./recover.ts";
import { standingOf } from "./standing.ts";

/** One deployment, as it stands. */
export interface DeploymentStatus {
  readonly entry: string;
  readonly snapshot: number;
  readonly deployment: number;
  readonly description: string;
  readonly state: DeploymentState;
  readonly reason: string | undefined;
  readonly triesLeft: number | undefined;
  readonly triesDone: number;
  readonly isBooted: boolean;
  readonly isNext: boolean;
  readonly kernelVersion: string | undefined;
  readonly created: string | undefined;
}

/** What is booted, what boots next, and why. */
export interface SystemStatus {
  readonly booted: string | undefined;
  readonly next: string | undefined;
  /** In the order in which the loader tries them. */
  readonly deployments: readonly DeploymentStatus[];
  /** Those that would come before the next one if they were not bad, and why they are. */
  readonly rolledBack: readonly { readonly entry: string; readonly reason: string }[];
  /** Changes in the etc of the booted one, or of the next one where none is. */
  readonly etc: readonly EtcChange[];
  /** Paths below etc of the booted one that were changed after the next one was made of it. */
  readonly etcSince: readonly string[];
}

/** What a status is made of. */
export interface StatusSources {
  readonly top: string;
  readonly state: SystemState;
  readonly menu: BootMenu;
  readonly booted: EntryIdentity | undefined;
}

/** Reads how a system stands; nothing is changed or locked. */
export function readStatus(sources: StatusSources): SystemStatus {
  const { menu, booted } = sources;
  const next = menu.next();
  const entries = menu.entries();
  const deployments = entries.map((entry) => statusOf(entry, next, sources));
  const nextVersion = Number(next?.version ?? 0);
  const rolledBack = entries.flatMap((entry) => {
    const { state, reason } = standingOf(entry, menu.files);
    const isAhead = Number(entry.version) > nextVersion;
    return state === "bad" && isAhead ? [{ entry: entry.name, reason: reason ?? "" }] : [];
  });
  const shown = booted ?? (next === undefined ? undefined : identityOf(next.name));
  return {
    booted: booted === undefined ? undefined : entryName(booted),
    next: next?.name,
    deployments,
    rolledBack,
    etc: shown === undefined ? [] : etcChanges(sources.top, shown),
    etcSince: changedSince(sources, next === undefined ? undefined : identityOf(next.name)),
  };
}

/** Whoever restarts now finds them no more: they are not in what boots next. */
function changedSince(
  { top, state, booted }: StatusSources,
  next: EntryIdentity | undefined,
): readonly string[] {
  if (booted === undefined || next === undefined || next.deployment <= booted.deployment) return [];
  const made = state.deployments.find(({ id }) => id === next.deployment);
  const own = join(top, subvolumeOf(booted), "etc");
  const original = partPlace(top, "etc", booted.snapshot);
  if (made === undefined || !existsSync(own) || !existsSync(original)) return [];
  return pathsChangedSince(original, own, made.createdMs);
}

/** What was changed in the etc of a deployment since it was made. */
export function etcChanges(top: string, identity: EntryIdentity): readonly EtcChange[] {
  const own = join(top, subvolumeOf(identity), "etc");
  const original = partPlace(top, "etc", identity.snapshot);
  if (!existsSync(own) || !existsSync(original)) return [];
  return compareEtc(original, own);
}

function statusOf(
  entry: BootEntry,
  next: BootEntry | undefined,
  { state, menu, booted }: StatusSources,
): DeploymentStatus {
  const identity = identityOf(entry.name) ?? { snapshot: -1, deployment: -1 };
  const record = state.deployments.find(({ id }) => id === identity.deployment);
  const snapshot = state.snapshots.find(({ id }) => id === identity.snapshot);
  return {
    entry: entry.name,
    ...identity,
    description: snapshot?.description ?? "",
    ...standingOf(entry, menu.files),
    triesLeft: entry.triesLeft,
    triesDone: entry.triesDone,
    isBooted: booted?.deployment === identity.deployment,
    isNext: entry.name === next?.name,
    kernelVersion: record?.kernelVersion,
    created: record === undefined ? undefined : new Date(record.createdMs).toISOString(),
  };
}
