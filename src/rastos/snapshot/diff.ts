import { changedInodes, inodePaths } from "../../../ffi/btrfs/changed.ts";
import { errno } from "../../../ffi/errno.ts";
import { TreeComparison, type TreePair } from "./compare-trees.ts";
import type { FileChange } from "./file-change.ts";
import { PARTS, type Part } from "./layout.ts";
import { partPlace } from "./part-place.ts";
import { openFolder, subvolumeInfo } from "./subvolume.ts";
import type { Snapshot, SystemState } from "./types.ts";

/** Two snapshots of a tree. */
export interface DiffRequest {
  /** The top level. */
  readonly top: string;
  readonly state: SystemState;
  readonly from: number;
  readonly to: number;
  /** Looks at every file, as if nothing were known of where the snapshots come from. */
  readonly isThorough?: boolean;
}

const PREFIXES: Readonly<Record<Part, string>> = { root: "", etc: "/etc", var: "/var" };

/** In the root etc and var are only places for clones of the other parts. */
const PLACE_OF_PART = /^\/(etc|var)(\/|$)/;

/**
 * The files that two snapshots do not have in common, by path. Of two that descend from one
 * snapshot only what was changed since is looked at: the file system knows the transaction of every
 * change. Times alone are no difference.
 */
export function diffFiles(request: DiffRequest): FileChange[] {
  const { top, state, from, to } = request;
  const ancestor = request.isThorough === true ? undefined : commonAncestor(state, from, to);
  const changes = PARTS.flatMap((part) => {
    const [a, b] = [partPlace(top, part, from), partPlace(top, part, to)];
    if (a === b) return [];
    const since =
      ancestor === undefined
        ? undefined
        : subvolumeInfo(partPlace(top, part, ancestor)).createdTransaction;
    const found = diffPart({ a, b, prefix: PREFIXES[part], since });
    return part === "root" ? found.filter(({ path }) => !PLACE_OF_PART.test(path)) : found;
  });
  return changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** The snapshot nearest to both that both descend from, or are. */
export function commonAncestor(state: SystemState, a: number, b: number): number | undefined {
  const byId = new Map(state.snapshots.map((snapshot) => [snapshot.id, snapshot]));
  const lineOf = (id: number): number[] => {
    const line: number[] = [];
    let snapshot: Snapshot | undefined = byId.get(id);
    while (snapshot !== undefined && !line.includes(snapshot.id)) {
      line.push(snapshot.id);
      snapshot = snapshot.parent === undefined ? undefined : byId.get(snapshot.parent);
    }
    return line;
  };
  const others = new Set(lineOf(b));
  return lineOf(a).find((id) => others.has(id));
}

function diffPart(part: {
  readonly a: string;
  readonly b: string;
  readonly prefix: string;
  readonly since: number | undefined;
}): readonly FileChange[] {
  const { since } = part;
  const pair = (isSame: TreePair["isSame"]): TreePair => ({
    a: Buffer.from(part.a).toString("latin1"),
    b: Buffer.from(part.b).toString("latin1"),
    prefix: part.prefix,
    isSame,
  });
  const known = since === undefined ? undefined : changesSince(part.a, part.b, since);
  if (known === undefined) {
    const comparison = new TreeComparison(pair(() => false));
    comparison.compareAt("");
    comparison.compareBelow("");
    return comparison.changes;
  }
  const { inodes, paths } = known;
  const isChanged = (inode: bigint): boolean => inodes.has(Number(inode));
  const comparison = new TreeComparison(pair((a, b) => a.ino === b.ino && !isChanged(a.ino)));
  for (const path of paths) comparison.compareAt(path);
  return comparison.changes;
}

/** What was changed in either, as inodes and as paths; undefined where the kernel does not tell. */
function changesSince(
  a: string,
  b: string,
  since: number,
): { readonly inodes: ReadonlySet<number>; readonly paths: ReadonlySet<string> } | undefined {
  const inodes = new Set<number>();
  const paths = new Set<string>();
  for (const path of [a, b]) {
    using folder = openFolder(path);
    const changed = changedInodes(folder.number, since);
    if (typeof changed === "number") return undefined;
    for (const inode of changed) {
      const found = inodePaths(folder.number, inode);
      // Removed while it was open: it has no name any more.
      if (found === -errno.ENOENT) continue;
      if (typeof found === "number" || !found.isWhole) return undefined;
      inodes.add(inode);
      for (const inner of found.paths) paths.add(inner === "" ? "" : `/${inner}`);
    }
  }
  return { inodes, paths };
}
