import type { FolderNode } from "./folder-node.ts";
import { forEachName } from "./listing.ts";
import type { Thread } from "./thread.ts";

/** Names of a target that may take two of them for one: it folds case or normalises them. */

/** The exact names in an open folder; undefined where every name is kept apart. */
export function exactNamesIn(t: Thread, fd: number): Set<string> | undefined {
  if (!t.options.targetFoldsNames) return undefined;
  const names = new Set<string>();
  // What a listing that fails leaves out counts as another's name: nothing is overwritten then.
  forEachName(t, fd, (offset, length) => {
    names.add(t.dirents.text.latin1Slice(offset, offset + length));
  });
  return names;
}

/** Whether what the target has under a name has it for another entry's. */
export function isFolded(node: Pick<FolderNode, "exactNames">, name: string): boolean {
  return node.exactNames !== undefined && !node.exactNames.has(name);
}
