import { mkdirSync } from "node:fs";
import { firstReason, needsProgram, needsRoot } from "./skip.ts";
import { createWorkspace } from "./workspace.ts";

let probed: { readonly reason: string | undefined } | undefined;

/** Why folders cannot be mounted here, or undefined: found out by mounting one, once per run. */
export function cannotBind(): string | undefined {
  probed ??= { reason: firstReason(needsRoot(), needsProgram("mount", "umount")) ?? probe() };
  return probed.reason;
}

function probe(): string | undefined {
  using work = createWorkspace();
  try {
    using _mounted = bindAt(work.folder("there"), work.folder("here"));
    return undefined;
  } catch (error) {
    return `cannot mount --bind: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Mounts a folder at another place too, which is made where it is missing. */
export function bindAt(place: string, folder: string): Disposable {
  mkdirSync(place, { recursive: true });
  return mountAt(place, ["--bind", folder]);
}

/** Mounts an empty tmpfs. */
export function memoryAt(place: string): Disposable {
  mkdirSync(place, { recursive: true });
  return mountAt(place, ["-t", "tmpfs", "-o", "size=16m", "tmpfs"]);
}

function mountAt(place: string, args: readonly string[]): Disposable {
  const run = Bun.spawnSync(["mount", ...args, place], { stderr: "pipe" });
  if (!run.success) throw new Error(run.stderr.toString().trim());
  return { [Symbol.dispose]: () => unmount(place) };
}

/** A mount that stays would let the removal of the workspace reach what is mounted: that fails. */
function unmount(place: string): void {
  const run = Bun.spawnSync(["umount", place], { stderr: "pipe" });
  if (run.success) return;
  Bun.spawnSync(["umount", "-l", place]);
  throw new Error(`Cannot unmount "${place}": ${run.stderr.toString()}`);
}
