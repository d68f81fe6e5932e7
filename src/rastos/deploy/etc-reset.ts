import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import { BESIDE } from "./carry-plan.ts";
import type { EtcChange } from "./etc-diff.ts";
import { resetFstab } from "./fstab.ts";

/** The two sides: the etc of a snapshot, and that of a deployment of it. */
export interface EtcPair {
  readonly original: string;
  readonly own: string;
}

/**
 * The changes that some paths name: themselves, and what is below them. No paths: all changes.
 *
 * @param paths below etc, or beginning with /etc/
 * @throws {Fault} E_NOT_FOUND for a path that nothing has changed
 */
export function chosenChanges(
  changes: readonly EtcChange[],
  paths: readonly string[],
): readonly EtcChange[] {
  if (paths.length === 0) return changes;
  const wanted = paths.map((path) => path.replace(/^\/?etc\//, "").replace(/\/+$/, ""));
  const isNamed = (change: EtcChange, name: string): boolean =>
    change.path === name || change.path.startsWith(`${name}/`);
  const idle = wanted.find((name) => !changes.some((change) => isNamed(change, name)));
  if (idle !== undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot reset "/etc/${idle}": it is as the snapshot has it`,
      hint: "rastos etc diff shows what was changed",
    });
  }
  // With a file of mine goes the snapshot's that was put beside it.
  const all = wanted.flatMap((name) => [name, `${name}${BESIDE}`]);
  return changes.filter((change) => all.some((name) => isNamed(change, name)));
}

/**
 * Brings paths back to what the snapshot has: each file is replaced as a whole, what was added
 * goes. Links in either etc lead nowhere else.
 *
 * @throws {Fault} E_IO, E_PRIVILEGE; what was done until then stays done
 */
export function resetEtc(pair: EtcPair, changes: readonly EtcChange[]): void {
  using original = RootFolder.open(pair.original, "none");
  using own = RootFolder.open(pair.own, "none");
  for (const { kind, path } of changes) {
    if (path === "fstab") {
      own.writeFile(path, resetFstab(original.readText(path), own.readText(path) ?? ""));
    } else if (kind === "added") removeWhole(own, path);
    else restore({ original, own }, path);
  }
}

interface Sides {
  readonly original: RootFolder;
  readonly own: RootFolder;
}

function restore(sides: Sides, path: string): void {
  const { original, own } = sides;
  const before = original.status(path);
  const now = own.status(path);
  if (before === undefined) return;
  if (now !== undefined && now.kind !== before.kind) removeWhole(own, path);
  const { mode, uid, gid } = before;
  if (before.kind === "link") own.writeLink(path, original.readLink(path) ?? "");
  else if (before.kind === "file") own.copyFile(original, path);
  else if (before.kind === "folder") {
    const isNew = now?.kind !== "folder";
    own.makeFolder(path, { mode, uid, gid });
    own.setRights(path, { mode, uid, gid });
    own.setAttributes(path, original.attributes(path));
    // What is in a folder that was there has changes of its own.
    if (isNew) for (const name of original.names(path)) restore(sides, `${path}/${name}`);
  }
}

/** Removes a file, or a folder with all in it, never what a link leads to. */
export function removeWhole(own: RootFolder, path: string): void {
  if (own.status(path)?.kind !== "folder") {
    own.remove(path);
    return;
  }
  // Opened through the root, so that no folder above it is a link.
  using folder = own.sub(path, "none");
  for (const name of folder.names(".")) {
    const isFolder = folder.status(name)?.kind === "folder";
    if (isFolder) removeWhole(own, `${path}/${name}`);
    else folder.remove(name);
  }
  own.remove(path);
}
