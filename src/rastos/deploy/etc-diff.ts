import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";

/** A difference between the etc of a snapshot and that of a deployment of it. */
export interface EtcChange {
  readonly kind: "added" | "removed" | "changed";
  /** Below etc. */
  readonly path: string;
}

/** What rastOS writes itself, and what each machine makes for itself at its first boot. */
const OWN_PATHS = new Set([
  "fstab",
  "machine-id",
  "mtab",
  "adjtime",
  ".updated",
  ".pwd.lock",
  "resolv.conf",
  "ld.so.cache",
]);
/** A folder that holds more is not compared further: it is no configuration. */
const CHANGES_MAX = 100_000;

/**
 * Compares two folders by content, kind, rights and owner, not by time. A folder that is only on
 * one side is named without what is in it.
 *
 * @param original the etc of the snapshot
 * @param own the etc of the deployment
 */
export function compareEtc(original: string, own: string): readonly EtcChange[] {
  const changes: EtcChange[] = [];
  compareFolders({ original, own, below: "" }, changes);
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

interface FolderPair {
  readonly original: string;
  readonly own: string;
  /** Path of both below etc, with a slash at its end; "" for etc itself. */
  readonly below: string;
}

function compareFolders(pair: FolderPair, changes: EtcChange[]): void {
  const before = new Set(readdirSync(join(pair.original, pair.below)));
  const after = new Set(readdirSync(join(pair.own, pair.below)));
  for (const name of new Set([...before, ...after])) {
    const path = pair.below + name;
    if (OWN_PATHS.has(path)) continue;
    if (changes.length >= CHANGES_MAX) throw tooMany(pair.own);
    if (!after.has(name)) changes.push({ kind: "removed", path });
    else if (!before.has(name)) changes.push({ kind: "added", path });
    else compareOne(pair, path, changes);
  }
}

function compareOne(pair: FolderPair, path: string, changes: EtcChange[]): void {
  const [left, right] = [join(pair.original, path), join(pair.own, path)];
  const [a, b] = [statusOf(left), statusOf(right)];
  if (a === undefined || b === undefined) {
    changes.push({ kind: "changed", path });
    return;
  }
  const isChanged =
    a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || !hasSameContent(left, a, right, b);
  if (isChanged) changes.push({ kind: "changed", path });
  const areFolders = a.isDirectory() && b.isDirectory();
  if (areFolders) compareFolders({ ...pair, below: `${path}/` }, changes);
}

/** Undefined for what has just gone, and for names that are no text. */
function statusOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function hasSameContent(left: string, a: Stats, right: string, b: Stats): boolean {
  if (a.isSymbolicLink() && b.isSymbolicLink()) return readlinkSync(left) === readlinkSync(right);
  if (!a.isFile() || !b.isFile()) return a.rdev === b.rdev;
  return a.size === b.size && readFileSync(left).equals(readFileSync(right));
}

function tooMany(path: string): Fault {
  return new Fault({
    code: "E_REFUSED",
    message: `Cannot compare "${path}": more than ${CHANGES_MAX} things are different`,
  });
}
