import type { BootFiles } from "../boot/boot-files.ts";
import { identityOf } from "../boot/entry.ts";
import { readReason } from "../boot/reason.ts";
import type { BootEntry } from "../boot/types.ts";
import type { DeploymentState, SystemState } from "../snapshot/types.ts";

/** How a deployment stands, by its boot entry. */
export interface Standing {
  readonly state: DeploymentState;
  readonly reason: string | undefined;
}

/** What the boot partition says of an entry: it alone knows what the loader has seen. */
export function standingOf(entry: BootEntry, files: BootFiles): Standing {
  const { triesLeft, triesDone } = entry;
  if (triesLeft === undefined) return { state: "good", reason: undefined };
  if (triesLeft > 0) return { state: triesDone > 0 ? "trying" : "new", reason: undefined };
  const identity = identityOf(entry.name);
  const said = identity === undefined ? undefined : readReason(files, identity);
  return { state: "bad", reason: said ?? neverBlessed(triesDone) };
}

function neverBlessed(triesDone: number): string {
  const times = triesDone === 1 ? "once" : `${triesDone} times`;
  return `it was started ${times} and never blessed: it hung, crashed or was switched off`;
}

/** The state with what the boot partition says about each deployment. */
export function withStandings(
  state: SystemState,
  entries: readonly BootEntry[],
  files: BootFiles,
): SystemState {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const deployments = state.deployments.map((deployment) => {
    const entry = byName.get(deployment.entry);
    if (entry === undefined) return deployment;
    return { ...deployment, ...standingOf(entry, files) };
  });
  return { ...state, deployments };
}
