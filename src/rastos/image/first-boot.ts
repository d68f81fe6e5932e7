import { readContent } from "./btrfs/data.ts";
import type { FileNode, FolderNode, Nanoseconds, Status } from "./btrfs/model.ts";
import { emptied, folderAt, withNode } from "./system-tree.ts";

/** Folders whose contents belong to one running machine, or to nobody. */
const EMPTY_FOLDERS = [
  ...["dev", "proc", "sys", "run", "tmp", "var/tmp"],
  ...["var/cache/pacman/pkg", "var/lib/pacman/sync"],
];
/** What each machine makes for itself: two with the same would take each other for one. */
const OWN_FILES = [
  ...["var/lib/dbus/machine-id", "var/lib/systemd/random-seed", "var/lib/random-seed"],
  ...["var/log/pacman.log", "var/lib/pacman/db.lck"],
  // With pacman's own secret key in it.
  "etc/pacman.d/gnupg",
];
const HOST_KEY = /^ssh_host_.*_key(\.pub)?$/;
/** Empty: the machine fills it in at its first boot (machine-id(5)). */
const MACHINE_ID = "etc/machine-id";
const DATABASE = "var/lib/pacman/local";

/** What {@link forFirstBoot} has changed. */
export interface FirstBootTree {
  readonly tree: FolderNode;
  /** Sentences for who builds the image. */
  readonly notes: readonly string[];
}

/**
 * A root as a new machine wants it: without keys, identities, logs and caches of the machine that
 * built it, and without the moment at which it was built.
 */
export function forFirstBoot(root: FolderNode, time: Nanoseconds): FirstBootTree {
  const notes: string[] = [];
  let tree = EMPTY_FOLDERS.reduce(emptied, root);
  if (folderAt(tree, "etc/pacman.d/gnupg") !== undefined) {
    notes.push("pacman's keys are not in the image: run pacman-key --init on the new machine");
  }
  for (const path of OWN_FILES) tree = withNode(tree, path, undefined);
  const ssh = folderAt(tree, "etc/ssh");
  for (const name of ssh?.entries.keys() ?? []) {
    if (HOST_KEY.test(name)) tree = withNode(tree, `etc/ssh/${name}`, undefined);
  }
  if (folderAt(tree, "etc") !== undefined) tree = withNode(tree, MACHINE_ID, file("", time));
  return { tree: withoutInstallDates(tree, time), notes };
}

/** pacman notes when a package was installed; here it is the time of the image. */
function withoutInstallDates(tree: FolderNode, time: Nanoseconds): FolderNode {
  const seconds = String(time / 1_000_000_000n);
  let changed = tree;
  for (const name of folderAt(tree, DATABASE)?.entries.keys() ?? []) {
    const path = `${DATABASE}/${name}`;
    const description = folderAt(tree, path)?.entries.get("desc");
    if (description?.kind !== "file") continue;
    const text = textOf(description);
    const fixed = text.replace(/^(%INSTALLDATE%\n)\d+$/m, `$1${seconds}`);
    const bytes = Buffer.from(fixed, "latin1");
    const node: FileNode = { ...description, content: { kind: "bytes", bytes } };
    changed = withNode(changed, `${path}/desc`, node);
  }
  return changed;
}

function textOf(node: FileNode): string {
  return Buffer.from(readContent(node.content)).toString("latin1");
}

function file(text: string, modified: Nanoseconds): FileNode {
  const status: Status = { permissions: 0o644, uid: 0, gid: 0, modified, attributes: [] };
  return { kind: "file", status, content: { kind: "bytes", bytes: Buffer.from(text) } };
}
