import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { SNAPSHOTS, type SnapshotPaths } from "./layout.ts";

/**
 * Copies a folder into the three parts of a snapshot, with owners, modes, times, attributes, hard
 * links and devices; blocks are shared where the file systems can. Other file systems that are
 * mounted in it stay out. `etc` and `var` of the root are left as empty folders.
 *
 * @throws {Fault} E_NOT_FOUND, E_IO
 */
export function fillParts(from: string, targets: SnapshotPaths): void {
  const names = listFolder(from);
  const { dev } = statSync(from);
  const own: string[] = [];
  for (const name of names) {
    if (["etc", "var", SNAPSHOTS].includes(name)) continue;
    const status = lstatSync(join(from, name));
    // cp would take it for a file system of its own, and copy all of /proc.
    if (status.dev === dev) own.push(join(from, name));
    else if (status.isDirectory()) makePlace(join(targets.root, name), status.mode & 0o7777);
  }
  copyInto(own, targets.root);
  for (const part of ["etc", "var"] as const) {
    const source = join(from, part);
    if (names.includes(part) && lstatSync(source).isDirectory()) {
      copyInto([`${source}/.`], targets[part]);
    }
  }
  placeHolders(targets.root);
}

/** The folders in the root whose place clones of etc and var will take. */
export function placeHolders(root: string): void {
  for (const part of ["etc", "var"]) makePlace(join(root, part), 0o755);
}

function makePlace(path: string, mode: number): void {
  mkdirSync(path);
  chmodSync(path, mode);
}

/** How many bytes a copy of the folder will take: none where blocks can be shared. */
export function bytesToCopy(from: string, top: string): number {
  listFolder(from);
  if (statSync(from).dev === statSync(top).dev) return 0;
  const run = Bun.spawnSync(["du", "-s", "-x", "-B1", "--", from], { stderr: "ignore" });
  return Number(/^\d+/.exec(run.stdout.toString())?.[0] ?? 0);
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Fault({
      code: code === "ENOENT" || code === "ENOTDIR" ? "E_NOT_FOUND" : "E_IO",
      message: `Cannot read the folder "${path}"`,
      cause: error,
    });
  }
}

function copyInto(sources: readonly string[], target: string): void {
  if (sources.length === 0) return;
  const command = ["cp", "-a", "-x", "--reflink=auto", "-t", target, "--", ...sources];
  const run = Bun.spawnSync(command, { stdout: "ignore", stderr: "pipe" });
  if (run.success) return;
  throw new Fault({
    code: "E_IO",
    message: `Cannot copy all files into "${target}"`,
    excerpt: run.stderr.toString().trim().split("\n").slice(0, 5),
  });
}
