import { readFileSync } from "node:fs";
import { join } from "node:path";
import { quantile } from "../report.ts";

/** What one run cost. */
export interface Sample {
  /** Seconds from start to exit. */
  readonly wall: number;
  /** Seconds of user and system time of the process and its children. */
  readonly cpu: number;
  /** The largest resident set of the process or one of its children. */
  readonly peakMib: number;
}

/** A tool that ran and failed: its exit status and last words. */
export class RunFailed extends Error {}

/** The run was ended by a signal, so somebody wants to stop the benchmark. */
export class Interrupted extends Error {}

/** Runs programs with a home folder of their own and their output discarded. */
export class Stopwatch {
  readonly #scratch: string;
  readonly #report: string;
  readonly #environment: Record<string, string>;

  constructor(scratch: string) {
    this.#scratch = scratch;
    this.#report = join(scratch, "time.txt");
    this.#environment = {
      HOME: join(scratch, "home"),
      PATH: process.env["PATH"] ?? "",
      LC_ALL: "C.UTF-8",
    };
  }

  /**
   * Runs once under GNU time, which forks a child with a small memory of its own: a child of Bun
   * itself would start with Bun's high-water mark.
   */
  once(argv: readonly string[]): Sample {
    const wall = this.wall(["/usr/bin/time", "-q", "-f", "%U %S %M", "-o", this.#report, ...argv]);
    const [user, system, peakKib] = readFileSync(this.#report, "utf8")
      .trim()
      .split(" ")
      .map(Number);
    if (user === undefined || system === undefined || peakKib === undefined) {
      throw new Error("Cannot read what GNU time wrote");
    }
    return { wall, cpu: user + system, peakMib: peakKib / 1024 };
  }

  /** Runs several times without anything around; memory and processor time come from one more. */
  repeated(argv: readonly string[], runs: number, reset: () => void): Sample {
    const walls: number[] = [];
    for (let run = 0; run < runs; run++) {
      reset();
      walls.push(this.wall(argv));
    }
    reset();
    return { ...this.once(argv), wall: quantile(walls, 0.5) };
  }

  /** @returns seconds @throws RunFailed, Interrupted */
  wall(argv: readonly string[]): number {
    const start = Bun.nanoseconds();
    const child = Bun.spawnSync([...argv], {
      env: this.#environment,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const seconds = (Bun.nanoseconds() - start) / 1e9;
    if (child.exitCode === 0) return seconds;
    if (asksToStop(child.exitCode, child.signalCode)) {
      throw new Interrupted("A run was ended by a signal");
    }
    const words = child.stderr.toString().trim().split("\n").at(-1) ?? "";
    throw new RunFailed(`exit ${child.exitCode}: ${words.replaceAll(this.#scratch, "…")}`);
  }
}

/** GNU time and shells turn a signal into 128 plus its number. */
function asksToStop(code: number | null, signal: string | number | undefined): boolean {
  return code === 130 || code === 143 || signal === "SIGINT" || signal === "SIGTERM";
}
