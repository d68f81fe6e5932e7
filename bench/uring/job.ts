/** What the parent asks of one measured process, and what that one answers. */

/** How small files are copied; docs/decisions/0004-io-uring.md says more. */
export type CopyWay =
  /** One system call after the other, as the engine does. */
  | "calls"
  /** Every operation that io_uring has, in batches by stage. */
  | "batched"
  /** Only the operations that the kernel completes at submission: open, read, close. */
  | "inline"
  /** One chain per file and side over direct descriptors: open, read or write, close. */
  | "chained"
  /** The source's chain as above, the target's side by calls. */
  | "read-chain";

/** How a ring is set up, by name of its flags. */
export type RingMode = "plain" | "coop" | "defer";

export interface RingChoice {
  readonly mode: RingMode;
  /** Kernel threads per ring; 0 = the kernel's default. */
  readonly workersMax: number;
  /** Files, blocks or names in flight. */
  readonly depth: number;
}

export interface SmallJob {
  readonly kind: "small";
  readonly threads: number;
  readonly source: string;
  readonly target: string;
  readonly way: CopyWay;
  readonly ring: RingChoice;
}

export interface BigJob {
  readonly kind: "big";
  /** The source is dropped from the page cache first. */
  readonly cold: boolean;
  readonly threads: number;
  readonly source: string;
  readonly target: string;
  readonly way: "calls" | "ring";
  readonly ring: RingChoice;
}

export interface StatJob {
  readonly kind: "stat";
  readonly threads: number;
  readonly source: string;
  readonly way: "calls" | "ring";
  /** How often each name is asked. */
  readonly passes: number;
  readonly ring: RingChoice;
}

/** close(2) of no descriptor: what an operation costs that does nothing. */
export interface EmptyJob {
  readonly kind: "empty";
  readonly threads: number;
  readonly way: "calls" | "ring";
  readonly count: number;
  readonly ring: RingChoice;
}

export type Job = SmallJob | BigJob | StatJob | EmptyJob;

/** What one thread is given. */
export interface Part {
  readonly job: Job;
  /** Leaf folders relative to the source; empty for a big file. */
  readonly folders: readonly string[];
  /** A shared cursor: the next folder, or the next block of the big file. */
  readonly cursor: SharedArrayBuffer;
}

/** What one thread did. */
export interface Done {
  readonly items: number;
  readonly bytes: number;
  /** Of the statuses read: equal for every variant of the same tree. */
  readonly checksum: number;
}

/** What one process cost, without its start and end. */
export interface Measured extends Done {
  /** Seconds. */
  readonly wall: number;
  /** Seconds of user and of system time, the kernel's io-wq threads included. */
  readonly user: number;
  readonly system: number;
  /** Context switches of all threads. */
  readonly switches: number;
}

export type ToWorker = { readonly kind: "prepare"; readonly part: Part } | { readonly kind: "go" };
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly done: Done }
  | { readonly kind: "crashed"; readonly message: string };
