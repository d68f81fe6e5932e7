import { noteListingError } from "./entries.ts";
import type { FolderNode } from "./folder-node.ts";
import { forEachName } from "./listing.ts";
import { countTree, isOnTargetMount } from "./remove.ts";
import { counter } from "./shared-state.ts";
import { isTemporaryName } from "./staging.ts";
import type { Extraneous, Thread } from "./thread.ts";

/**
 * What the target has and the source has not. When as many entries of the source were found in the
 * target as the target has, there is nothing of that kind, and no set of names is needed.
 */
export function noteExtraneous(t: Thread, node: FolderNode, folders: readonly string[]): void {
  if (node.targetEntries < 0 || (node.isNew && !t.isDry)) return;
  // Folders are matched when their turn comes, later; files were matched as they were listed.
  if (node.matched >= node.targetEntries) return;
  const wanted = new Set<string>(folders);
  const listed = forEachName(t, node.sourceFd, (offset, length) => {
    wanted.add(t.dirents.text.latin1Slice(offset, offset + length));
  });
  if (listed < 0) {
    listingFailed(t, node, listed);
    return;
  }
  noteAllBut(t, node, wanted);
}

function listingFailed(t: Thread, node: FolderNode, result: number): void {
  noteListingError(t);
  t.failed(result, "getdents64", node.path, "list the folder again");
}

/** Counts and notes what the target's folder has besides `wanted`. */
export function noteAllBut(t: Thread, node: FolderNode, wanted: ReadonlySet<string>): void {
  const found: string[] = [];
  const listedTarget = forEachName(t, node.targetFd, (offset, length, type) => {
    const name = t.dirents.text.latin1Slice(offset, offset + length);
    if (wanted.has(name) || isTemporaryName(name)) return;
    if (t.filter?.isExcluded(node.pathOf(name), type === 4) === true) return;
    found.push(name);
  });
  if (listedTarget < 0) {
    listingFailed(t, node, listedTarget);
    return;
  }
  if (found.length > 0 && isOnTargetMount(t, node.targetFd, node.path, "skipped"))
    record(t, node, found, { isInTheWay: false, replacedBy: "none" });
}

function record(
  t: Thread,
  node: FolderNode,
  found: readonly string[],
  how: { readonly isInTheWay: boolean; readonly replacedBy: Extraneous["replacedBy"] },
): void {
  const { isInTheWay, replacedBy } = how;
  const names: string[] = [];
  let entries = 0;
  for (const name of found) {
    const path = node.pathOf(name);
    const counted = countTree(t, node.targetFd, name, path);
    if (counted === undefined) continue;
    if (!counted.isWhole) {
      tellProtected(t, path, isInTheWay);
      if (counted.entries === 0 || isInTheWay) continue;
    }
    names.push(name);
    entries += counted.entries;
    t.act("delete", path);
  }
  if (names.length === 0) return;
  t.add(counter.deletable, entries);
  t.extraneous.push({ root: node.root, folder: node.path, names, entries, replacedBy });
}

/** A folder that holds what the filter leaves out stays, and so does the way that it is in. */
function tellProtected(t: Thread, path: string, isInTheWay: boolean): void {
  const code = "E_PROTECTED";
  if (!isInTheWay) {
    const message = "in the target it holds entries that the filter leaves out: these stay";
    t.report({ kind: "skipped", path, code, call: undefined, message });
  } else {
    const message = "cannot replace what the target has: the filter leaves it, or part of it, out";
    t.report({ kind: "failed", path, code, call: undefined, message });
  }
}

/**
 * Counts and notes what stands in the way of entries of another type. Not while a listing is read,
 * since counting reads listings itself.
 */
export function settleReplacements(t: Thread): void {
  for (let next = t.replacements.pop(); next !== undefined; next = t.replacements.pop()) {
    noteReplacement(t, next.node, next.name, "entry");
  }
}

/** Counts and notes an entry of the target that stands in the way; false where it has to stay. */
export function noteReplacement(
  t: Thread,
  node: FolderNode,
  name: string,
  replacedBy: Extraneous["replacedBy"],
): boolean {
  const before = t.extraneous.length;
  record(t, node, [name], { isInTheWay: true, replacedBy });
  return t.extraneous.length > before;
}
