import { readdirSync, readFileSync } from "node:fs";

/** A process as /proc/PID/stat shows it: proc(5). */
export interface ProcessStatus {
  readonly pid: number;
  readonly name: string;
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  /** Device number of its terminal; 0 for none. */
  readonly terminal: number;
}

/** Reads /proc/PID/stat; undefined where the process is gone. */
export function readStatus(pid: number): ProcessStatus | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name stands in brackets and may hold some itself.
  const end = text.lastIndexOf(")");
  const name = text.slice(text.indexOf("(") + 1, end);
  const fields = text.slice(end + 2).split(" ");
  const [state = "", parent, , session, terminal] = fields;
  return {
    pid,
    name,
    state,
    parent: Number(parent),
    session: Number(session),
    terminal: Number(terminal),
  };
}

/** Living processes of a session. */
export function sessionMembers(session: number): ProcessStatus[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const status = readStatus(Number(pid));
    return status !== undefined && status.session === session && status.state !== "Z"
      ? [status]
      : [];
  });
}

/** Resident memory in bytes; undefined where the process is gone. */
export function residentMemory(pid: number): number | undefined {
  try {
    const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return found === null ? undefined : Number(found[1]) * 1024;
  } catch {
    return undefined;
  }
}
