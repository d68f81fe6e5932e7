import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
} from "node:fs";
import { join, resolve, sep } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import type { PackageRootOptions } from "./types.ts";

/** Where a root keeps what belongs to its packages; all absolute. */
export interface PackagePaths {
  readonly root: string;
  /** var/lib/pacman: `local` and `sync`. */
  readonly database: string;
  readonly cache: string;
  readonly gpg: string;
  readonly hooks: string;
  readonly log: string;
}

/** Whether the databases of all repositories have been fetched. @throws {Fault} of the folders */
export function hasSyncDatabases(options: PackageRootOptions): boolean {
  const { database } = packagePathsOf(options);
  return options.repositories.every(({ name }) => existsSync(join(database, "sync", `${name}.db`)));
}

/** The lock of pacman in its database folder. */
export const LOCK_NAME = "db.lck";

/**
 * The folders of a root. One that a symbolic link leads out of it is refused: what lies in a
 * snapshot is foreign, and its `var` may point to this machine's.
 *
 * @throws {Fault} E_NOT_FOUND without the root, E_REFUSED for a folder that leads outside
 */
export function packagePathsOf(options: PackageRootOptions): PackagePaths {
  const root = existingRoot(options.root);
  const own = (...parts: string[]): string => beneath(root, join(...parts));
  return {
    root,
    database: options.databaseFolder ?? own("var/lib/pacman"),
    cache: options.cacheFolder ?? own("var/cache/pacman/pkg"),
    gpg: options.gpgFolder ?? own("etc/pacman.d/gnupg"),
    hooks: own("etc/pacman.d/hooks"),
    log: own("var/log/pacman.log"),
  };
}

function existingRoot(path: string): string {
  try {
    const root = realpathSync(resolve(path));
    if (lstatSync(root).isDirectory()) return root;
  } catch {
    // Said below.
  }
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot work on the packages of "${path}": there is no such folder`,
  });
}

/** The path with its links followed as far as it exists, which must stay in the root. */
function beneath(root: string, relative: string): string {
  const base = root === "/" ? "" : root;
  const parts = relative.split("/");
  for (let count = parts.length; count > 0; count--) {
    const existing = `${base}/${parts.slice(0, count).join("/")}`;
    const real = realPathOf(existing);
    if (real === undefined) continue;
    if (real !== root && !real.startsWith(`${base}${sep}`)) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot work on the packages of "${root}": "${existing}" leads out of it`,
        hint: `it is, or lies below, a symbolic link to "${real}": make it a folder`,
      });
    }
    return join(real, ...parts.slice(count));
  }
  return `${base}/${relative}`;
}

function realPathOf(path: string): string | undefined {
  try {
    lstatSync(path);
  } catch {
    return undefined;
  }
  try {
    return realpathSync(path);
  } catch {
    // A link that leads nowhere: as foreign as one that leads outside.
    return "/";
  }
}

/** The process that holds the lock's file open, as libalpm does: `"pacman" (process 12)`. */
export function lockHolderOf(path: string): string | undefined {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const links = readdirSync(`/proc/${pid}/fd`);
      const holds = links.some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === path);
      if (!holds) continue;
      const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
      return `"${name}" (process ${pid})`;
    } catch {
      // It has ended, or is another user's.
    }
  }
  return undefined;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
