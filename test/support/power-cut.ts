import { readFileSync } from "node:fs";
import { createWorkspace } from "./workspace.ts";

/** A process that ends in the middle, with all that it has started, as by a power cut. */

/** When the power goes. */
export type CutMoment =
  | { readonly kind: "time"; readonly afterMs: number }
  /** Before the n-th call of the main thread that changes something, counted from 1. */
  | { readonly kind: "call"; readonly number: number };

/** What became of a run. */
export interface CutRun {
  /** It was killed; otherwise it came to its end before that. */
  readonly isCut: boolean;
  readonly code: number | undefined;
  readonly output: string;
}

/** System calls that change what is on a disk, or are the last step before. */
const CALLS = [
  ..."rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat link linkat".split(" "),
  ..."symlink symlinkat fsync fdatasync syncfs ioctl write pwrite64 ftruncate".split(" "),
  ..."setxattr lsetxattr fsetxattr chmod fchmod fchmodat chown fchown lchown fchownat".split(" "),
  ..."utimensat mount umount2".split(" "),
].join(",");

/** Runs a command in a process group of its own, and ends that group at a moment. */
export async function runUntilCut(
  command: readonly string[],
  moment: CutMoment,
  environment: Readonly<Record<string, string>>,
): Promise<CutRun> {
  const child = Bun.spawn([...traced(moment), ...command], {
    env: environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    // Its own session: a negative pid then reaches everything that it starts.
    detached: true,
  });
  const kill = (): void => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // All of it has ended.
    }
  };
  const timer = moment.kind === "time" ? setTimeout(kill, moment.afterMs) : undefined;
  const texts = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  clearTimeout(timer);
  // Whatever it has started goes with it; strace ends as the one that it traced.
  kill();
  const isCut = child.signalCode === "SIGKILL";
  const output = (await texts).join("");
  return { isCut, code: child.exitCode ?? undefined, output };
}

/** How many calls of the kind that {@link CutMoment} counts a command makes in its main thread. */
export function countChangingCalls(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): number {
  using work = createWorkspace();
  // A file: strace cannot open the sockets that Bun gives to children as their outputs.
  const report = work.at("calls");
  const counting = ["strace", "-qq", "-o", report, "-e", `trace=${CALLS}`, "--"];
  Bun.spawnSync([...counting, ...command], {
    env: environment,
    stdout: "ignore",
    stderr: "ignore",
  });
  const lines = readFileSync(report, "utf8").split("\n");
  return lines.filter((line) => /^\w+\(/.test(line)).length;
}

function traced(moment: CutMoment): readonly string[] {
  if (moment.kind === "time") return [];
  const inject = `inject=${CALLS}:signal=SIGKILL:when=${moment.number}`;
  return ["strace", "-qq", "-o", "/dev/null", "-e", `trace=${CALLS}`, "-e", inject, "--"];
}
