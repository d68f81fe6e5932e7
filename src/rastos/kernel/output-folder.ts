import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { type FileLock, isLock, tryLock } from "../../kit/store/lock.ts";

/** Where the parts of a build lie below its output folder. */
export interface OutputPaths {
  readonly folder: string;
  /** `O=` of make: the configuration and all objects. */
  readonly build: string;
  readonly config: string;
  /** What a root folder needs of the kernel. */
  readonly install: string;
  readonly log: string;
}

/** It tells that a folder is ours, and so may be removed. */
const MARKER = ".rastos-kernel.json";
const SCHEMA = "rastos.kernel-output/1";

/** The paths of an output folder; nothing is made. */
export function outputPaths(output: string): OutputPaths {
  const folder = resolve(output);
  return {
    folder,
    build: join(folder, "build"),
    config: join(folder, "build/.config"),
    install: join(folder, "install"),
    log: join(folder, "build.log"),
  };
}

/**
 * Makes an output folder, or takes one that is ours, and locks it.
 *
 * @throws {Fault} E_REFUSED where the folder holds something else; E_LOCKED while another build
 *   works in it; E_IO
 */
export function claimOutput(output: string, command: string): OutputPaths & { lock: FileLock } {
  const paths = outputPaths(output);
  const { folder } = paths;
  if (!isOurs(folder)) {
    const names = namesIn(folder);
    if (names !== undefined && names.length > 0) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot build in "${folder}": it holds other things than kernel builds`,
        hint: "name a folder that is empty or does not exist with --output",
      });
    }
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw new Fault({
        code: "E_IO",
        message: `Cannot make the folder "${folder}": ${reasonOf(error)}`,
      });
    }
    writeFileAtomic({
      path: join(folder, MARKER),
      content: `${JSON.stringify({ schema: SCHEMA })}\n`,
    });
  }
  mkdirSync(paths.build, { recursive: true });
  return { ...paths, lock: lockOutput(folder, command) };
}

function lockOutput(folder: string, command: string): FileLock {
  const lock = tryLock(join(folder, ".lock"), command);
  if (isLock(lock)) return lock;
  const who = lock.pid === undefined ? "another process" : `process ${lock.pid}`;
  throw new Fault({
    code: "E_LOCKED",
    message: `Cannot use "${folder}": ${who} is building in it`,
    hint: "wait until it has ended, or name another folder with --output",
    details: { pid: lock.pid, command: lock.command },
  });
}

/**
 * Removes an output folder with all that is in it.
 *
 * @throws {Fault} E_NOT_FOUND; E_REFUSED where it is not ours; E_LOCKED; E_IO
 */
export function removeOutput(output: string): void {
  const { folder } = outputPaths(output);
  requireOurs(output);
  using _lock = lockOutput(folder, "rastos kernel clean");
  try {
    // The marker last: what is half removed can be cleaned again.
    for (const name of namesIn(folder) ?? []) {
      if (name !== MARKER) rmSync(join(folder, name), { recursive: true, force: true });
    }
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    throw new Fault({
      code: "E_IO",
      message: `Cannot remove all of "${folder}": ${reasonOf(error)}`,
    });
  }
}

/** @throws {Fault} E_NOT_FOUND, or E_REFUSED where the folder is not one of ours */
export function requireOurs(output: string): void {
  const { folder } = outputPaths(output);
  if (namesIn(folder) === undefined) {
    throw new Fault({ code: "E_NOT_FOUND", message: `Cannot clean "${folder}": no such folder` });
  }
  if (!isOurs(folder)) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot clean "${folder}": no kernel was built there by rastos`,
      hint: `only folders with a "${MARKER}" are removed`,
    });
  }
}

/** Not through a symbolic link: the folder behind it belongs to whoever made the link. */
function isOurs(folder: string): boolean {
  try {
    if (!lstatSync(folder).isDirectory()) return false;
    const marker: unknown = JSON.parse(readFileSync(join(folder, MARKER), "utf8"));
    return (marker as { schema?: unknown } | null)?.schema === SCHEMA;
  } catch {
    return false;
  }
}

function namesIn(folder: string): string[] | undefined {
  try {
    return readdirSync(folder);
  } catch {
    return undefined;
  }
}
