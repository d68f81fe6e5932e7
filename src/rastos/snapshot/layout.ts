import { join } from "node:path";

/** Where everything of rastOS lies on a btrfs top level (docs/concepts/snapshots.md). */
export const SNAPSHOTS = ".snapshots";

/** The three subvolumes of a snapshot, by the folder that holds them, and their names. */
export const PARTS = ["root", "etc", "var"] as const;

/** A part of a snapshot. */
export type Part = (typeof PARTS)[number];

const PART_FOLDERS: Readonly<Record<Part, string>> = { root: "rootfs", etc: "etc", var: "var" };
const PART_NAMES: Readonly<Record<Part, string>> = { root: "snapshot", etc: "etc", var: "var" };

/** Absolute path of the folder that holds this part of every snapshot. */
export function partFolder(top: string, part: Part): string {
  return join(top, SNAPSHOTS, PART_FOLDERS[part]);
}

/** `snapshot-7`, `etc-7`, `var-7`. */
export function partName(part: Part, id: number): string {
  return `${PART_NAMES[part]}-${id}`;
}

/**
 * Absolute path of a part of a snapshot, by its name. For etc and var that may be a link: what is
 * to be read is at `partPlace` (part-place.ts).
 */
export function partPath(top: string, part: Part, id: number): string {
  return join(partFolder(top, part), partName(part, id));
}

/** Folders of a snapshot, absolute. */
export interface SnapshotPaths {
  readonly root: string;
  readonly etc: string;
  readonly var: string;
}

/** The id in a part's name, or undefined for every other name. */
export function idOfName(part: Part, name: string): number | undefined {
  const prefix = `${PART_NAMES[part]}-`;
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  return /^(0|[1-9]\d{0,8})$/.test(digits) ? Number(digits) : undefined;
}

/** Names of what is not finished, and of what is being removed: never anything that counts. */
const UNFINISHED = /^\.(new|del)-(\d{1,9})$/;

/** The name of a part that is being received. */
export function newName(id: number): string {
  return `.new-${id}`;
}

/** The name of a part that is being removed. */
export function deletedName(id: number): string {
  return `.del-${id}`;
}

/** What an unfinished part's name says, or undefined for every other name. */
export function unfinishedOf(
  name: string,
): { readonly kind: "new" | "del"; readonly id: number } | undefined {
  const match = UNFINISHED.exec(name);
  if (match === null) return undefined;
  return { kind: match[1] === "new" ? "new" : "del", id: Number(match[2]) };
}

/** Absolute path of the folder for temporary clones. */
export function temporaryFolder(top: string): string {
  return join(top, SNAPSHOTS, "tmp");
}

/** Absolute path of the folder for deployments. */
export function deployFolder(top: string): string {
  return join(top, SNAPSHOTS, "deploy");
}

/** Absolute path of the folder for state and lock. */
export function stateFolder(top: string): string {
  return join(top, SNAPSHOTS, "state");
}

/** Absolute path of the state. */
export function statePath(top: string): string {
  return join(stateFolder(top), "state.json");
}

/** The folders of an empty tree. */
export function treeFolders(top: string): readonly string[] {
  return [
    ...PARTS.map((part) => partFolder(top, part)),
    deployFolder(top),
    temporaryFolder(top),
    stateFolder(top),
  ];
}
