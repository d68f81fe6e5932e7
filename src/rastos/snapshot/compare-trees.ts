import { type BigIntStats, readdirSync } from "node:fs";
import { compareFile, statusOf, typeOf } from "./compare-file.ts";
import type { FileChange } from "./file-change.ts";

/** Two folders to compare, and what is known about them. Paths are latin1 text of their bytes. */
export interface TreePair {
  readonly a: string;
  readonly b: string;
  /** Stands before every path that is reported: `/etc`. */
  readonly prefix: string;
  /** Whether a file with this status in both is the same one, without looking into it. */
  readonly isSame: (a: BigIntStats, b: BigIntStats) => boolean;
}

/** Gathers what differs between two trees. */
export class TreeComparison {
  readonly #pair: TreePair;
  readonly #changes = new Map<string, FileChange>();
  readonly #reachable = new Map<string, boolean>();

  constructor(pair: TreePair) {
    this.#pair = pair;
  }

  get changes(): readonly FileChange[] {
    return [...this.#changes.values()];
  }

  /** Compares all that is below a path. */
  compareBelow(path: string): void {
    const folders = [path];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const name of this.#compareNames(folder)) {
        const inner = `${folder}/${name}`;
        if (this.#compareOne(inner) === "folders") folders.push(inner);
      }
    }
  }

  /** Compares what is at a path itself, and of a folder which names are in it. */
  compareAt(path: string): void {
    if (!this.#isReachable(path) || this.#compareOne(path) !== "folders") return;
    for (const name of this.#compareNames(path)) {
      const inner = `${path}/${name}`;
      const [a, b] = [statusOf(this.#pair.a + inner), statusOf(this.#pair.b + inner)];
      // Another file took the name; one that only changed is among the changed ones itself.
      if (a === undefined || b === undefined || a.ino === b.ino) continue;
      if (this.#compareOne(inner) === "folders") this.compareBelow(inner);
    }
  }

  /**
   * Whether all above the path are folders in both trees. Otherwise one of them is reported, with
   * all below it; and a link among them must not be followed: it may lead out of the tree.
   */
  #isReachable(path: string): boolean {
    const slash = path.lastIndexOf("/");
    if (slash < 0) return true;
    const above = path.slice(0, slash);
    const known = this.#reachable.get(above);
    if (known !== undefined) return known;
    const isFolder = (tree: string): boolean => statusOf(tree + above)?.isDirectory() === true;
    const reachable = this.#isReachable(above) && isFolder(this.#pair.a) && isFolder(this.#pair.b);
    this.#reachable.set(above, reachable);
    return reachable;
  }

  /** Reports the names that only one of the folders has; the others are returned. */
  #compareNames(folder: string): string[] {
    const [a, b] = [namesIn(this.#pair.a + folder), namesIn(this.#pair.b + folder)];
    for (const name of a) if (!b.has(name)) this.#reportAll("removed", `${folder}/${name}`);
    for (const name of b) if (!a.has(name)) this.#reportAll("added", `${folder}/${name}`);
    return [...a].filter((name) => b.has(name));
  }

  /** "folders" where both are, and what is in them is still to be compared. */
  #compareOne(path: string): "folders" | "done" {
    const a = { path: this.#pair.a + path, status: statusOf(this.#pair.a + path) };
    const b = { path: this.#pair.b + path, status: statusOf(this.#pair.b + path) };
    const [first, second] = [a.status, b.status];
    if (first === undefined && second === undefined) return "done";
    if (first === undefined) this.#reportAll("added", path);
    if (second === undefined) this.#reportAll("removed", path);
    if (first === undefined || second === undefined) return "done";
    const isFolders = first.isDirectory() && second.isDirectory();
    if (!this.#pair.isSame(first, second)) {
      const aspects = compareFile({ ...a, status: first }, { ...b, status: second });
      if (aspects.length > 0)
        this.#report({ path, kind: "changed", type: typeOf(second), aspects });
      if (aspects.includes("type")) this.#reportInside(path, first, second);
    }
    return isFolders ? "folders" : "done";
  }

  /** A folder that became something else, or the other way round. */
  #reportInside(path: string, a: BigIntStats, b: BigIntStats): void {
    const [kind, folder] = a.isDirectory()
      ? (["removed", this.#pair.a] as const)
      : (["added", this.#pair.b] as const);
    if (!a.isDirectory() && !b.isDirectory()) return;
    for (const name of namesIn(folder + path)) this.#reportAll(kind, `${path}/${name}`);
  }

  #reportAll(kind: "added" | "removed", path: string): void {
    const tree = kind === "added" ? this.#pair.b : this.#pair.a;
    const queue = [path];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const status = statusOf(tree + next);
      if (status === undefined) continue;
      this.#report({ path: next, kind, type: typeOf(status), aspects: [] });
      if (!status.isDirectory()) continue;
      for (const name of namesIn(tree + next)) queue.push(`${next}/${name}`);
    }
  }

  #report(change: FileChange): void {
    const path = `${this.#pair.prefix}${change.path}`;
    this.#changes.set(path, { ...change, path: path === "" ? "/" : path });
  }
}

function namesIn(folder: string): Set<string> {
  const names = readdirSync(Buffer.from(folder, "latin1"), { encoding: "buffer" });
  return new Set(names.map((name) => name.toString("latin1")));
}
