import type { BigIntStats } from "node:fs";
import { statusOf } from "../snapshot/compare-file.ts";
import { TreeComparison } from "../snapshot/compare-trees.ts";
import type { FileChange } from "../snapshot/file-change.ts";
import { isFstabEdited } from "./fstab.ts";
import { readTextAt } from "./tree-path.ts";

/** A difference between the etc of a snapshot and that of a deployment of it. */
export interface EtcChange {
  readonly kind: "added" | "removed" | "changed";
  /** Below etc. */
  readonly path: string;
}

/** What rastOS and the system write themselves, and what holds for this moment only. */
const OWN_PATHS = new Set([
  "fstab",
  "mtab",
  ".updated",
  "ld.so.cache",
  ".pwd.lock",
  ...["passwd", "group", "shadow", "gshadow", "subuid", "subgid"].flatMap((name) => [
    `${name}-`,
    `${name}.lock`,
  ]),
]);

/** What a machine makes for itself at its first boot: no change of anybody, and still its own. */
const MACHINE_PATHS = new Set(["machine-id", "adjtime", "resolv.conf"]);

/**
 * All that differs between two etc folders, by content, kind, rights, owner and attributes, not by
 * time; sockets, and what rastOS writes itself, left out. Paths begin with a slash.
 *
 * @param base the etc of the snapshot
 * @param mine the etc of the deployment
 */
export function etcFileChanges(base: string, mine: string): readonly FileChange[] {
  const comparison = new TreeComparison({
    a: Buffer.from(base).toString("latin1"),
    b: Buffer.from(mine).toString("latin1"),
    prefix: "",
    isSame: isUntouched,
  });
  comparison.compareBelow("");
  const isOwn = (path: string): boolean => OWN_PATHS.has(path.slice(1));
  return comparison.changes
    .filter(({ path, type }) => type !== "other" && !isOwn(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A clone has the inodes of what it was made of; whatever changes one changes its ctime. */
function isUntouched(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.ctimeNs === b.ctimeNs && a.size === b.size && a.mode === b.mode;
}

/**
 * Compares the etc of a deployment with that of its snapshot. A folder that is only on one side is
 * named without what is in it; what each machine makes for itself is left out.
 *
 * @param original the etc of the snapshot
 * @param own the etc of the deployment
 */
export function compareEtc(original: string, own: string): readonly EtcChange[] {
  const found = etcFileChanges(original, own);
  // What stands for all below it.
  const whole = new Set(
    found.filter(({ kind, aspects }) => kind !== "changed" || aspects.includes("type")).map(pathOf),
  );
  const changes = found.flatMap((change): EtcChange[] => {
    const path = change.path.slice(1);
    if (MACHINE_PATHS.has(path) || whole.has(parentOf(change.path))) return [];
    return [{ kind: change.kind, path: Buffer.from(path, "latin1").toString("utf8") }];
  });
  const isEdited = isFstabEdited(readTextAt(original, "fstab"), readTextAt(own, "fstab"));
  const all = isEdited ? [...changes, { kind: "changed" as const, path: "fstab" }] : changes;
  return all.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * What of the differences came later than a moment, by the ctime of the file, or of its folder
 * where it is gone.
 *
 * @param sinceMs milliseconds since 1970
 * @returns paths below etc
 */
export function pathsChangedSince(base: string, mine: string, sinceMs: number): readonly string[] {
  const root = Buffer.from(mine).toString("latin1");
  return etcFileChanges(base, mine).flatMap(({ path, kind }) => {
    const status = statusOf(root + (kind === "removed" ? parentOf(path) : path));
    const isLater = status !== undefined && Number(status.ctimeMs) > sinceMs;
    const shown = Buffer.from(path.slice(1), "latin1").toString("utf8");
    return isLater && !MACHINE_PATHS.has(shown) ? [shown] : [];
  });
}

function pathOf({ path }: FileChange): string {
  return path;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
