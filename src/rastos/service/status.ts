import { join } from "node:path";
import type { ServiceStatus } from "./control-messages.ts";
import type { MachineState } from "./machine.ts";
import { residentMemory, sessionMembers } from "./process-list.ts";
import { signalName } from "./signals.ts";
import type { Supervised } from "./supervisor.ts";

/** What a status is made of beside the service itself. */
export interface StatusContext {
  readonly nowMs: number;
  readonly logFolder: string;
  isEnabled(name: string): boolean;
  statusText(name: string): string | undefined;
  /** Of its cgroup, in bytes. */
  memoryOf(name: string): number | undefined;
}

/** A service as it is told to people and programs. */
export function statusOf(supervised: Supervised, context: StatusContext): ServiceStatus {
  const { definition, state } = supervised;
  const { name, description, type } = definition;
  const { phase } = state;
  const pid = "pid" in phase ? phase.pid : undefined;
  const members = pid === undefined ? [] : sessionMembers(pid);
  return {
    name,
    description,
    type,
    state: phase.kind,
    reason: "reason" in phase ? phase.reason : undefined,
    pid,
    upMs: phase.kind === "up" ? Math.round(context.nowMs - phase.sinceMs) : undefined,
    restarts: state.restarts,
    lastExit: exitOf(state),
    memoryBytes: context.memoryOf(name) ?? memoryOfAll(members.map((one) => one.pid)),
    enabled: context.isEnabled(name),
    says: context.statusText(name),
    tty: definition.tty,
    session: members
      .filter((one) => one.pid !== pid)
      .map((one) => ({ pid: one.pid, name: one.name })),
    log: join(context.logFolder, name, "log"),
  };
}

function exitOf({ lastExit }: MachineState): ServiceStatus["lastExit"] {
  if (lastExit === undefined) return undefined;
  const { code, signal } = lastExit;
  return signal === undefined ? { code: code ?? 0 } : { signal: signalName(signal) };
}

function memoryOfAll(pids: readonly number[]): number | undefined {
  if (pids.length === 0) return undefined;
  return pids.reduce((sum, pid) => sum + (residentMemory(pid) ?? 0), 0);
}
