import { readdirSync } from "node:fs";
import { compareFile, statusOf } from "../snapshot/compare-file.ts";

/** What is shared by all deployments, made anew at any time, or the snapshot's alone. */
const NO_STATE = new Set([
  "cache",
  "empty",
  "lock",
  "log",
  "run",
  "tmp",
  ".updated",
  "lib/pacman",
  "lib/systemd",
]);

/** Places of people and of what they install by hand, where no shared subvolume has them. */
const PLACES = ["home", "opt", "root", "srv", "usr/local"];

/** A deployment and the snapshot that it was made of: absolute paths. */
export interface StatePair {
  readonly base: { readonly root: string; readonly var: string };
  /** Root of the deployment, with its var in it. */
  readonly mine: string;
}

/**
 * The folders of a deployment, one or two levels deep, that hold what its snapshot does not:
 * databases, pairings, mail, home folders that are not shared.
 *
 * @returns absolute paths in the system, sorted
 */
export function changedStateFolders({ base, mine }: StatePair): readonly string[] {
  const own = `${mine}/var`;
  const below = (folder: string): string[] =>
    [...new Set([...namesIn(base.var + folder), ...namesIn(own + folder)])].map((name) =>
      `${folder}/${name}`.slice(1),
    );
  const units = below("").flatMap((path) => (path === "lib" ? below("/lib") : [path]));
  const inVar = units
    .filter((path) => !NO_STATE.has(path) && isChanged(`${base.var}/${path}`, `${own}/${path}`))
    .map((path) => `/var/${path}`);
  const others = PLACES.filter((path) => isChanged(`${base.root}/${path}`, `${mine}/${path}`));
  return [...inVar, ...others.map((path) => `/${path}`)]
    .map((path) => Buffer.from(path, "latin1").toString("utf8"))
    .sort();
}

/** Whether anything differs; ends at the first difference. Paths in latin1. */
function isChanged(a: string, b: string): boolean {
  const [before, now] = [statusOf(a), statusOf(b)];
  // What was only removed is no state that anybody would miss.
  if (now === undefined) return false;
  if (before === undefined) return !now.isDirectory() || namesIn(b).length > 0;
  if (now.isDirectory() && before.isDirectory()) {
    return namesIn(b).some((name) => isChanged(`${a}/${name}`, `${b}/${name}`));
  }
  if (before.ino === now.ino && before.ctimeNs === now.ctimeNs) return false;
  const aspects = compareFile({ path: a, status: before }, { path: b, status: now });
  return aspects.length > 0;
}

function namesIn(folder: string): string[] {
  const status = statusOf(folder);
  if (status?.isDirectory() !== true) return [];
  const names = readdirSync(Buffer.from(folder, "latin1"), { encoding: "buffer" });
  return names.map((name) => name.toString("latin1"));
}
