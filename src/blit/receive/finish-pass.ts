import { runRemoval } from "../engine/deletion.ts";
import type { Thread } from "../engine/thread.ts";
import { finishLate, type LateFolders, locksOut } from "./late-folders.ts";
import type { LateFolder, TargetRoot } from "./messages.ts";
import type { TargetDevices } from "./target-devices.ts";
import { openBelow } from "./target-folders.ts";

/**
 * What a stream does when every stream has its content in place: removes what a mirror found too
 * much in the folders that came on it, then gives those folders their times.
 * Returns folders that have to wait until nothing below them is to be reached.
 */
export function finishStream(
  t: Thread,
  pass: {
    readonly roots: readonly TargetRoot[];
    readonly late: LateFolders;
    readonly devices: TargetDevices;
    readonly deletes: boolean;
  },
): LateFolder[] {
  const { roots, late, devices, deletes } = pass;
  const found = t.extraneous.splice(0);
  if (t.isDry) return [];
  for (const { root, folder, names, replacedBy } of found) {
    if (t.cancelled) return [];
    const targetRootFd = roots[root]?.targetFd ?? -1;
    if (deletes) runRemoval(t, { kind: "remove", root, targetRootFd, folder, names });
    else if (replacedBy !== "none") reportUnreplaced(t, root, folder, names);
  }
  const locked: LateFolder[] = [];
  late.take((folder) => {
    if (t.cancelled) return;
    if (locksOut(t, folder)) locked.push(folder);
    else finishLate(t, roots, folder);
  });
  if (!t.cancelled) devices.sync((root, path) => openBelow(roots[root]?.targetFd ?? -1, path));
  return locked;
}

/** What stands in the way stays, so the source's entries of those names were not copied. */
function reportUnreplaced(t: Thread, root: number, folder: string, names: readonly string[]): void {
  if (t.cancelled) return;
  t.root = root;
  const message = "the target has something of another type, and nothing was deleted";
  for (const name of names) {
    const path = folder === "" ? name : `${folder}/${name}`;
    t.report({ kind: "failed", path, code: "E_CONFLICT", call: undefined, message });
  }
}
