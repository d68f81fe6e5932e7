import { readFileSync, readlinkSync } from "node:fs";

/**
 * Temporary names. Whatever is not complete carries one: `.blit-<host>-<pid>-<start>-<n>~`, where
 * host is a digest of machine, boot and pid namespace, and start the process's start time in clock
 * ticks: enough to know whether the run that made a leftover is still alive.
 */
const pattern = /^\.blit-([0-9a-z]{8})-([0-9a-z]{8})-([0-9a-z]+)-([0-9a-z]+)-([0-9a-z]+)~$/;

/**
 * The received part of a large file, to go on with in a later run: its name follows from the
 * file's.
 */
const partialPattern = /^\.blit-partial-[0-9a-z]{16}~$/;

/** Parts that nobody has gone on with are swept after this long. */
const partialSeconds = 7 * 24 * 3600;

/** Name under which the received part of a file is kept; `name` is latin1. */
export function partialName(name: string): string {
  return `.blit-partial-${Bun.hash(name).toString(16).padStart(16, "0")}~`;
}

/** A leftover of another machine (a network file system) is swept after this long. */
const foreignLeftoverSeconds = 24 * 3600;

type Identity = { readonly machine: string; readonly boot: string };

let ownIdentity: Identity | undefined;

function digest(text: string): string {
  // node:crypto would cost as much as the rest of a small copy (docs/architecture.md, start-up).
  return Bun.hash(text).toString(16).padStart(16, "0").slice(0, 8);
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return otherwise;
  }
}

function identity(): Identity {
  if (ownIdentity === undefined) {
    let namespace = "";
    try {
      namespace = readlinkSync("/proc/self/ns/pid");
    } catch {
      // No /proc: the machine alone has to do.
    }
    const machine = readOr("/etc/machine-id", readOr("/etc/hostname", "unknown"));
    const boot = readOr("/proc/sys/kernel/random/boot_id", "unknown");
    ownIdentity = { machine: digest(machine + namespace), boot: digest(boot) };
  }
  return ownIdentity;
}

/** Start time of a process in clock ticks since boot (field 22 of proc(5) stat), "0" if unknown. */
function startTicks(pid: number): string {
  const stat = readOr(`/proc/${pid}/stat`, "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[19] ?? "0";
}

/** The start of every temporary name of this process. */
export function temporaryPrefix(): string {
  const { machine, boot } = identity();
  const ticks = Number(startTicks(process.pid)).toString(36);
  return `.blit-${machine}-${boot}-${process.pid.toString(36)}-${ticks}-`;
}

/** Whether a name has the form of a temporary name of any run. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith(".blit-") && (pattern.test(name) || partialPattern.test(name));
}

/**
 * Whether a leftover may be swept: its process is gone. One that belongs to another machine counts
 * as dead when it was last changed more than a day ago (`ageSeconds`).
 */
export function isDeadLeftover(name: string, ageSeconds: number): boolean {
  if (partialPattern.test(name)) return ageSeconds > partialSeconds;
  const match = pattern.exec(name);
  if (match === null) return false;
  const [, machine, boot, pid, ticks] = match;
  const own = identity();
  if (machine !== own.machine) return ageSeconds > foreignLeftoverSeconds;
  if (boot !== own.boot) return true;
  const now = startTicks(Number.parseInt(pid ?? "", 36));
  return now === "0" || Number(now).toString(36) !== ticks;
}
