import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { AT, O } from "../../../ffi/abi/constants.ts";
import { NR } from "../../../ffi/abi/system-call.ts";
import { errnoText } from "../../../ffi/errno.ts";
import { type SpawnStep, spawnProgram } from "../../../ffi/spawn/spawn.ts";
import type { Account } from "./accounts.ts";
import type { Spawned } from "./supervisor.ts";

/** Where programs are looked for, and what services find in PATH. */
export const SERVICE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A limit of setrlimit(2). */
export interface ResourceLimit {
  readonly resource: number;
  readonly soft: bigint;
  readonly hard: bigint;
}

/** A process to start. Descriptors are ours, above 63, and stay ours. */
export interface LaunchPlan {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Undefined: as we are. */
  readonly account: Account | undefined;
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
  /** Descriptors of the child by their number there. */
  readonly extra: ReadonlyMap<number, number>;
  /** The terminal that becomes its controlling one. */
  readonly terminal: number | undefined;
  /** Open cgroup.procs of the cgroup that it goes to. */
  readonly cgroup: number | undefined;
  readonly limits: readonly ResourceLimit[];
  readonly umask: number;
  readonly nice: number;
  readonly oomScoreAdjust: number;
}

const TIOCSCTTY = 0x540e;

/** Starts a process in a session of its own. Never throws for what a service file can cause. */
export function launch(plan: LaunchPlan): Spawned {
  const [name = ""] = plan.command;
  const path = findProgram(name, plan.environment["PATH"] ?? SERVICE_PATH);
  if (path === undefined) return { kind: "failed", reason: `no program "${name}" in PATH` };
  const environment = Object.entries(plan.environment).map(([key, value]) => `${key}=${value}`);
  const result = spawnProgram([
    ...sessionSteps(plan),
    ...limitSteps(plan),
    ...accountSteps(plan.account),
    { label: `run "${path}"`, call: NR.execve, arguments: [path, plan.command, environment] },
  ]);
  if (result.kind === "running") return result;
  return { kind: "failed", reason: `cannot ${result.label}: ${errnoText(result.errno)}` };
}

/** The executable for a name, as a shell finds it; a path is taken as it is. */
export function findProgram(name: string, path: string): string | undefined {
  if (name.includes("/")) return name;
  for (const folder of path.split(":")) {
    if (!folder.startsWith("/")) continue;
    const candidate = join(folder, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // The next folder may have it.
    }
  }
  return undefined;
}

function sessionSteps(plan: LaunchPlan): SpawnStep[] {
  const steps: SpawnStep[] = [{ label: "begin a session", call: NR.setsid, arguments: [] }];
  if (plan.cgroup !== undefined) {
    const words = [plan.cgroup, "0", 1];
    steps.push({ label: "enter its cgroup", call: NR.write, arguments: words, mayFail: true });
  }
  const { terminal } = plan;
  if (terminal !== undefined) {
    // 1 takes it away from a session that still holds it.
    const label = "take its terminal";
    steps.push({ label, call: NR.ioctl, arguments: [terminal, TIOCSCTTY, 1] });
  }
  const descriptors = [[0, plan.stdin], [1, plan.stdout], [2, plan.stderr], ...plan.extra] as const;
  for (const [number, ours] of descriptors) {
    steps.push({ label: "set up its streams", call: NR.dup3, arguments: [ours, number, 0] });
  }
  return steps;
}

function limitSteps(plan: LaunchPlan): SpawnStep[] {
  const steps: SpawnStep[] = plan.limits.map(({ resource, soft, hard }) => {
    const words = new BigUint64Array([soft, hard]);
    const bytes = new Uint8Array(words.buffer);
    return { label: "set its limits", call: NR.prlimit64, arguments: [0, resource, bytes, 0] };
  });
  const { nice, oomScoreAdjust: score } = plan;
  if (nice !== 0) {
    steps.push({ label: "set its priority", call: NR.setpriority, arguments: [0, 0, nice] });
  }
  if (score !== 0) {
    const label = "set its OOM score";
    const path = "/proc/self/oom_score_adj";
    const open = [AT.FDCWD, path, O.WRONLY | O.CLOEXEC, 0];
    steps.push({ label, call: NR.openat, arguments: open, feedsNext: true });
    steps.push({ label, call: NR.write, arguments: [0, `${score}`, `${score}`.length] });
  }
  steps.push({ label: "set its umask", call: NR.umask, arguments: [plan.umask] });
  steps.push({ label: `change to "${plan.cwd}"`, call: NR.chdir, arguments: [plan.cwd] });
  return steps;
}

function accountSteps(account: Account | undefined): SpawnStep[] {
  if (account === undefined) return [];
  const label = `become user "${account.name}"`;
  const groups = new Uint8Array(new Uint32Array(account.groups).buffer);
  return [
    { label, call: NR.setgroups, arguments: [account.groups.length, groups] },
    { label, call: NR.setgid, arguments: [account.gid] },
    { label, call: NR.setuid, arguments: [account.uid] },
  ];
}
