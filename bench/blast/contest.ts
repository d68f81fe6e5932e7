import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { runTimed } from "../timed-run.ts";

/** One tool's way to do a task. */
export interface Entrant {
  readonly label: string;
  readonly argv: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Before each run, not measured. */
  readonly prepare: () => void;
}

/** Something that several tools do. */
export interface Task {
  readonly id: string;
  readonly title: string;
  /** The first is blast, the second the peer that the goal is about. */
  readonly entrants: readonly Entrant[];
  /** blast's wall time over the second's is to be at most this. */
  readonly goal?: number;
  readonly rounds: number;
  /** Runs in a round; their median counts. */
  readonly repeats: number;
  /** Once, before the first round: fills caches. */
  readonly warm: boolean;
}

/** What one run cost. */
export interface Sample {
  /** Seconds. */
  readonly wall: number;
  readonly cpu: number;
  readonly peakMib: number;
}

/** What all runs of a task cost, by entrant, in the order of the rounds. */
export interface TaskResult {
  readonly task: Task;
  readonly samples: readonly (readonly Sample[])[];
}

/** Runs tasks. */
export class Contest {
  readonly #report: string;
  readonly #home: string;

  constructor(scratch: string) {
    this.#report = join(scratch, "time.txt");
    this.#home = join(scratch, "home");
    mkdirSync(this.#home, { recursive: true });
  }

  measure(task: Task, rounds: number): TaskResult {
    const samples: Sample[][] = task.entrants.map(() => []);
    if (task.warm) {
      for (const entrant of task.entrants) {
        entrant.prepare();
        this.#run(entrant);
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (const at of shuffled(task.entrants.length)) {
        const entrant = task.entrants[at];
        if (entrant === undefined) continue;
        const runs: Sample[] = [];
        for (let run = 0; run < task.repeats; run++) {
          entrant.prepare();
          runs.push(this.#run(entrant));
        }
        const sorted = runs.toSorted((a, b) => a.wall - b.wall);
        samples[at]?.push(sorted[Math.floor(sorted.length / 2)] as Sample);
      }
    }
    return { task, samples };
  }

  #run(entrant: Entrant): Sample {
    const run = runTimed({
      argv: entrant.argv,
      folder: entrant.folder,
      environment: {
        HOME: this.#home,
        PATH: "/usr/local/bin:/usr/bin:/bin",
        LC_ALL: "C.UTF-8",
        ...entrant.environment,
      },
      report: this.#report,
    });
    if (run.exitCode !== 0) {
      const words = run.stderr.trim().split("\n").slice(-3).join(" / ");
      throw new Error(`${entrant.label} exited with ${run.exitCode}: ${words}`);
    }
    return run;
  }
}

function shuffled(count: number): number[] {
  const order = Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [order[at], order[other]] = [order[other] as number, order[at] as number];
  }
  return order;
}
