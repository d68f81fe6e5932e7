import { readFileSync } from "node:fs";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { statePath } from "./layout.ts";
import { isId } from "./record.ts";
import type { Deployment, Snapshot, SystemState } from "./types.ts";

/** The state of a tree without anything in it. */
export const EMPTY_STATE: SystemState = {
  format: 1,
  defaultDeployment: undefined,
  snapshots: [],
  deployments: [],
  nextSnapshot: 0,
  nextDeployment: 0,
};

/**
 * Reads the state as it was written last; undefined where there is none. Snapshots that were made
 * since are not in it: see `findTree`.
 *
 * @throws {Fault} E_CONFIG where it is not understood
 */
export function readStateFile(top: string): SystemState | undefined {
  const path = statePath(top);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    const isDenied = (error as NodeJS.ErrnoException).code === "EACCES";
    throw new Fault({
      code: isDenied ? "E_PRIVILEGE" : "E_IO",
      message: `Cannot read "${path}": ${reasonOf(error)}`,
      hint: isDenied ? "snapshots need root: run it with sudo" : undefined,
    });
  }
  const state = parseState(text);
  if (state !== undefined) return state;
  throw new Fault({
    code: "E_CONFIG",
    message: `Cannot understand "${path}"`,
    hint: "`rastos snapshot rebuild` makes it anew from the subvolumes",
  });
}

/**
 * Writes the state as a whole; it is on the disk on return, unless it only repeats what others say.
 * @throws {Fault} E_IO, E_NO_SPACE
 */
export function writeStateFile(top: string, state: SystemState, isRepeated = false): void {
  const content = `${JSON.stringify(state, null, 1)}\n`;
  const waitsForName = !isRepeated;
  writeFileAtomic({ path: statePath(top), content, mode: 0o600, waitsForName });
}

/** A state from its text; undefined where anything in it is not as it should be. */
export function parseState(text: string): SystemState | undefined {
  let value: Partial<Record<keyof SystemState, unknown>>;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || value.format !== 1) return undefined;
  const { snapshots, deployments, defaultDeployment, nextSnapshot, nextDeployment } = value;
  if (!Array.isArray(snapshots) || !snapshots.every(isSnapshot)) return undefined;
  if (!Array.isArray(deployments) || !deployments.every(isDeployment)) return undefined;
  if (!isId(nextSnapshot) || !isId(nextDeployment)) return undefined;
  if (defaultDeployment !== undefined && !isId(defaultDeployment)) return undefined;
  return { format: 1, defaultDeployment, snapshots, deployments, nextSnapshot, nextDeployment };
}

function isSnapshot(value: Partial<Snapshot> | null): value is Snapshot {
  return (
    typeof value === "object" &&
    value !== null &&
    isId(value.id) &&
    (value.parent === undefined || isId(value.parent)) &&
    isTextOrNothing(value.branch) &&
    typeof value.description === "string" &&
    typeof value.createdMs === "number" &&
    typeof value.isPinned === "boolean" &&
    typeof value.uuid === "string" &&
    isTextOrNothing(value.system)
  );
}

function isDeployment(value: Partial<Deployment> | null): value is Deployment {
  return (
    typeof value === "object" &&
    value !== null &&
    isId(value.id) &&
    isId(value.snapshot) &&
    typeof value.subvolume === "string" &&
    typeof value.entry === "string" &&
    typeof value.createdMs === "number" &&
    ["new", "trying", "good", "bad"].includes(value.state ?? "") &&
    isTextOrNothing(value.reason) &&
    isTextOrNothing(value.kernelVersion)
  );
}

function isTextOrNothing(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}
