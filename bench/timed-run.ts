import { readFileSync } from "node:fs";

/** What to run. */
export interface TimedCommand {
  readonly argv: readonly string[];
  readonly folder: string;
  /** All of it: nothing of the caller's is passed on. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where GNU time puts its figures. */
  readonly report: string;
  /** Otherwise standard output is thrown away. */
  readonly keepsOutput?: boolean;
}

/** What a run cost, and what it said. */
export interface TimedRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Seconds. */
  readonly wall: number;
  readonly cpu: number;
  readonly peakMib: number;
}

/** Runs under GNU time, whose child does not begin with Bun's own peak of memory. */
export function runTimed(command: TimedCommand): TimedRun {
  const timed = ["/usr/bin/time", "-q", "-f", "%U %S %M", "-o", command.report];
  const start = Bun.nanoseconds();
  const child = Bun.spawnSync([...timed, ...command.argv], {
    cwd: command.folder,
    env: command.environment,
    stdin: "ignore",
    stdout: command.keepsOutput === true ? "pipe" : "ignore",
    stderr: "pipe",
  });
  const wall = (Bun.nanoseconds() - start) / 1e9;
  const figures = readFileSync(command.report, "utf8").trim().split(" ").map(Number);
  const [user = 0, system = 0, peakKib = 0] = figures;
  return {
    exitCode: child.exitCode,
    stdout: child.stdout?.toString() ?? "",
    stderr: child.stderr.toString(),
    wall,
    cpu: user + system,
    peakMib: peakKib / 1024,
  };
}
