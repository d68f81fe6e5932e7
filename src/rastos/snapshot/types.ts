/** A system at one moment: a read-only root with an etc and a var of its own. */
export interface Snapshot {
  /** Number N in `snapshot-N`, `etc-N` and `var-N`; 0 is the base. Never given out twice. */
  readonly id: number;
  readonly parent: number | undefined;
  /** Name of the branch that begins here. */
  readonly branch: string | undefined;
  readonly description: string;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  /** Never removed by retention, and by hand only with --force. */
  readonly isPinned: boolean;
  /** UUID of the root's subvolume. */
  readonly uuid: string;
  /** The system.toml that made it, as text. */
  readonly system?: string | undefined;
}

/** How a deployment has fared. */
export type DeploymentState = "new" | "trying" | "good" | "bad";

/** A writable clone of a snapshot that the boot loader knows: `deploy-N-K`. */
export interface Deployment {
  /** K; grows over all snapshots and is never given out twice. */
  readonly id: number;
  /** N. */
  readonly snapshot: number;
  /** From the btrfs top level: `.snapshots/deploy/deploy-N-K`. */
  readonly subvolume: string;
  /** Name of the boot entry without counters and suffix: `rastos-N-K`. */
  readonly entry: string;
  readonly state: DeploymentState;
  /** Why it is bad, in a sentence. */
  readonly reason?: string | undefined;
  readonly createdMs: number;
  readonly kernelVersion: string | undefined;
}

/** All that is known about a root, as `.snapshots/state/state.json` holds it. */
export interface SystemState {
  readonly format: 1;
  /** Id of the deployment that boots next, if nothing is wrong with it. */
  readonly defaultDeployment: number | undefined;
  readonly snapshots: readonly Snapshot[];
  readonly deployments: readonly Deployment[];
  readonly nextSnapshot: number;
  readonly nextDeployment: number;
}
