import { mkdirSync, mkdtempSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A temporary folder that goes when its scope ends: `using work = createWorkspace()`. */
export interface Workspace extends Disposable {
  readonly path: string;
  /** The absolute path of something in the folder. */
  at(...parts: string[]): string;
  /** Writes a file (and the folders above it); returns its absolute path. */
  write(relative: string, content?: string | Uint8Array, options?: WriteOptions): string;
  /** Makes a folder (and those above it); returns its absolute path. */
  folder(relative: string): string;
}

interface WriteOptions {
  readonly mode?: number;
  /** Modification time in seconds since the epoch. */
  readonly mtimeSeconds?: number;
}

/**
 * Makes a temporary folder.
 *
 * @param parent where to make it, such as a loop mount; the system's temporary folder by default
 */
export function createWorkspace(parent: string = tmpdir()): Workspace {
  const path = mkdtempSync(join(parent, "triad-test-"));
  const at = (...parts: string[]): string => join(path, ...parts);
  return {
    path,
    at,
    write(relative, content = "", options = {}) {
      const file = at(relative);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content, options.mode === undefined ? {} : { mode: options.mode });
      const seconds = options.mtimeSeconds;
      if (seconds !== undefined) utimesSync(file, seconds, seconds);
      return file;
    },
    folder(relative) {
      mkdirSync(at(relative), { recursive: true });
      return at(relative);
    },
    [Symbol.dispose]() {
      removeTree(path);
    },
  };
}

/** Removes a tree by rm(1): paths beyond PATH_MAX, names of any bytes and closed folders too. */
export function removeTree(path: string): void {
  if (Bun.spawnSync(["rm", "-rf", "--", path], { stderr: "ignore" }).success) return;
  Bun.spawnSync(["chmod", "-R", "u+rwx", "--", path], { stderr: "ignore" });
  const result = Bun.spawnSync(["rm", "-rf", "--", path], { stderr: "pipe" });
  if (!result.success) throw new Error(`Cannot remove "${path}": ${result.stderr.toString()}`);
}
