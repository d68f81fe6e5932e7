import { isOneVersion, isOpen, type PackageNode } from "./package-node.ts";
import type { Conflict, Solver } from "./solver.ts";

/** After so many clashes a package goes before others (or behind those that it stood against). */
const CONFLICTS_MAX = 5;

/** Higher ranks are decided first; within a rank, what was seen first. */
const RANK_USUAL = 0;
/** Its choices ruled others out again and again. */
const RANK_CULPRIT = 1;
/** Its choices were ruled out again and again. */
const RANK_AFFECTED = 2;
/** One version is left. */
const RANK_PINNED = 3;
/** Its place is named. */
const RANK_SOURCE = 4;

/**
 * The order in which packages are decided: that of a search through the requirements in breadth,
 * but what leaves no choice first, and what clashes often early.
 */
export class Priorities {
  private readonly ranks: number[] = [];
  /** The packages with a rank of their own. */
  private readonly raised: PackageNode[] = [];
  private readonly affected: number[] = [];
  private readonly culprits: number[] = [];
  private readonly early: PackageNode[] = [];
  private readonly late: PackageNode[] = [];

  /** The package is named by its place. */
  place(node: PackageNode): void {
    this.raise(node, RANK_SOURCE);
  }

  /** The package to decide next, of those that are wanted; undefined: all are decided. */
  next(solver: Solver): PackageNode | undefined {
    let best: PackageNode | undefined;
    let bestRank = RANK_USUAL;
    for (const list of [solver.pinned, this.raised]) {
      for (const node of list) {
        if (!isOpen(node)) continue;
        const rank = this.rankOf(node);
        const isBetter = rank > bestRank || (rank === bestRank && node.index < (best?.index ?? 0));
        if (!isBetter) continue;
        best = node;
        bestRank = rank;
      }
    }
    return best ?? solver.firstOpen();
  }

  /** Counts a clash. */
  note({ affected, learned }: Conflict): void {
    this.count(affected, learned.packages);
  }

  /** Counts a version that could not be taken for what stands already. */
  count(affected: PackageNode, packages: readonly PackageNode[]): void {
    let foreign = false;
    for (const node of packages) {
      if (node.isRoot || node.name === affected.name) continue;
      foreign = true;
      if (increment(this.culprits, node) === CONFLICTS_MAX) this.late.push(node);
    }
    if (foreign && increment(this.affected, affected) === CONFLICTS_MAX) this.early.push(affected);
  }

  /** Changes the order by what was counted; answers packages whose decision should be undone. */
  settle(): PackageNode[] {
    if (this.early.length === 0 && this.late.length === 0) return [];
    for (const node of this.early) this.raise(node, RANK_AFFECTED);
    const undone = this.late.filter((node) => this.raise(node, RANK_CULPRIT));
    this.early.length = 0;
    this.late.length = 0;
    return undone;
  }

  private rankOf(node: PackageNode): number {
    const rank = this.ranks[node.index] ?? RANK_USUAL;
    return rank < RANK_PINNED && isOneVersion(node.known?.range) ? RANK_PINNED : rank;
  }

  private raise(node: PackageNode, rank: number): boolean {
    if ((this.ranks[node.index] ?? RANK_USUAL) >= rank) return false;
    if (this.ranks[node.index] === undefined) this.raised.push(node);
    this.ranks[node.index] = rank;
    return true;
  }
}

function increment(counts: number[], node: PackageNode): number {
  const count = (counts[node.index] ?? 0) + 1;
  counts[node.index] = count;
  return count;
}
