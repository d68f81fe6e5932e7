import type { SetName } from "../data.ts";
import type { LinkKind } from "./link.ts";

/** From the client's view. */
export type Direction = "push" | "pull";

/** What every tool is asked to do. */
export type Task =
  /** One file into an existing, empty folder. */
  | "file"
  /** A folder's contents to a place that does not exist. */
  | "copy"
  /** The same once more: nothing to do. */
  | "again"
  /** One file of which the other side has an older version, 1 MiB in its middle is different. */
  | "delta";

/** A limit for blit's time over another one's in the same round, on one kind of link. */
export interface Goal {
  readonly link: LinkKind;
  /** A tool's id, or the fastest of the peers. */
  readonly over: string;
  readonly limit: number;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly set: SetName;
  readonly task: Task;
  readonly direction: Direction;
  readonly goals: readonly Goal[];
  readonly rounds: number;
  /** What a run allocates in page cache and structures, in bytes at scale 1. */
  readonly footprint: number;
}

const GIB = 2 ** 30;
export const BEST_PEER = "best peer";
/** Over loopback and over the shaped link alike. */
const everywhere = (limit: number, over = BEST_PEER): Goal[] => [
  { link: "loopback", over, limit },
  { link: "gigabit", over, limit },
];
const big = { set: "big", task: "file", rounds: 3, footprint: 4 * GIB } as const;
const small = { set: "small", task: "copy", rounds: 3, footprint: 0.7 * GIB } as const;
const mixed = { set: "mixed", task: "copy", rounds: 3, footprint: 2 * GIB } as const;

/** A gigabit link sets the pace for big files: there the goals are about everything else. */
const bigGoals: readonly Goal[] = [
  { link: "loopback", over: BEST_PEER, limit: 0.8 },
  { link: "loopback", over: "reference", limit: 1.1 },
];
const mixedGoals: readonly Goal[] = [{ link: "loopback", over: BEST_PEER, limit: 0.7 }];

export const SCENARIOS: readonly Scenario[] = [
  { id: "push-big", title: "push 1 file of 4 GiB", direction: "push", goals: bigGoals, ...big },
  { id: "pull-big", title: "pull 1 file of 4 GiB", direction: "pull", goals: bigGoals, ...big },
  {
    id: "push-small",
    title: "push 100k small files",
    direction: "push",
    goals: everywhere(0.5),
    ...small,
  },
  {
    id: "pull-small",
    title: "pull 100k small files",
    direction: "pull",
    goals: everywhere(0.5),
    ...small,
  },
  {
    id: "push-mixed",
    title: "push a mixed tree, 10k files, 2 GiB",
    direction: "push",
    goals: mixedGoals,
    ...mixed,
  },
  {
    id: "pull-mixed",
    title: "pull a mixed tree, 10k files, 2 GiB",
    direction: "pull",
    goals: mixedGoals,
    ...mixed,
  },
  {
    id: "push-again",
    title: "push, nothing to do, 100k files",
    direction: "push",
    set: "small",
    task: "again",
    goals: everywhere(0.5),
    rounds: 5,
    footprint: 0.2 * GIB,
  },
  {
    id: "pull-again",
    title: "pull, nothing to do, 100k files",
    direction: "pull",
    set: "small",
    task: "again",
    goals: everywhere(0.5),
    rounds: 5,
    footprint: 0.2 * GIB,
  },
  {
    id: "push-delta",
    title: "push 1 MiB changed in 4 GiB",
    direction: "push",
    set: "big",
    task: "delta",
    goals: everywhere(0.3, "rsync"),
    rounds: 3,
    footprint: 8 * GIB,
  },
];

/** Encrypted over plain, where both do the same work. */
export const ENCRYPTED_LIMIT = 1.25;
