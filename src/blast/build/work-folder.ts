/** Folders that builds use and leave: one for each run of blast, removed at its end. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../kit/fs/remove-tree.ts";
import { type FileLock, isLock, tryLock } from "../../kit/store/lock.ts";
import { onBuildInterrupt } from "./run-build-process.ts";

/** A folder of this run alone. */
export class WorkFolder {
  readonly path: string;
  readonly #lock: FileLock | undefined;
  #count = 0;

  private constructor(path: string, lock: FileLock | undefined) {
    this.path = path;
    this.#lock = lock;
    process.once("exit", () => this.remove());
    onBuildInterrupt(() => this.remove());
  }

  /**
   * Makes one, in the cache or, where that cannot be written, in the system's temporary folder.
   * What runs that were killed have left behind is removed.
   */
  static open(builds: string): WorkFolder {
    const parent = join(builds, "work");
    try {
      mkdirSync(parent, { recursive: true });
      sweep(parent);
      const path = join(parent, `run-${crypto.randomUUID()}`);
      const lock = tryLock(`${path}.lock`, "blast");
      mkdirSync(path);
      return new WorkFolder(path, isLock(lock) ? lock : undefined);
    } catch {
      return new WorkFolder(mkdtempSync(join(tmpdir(), "blast-build-")), undefined);
    }
  }

  /** An empty folder in it. */
  make(name: string): string {
    this.#count += 1;
    const path = join(this.path, `${this.#count}-${name}`);
    mkdirSync(path);
    return path;
  }

  remove(): void {
    removeTree(this.path);
    if (this.#lock === undefined) return;
    removeTree(this.#lock.path);
    this.#lock[Symbol.dispose]();
  }
}

/** Without its lock a folder is nobody's; only of a moment ago it may be that of a new run. */
const OLD_MS = 24 * 3600 * 1000;

/** A run's lock is free once it has ended, however it has ended. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    const isFolder = !name.endsWith(".lock");
    if (isFolder && (existsSync(`${path}.lock`) || !isOld(path))) continue;
    if (isFolder) removeTree(path);
    else removeUnlocked(path);
  }
}

function removeUnlocked(path: string): void {
  try {
    const lock = tryLock(path, "blast");
    if (!isLock(lock)) return;
    using _held = lock;
    removeTree(path.slice(0, -".lock".length));
    removeTree(path);
  } catch {
    // Another user's: theirs to remove.
  }
}

function isOld(path: string): boolean {
  const modifiedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return modifiedMs !== undefined && Date.now() - modifiedMs > OLD_MS;
}
