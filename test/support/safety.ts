import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * What a tree holds, read by node:fs, and what must be true of it at any moment: also after a crash
 * in the middle of a transfer.
 */

/** An entry of a tree: enough to tell an old state from a new one and from a partial one. */
export type Held = {
  readonly type: "file" | "folder" | "link" | "other";
  /** Digest and size of a file, target of a link, "" otherwise. */
  readonly content: string;
  readonly mode: number;
  readonly mtimeNs: bigint;
};

/** Path below the root -> entry. */
export type Holding = ReadonlyMap<string, Held>;

/** Reads everything below a folder; a missing one holds nothing. */
export function readHolding(root: string): Holding {
  const found = new Map<string, Held>();
  const visit = (folder: string, prefix: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const held = readHeld(path);
      found.set(prefix + name, held);
      if (held.type === "folder") visit(path, `${prefix}${name}/`);
    }
  };
  if (statSync(root, { throwIfNoEntry: false }) !== undefined) visit(root, "");
  return found;
}

function readHeld(path: string): Held {
  const status = lstatSync(path, { bigint: true });
  const common = { mode: Number(status.mode & 0o7777n), mtimeNs: status.mtimeNs };
  if (status.isDirectory()) return { type: "folder", content: "", ...common };
  if (status.isSymbolicLink()) return { type: "link", content: readlinkSync(path), ...common };
  if (!status.isFile()) return { type: "other", content: "", ...common };
  return { type: "file", content: contentOf(readFileSync(path)), ...common };
}

/** What {@link Held} says of a file with these bytes. */
export function contentOf(bytes: Uint8Array): string {
  return `${bytes.length}:${Bun.hash.xxHash3(bytes)}`;
}

/** Temporary names of blit, wherever they stand in a path. */
export function isLeftover(path: string): boolean {
  return path.split("/").some((part) => part.startsWith(".blit-"));
}

/** Every path below a folder. Not readdir's own recursion: Bun's follows symbolic links. */
function namesBelow(root: string, prefix = ""): string[] {
  return readdirSync(join(root, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = prefix + entry.name;
    return entry.isDirectory() ? [path, ...namesBelow(root, `${path}/`)] : [path];
  });
}

/** Paths with a temporary name in them. */
export function leftovers(...roots: readonly string[]): string[] {
  return roots.flatMap((root) =>
    namesBelow(root)
      .filter(isLeftover)
      .map((path) => join(root, path)),
  );
}

/**
 * Paths under final names that hold neither what they held before nor what they are to hold: a
 * final name with a part of a file is the one thing that must never be.
 */
export function partial(now: Holding, before: Holding, wanted: Holding): string[] {
  const wrong: string[] = [];
  for (const [path, held] of now) {
    if (isLeftover(path)) continue;
    const allowed = [before.get(path), wanted.get(path)];
    const isKnown = allowed.some(
      (each) => each !== undefined && each.type === held.type && each.content === held.content,
    );
    if (!isKnown) wrong.push(`${path}: ${held.type} ${held.content}`);
  }
  return wrong;
}

/** Files and links of `wanted` that none of the places holds. */
export function lost(wanted: Holding, places: readonly Holding[]): string[] {
  const missing: string[] = [];
  for (const [path, held] of wanted) {
    if (held.type === "folder") continue;
    const isThere = places.some((place) => {
      const there = place.get(path);
      return there?.type === held.type && there.content === held.content;
    });
    if (!isThere) missing.push(path);
  }
  return missing;
}

/**
 * What every entry's status says, without reading any content: the change time moves with every
 * write and every change of an attribute, so equal answers mean an untouched tree.
 */
export function readStatuses(root: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of ["", ...namesBelow(root)]) {
    const { ino, mode, nlink, size, mtimeNs, ctimeNs } = lstatSync(join(root, name), {
      bigint: true,
    });
    found.set(name, [ino, mode, nlink, size, mtimeNs, ctimeNs].join(" "));
  }
  return found;
}
