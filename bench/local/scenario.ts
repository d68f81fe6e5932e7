import type { SetName } from "../data.ts";

/** What every tool is asked to do. */
export type Task =
  /** One file into an existing, empty folder. */
  | "file"
  /** A folder's contents to a place that does not exist. */
  | "copy"
  /** The same once more: nothing to do. */
  | "again"
  /** Make an older copy equal: some files changed, some are to be deleted. */
  | "mirror"
  /** Make an equal copy equal, comparing by content. */
  | "checksum";

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly set: SetName;
  readonly task: Task;
  /** The wall time of blit over that of the best peer is to be at most this. */
  readonly goal?: number;
  readonly rounds: number;
  /** Runs of each tool in a round, without GNU time around them; their median counts. */
  readonly repeats?: number;
  /** A new file system in each round: so many files age it from one round to the next. */
  readonly freshRounds?: boolean;
  /** What a run allocates in page cache and structures, in bytes at scale 1. */
  readonly footprint: number;
}

const GIB = 2 ** 30;

export const SCENARIOS: readonly Scenario[] = [
  {
    id: "tiny",
    title: "one tiny file",
    set: "tiny",
    task: "file",
    rounds: 7,
    repeats: 15,
    footprint: 0,
  },
  {
    id: "big",
    title: "1 file of 4 GiB",
    set: "big",
    task: "file",
    goal: 0.9,
    rounds: 3,
    footprint: 4 * GIB,
  },
  {
    id: "eight",
    title: "8 files of 64 MiB",
    set: "eight",
    task: "copy",
    rounds: 7,
    footprint: 0.5 * GIB,
  },
  {
    id: "small",
    title: "100k small files",
    set: "small",
    task: "copy",
    goal: 0.5,
    rounds: 5,
    freshRounds: true,
    footprint: 0.7 * GIB,
  },
  {
    id: "mixed",
    title: "mixed tree, 10k files, 2 GiB",
    set: "mixed",
    task: "copy",
    goal: 0.8,
    rounds: 5,
    footprint: 2 * GIB,
  },
  {
    id: "sparse",
    title: "sparse, 10 GiB with 100 MiB of data",
    set: "sparse",
    task: "file",
    goal: 1,
    rounds: 3,
    footprint: 0.1 * GIB,
  },
  {
    id: "deep",
    title: "deep chains, 50 x 100 folders",
    set: "deep",
    task: "copy",
    goal: 0.5,
    rounds: 5,
    footprint: 0.1 * GIB,
  },
  {
    id: "no-op",
    title: "no-op re-run, 100k files",
    set: "small",
    task: "again",
    goal: 0.6,
    rounds: 7,
    footprint: 0.2 * GIB,
  },
  {
    id: "mirror",
    title: "mirror, 1 % changed, 1 % deleted, 100k files",
    set: "small",
    task: "mirror",
    goal: 0.6,
    rounds: 7,
    footprint: 0.2 * GIB,
  },
  {
    id: "checksum",
    title: "checksum mirror, nothing changed, mixed tree",
    set: "mixed",
    task: "checksum",
    goal: 0.6,
    rounds: 5,
    footprint: 0.2 * GIB,
  },
];
