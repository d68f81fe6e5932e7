import type { FolderNode } from "./folder-node.ts";
import { forEachName } from "./listing.ts";
import { countTree } from "./remove.ts";
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
  if (listed < 0) return;
  const found: string[] = [];
  forEachName(t, node.targetFd, (offset, length, type) => {
    const name = t.dirents.text.latin1Slice(offset, offset + length);
    if (wanted.has(name) || isTemporaryName(name)) return;
    if (t.filter?.isExcluded(node.pathOf(name), type === 4) === true) return;
    found.push(name);
  });
  if (found.length > 0) record(t, node, found, "none");
}

function record(
  t: Thread,
  node: FolderNode,
  found: readonly string[],
  replacedBy: Extraneous["replacedBy"],
): void {
  const names: string[] = [];
  let entries = 0;
  for (const name of found) {
    const path = node.pathOf(name);
    const count = countTree(t, node.targetFd, name, path);
    if (count < 0) continue;
    names.push(name);
    entries += count;
    t.act("delete", path);
  }
  if (names.length === 0) return;
  t.add(counter.deletable, entries);
  t.extraneous.push({ root: node.root, folder: node.path, names, entries, replacedBy });
}

/**
 * Counts and notes what stands in the way of entries of another type. Not while a listing is read,
 * since counting reads listings itself.
 */
export function settleReplacements(t: Thread): void {
  for (let next = t.replacements.pop(); next !== undefined; next = t.replacements.pop()) {
    record(t, next.node, [next.name], "entry");
  }
}
