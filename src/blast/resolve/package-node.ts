import type { ExtraName, PackageName } from "../pep/name.ts";
import type { VersionRange } from "../pep/range.ts";
import type { Version } from "../pep/version.ts";
import type { Incompatibility } from "./incompatibility.ts";
import { CONTRADICTED, INCONCLUSIVE, type Relation, SATISFIED, type Term } from "./term.ts";

/** A statement that follows from an incompatibility, and what is known with it. */
export interface Derivation {
  /** Place in the order of all assignments. */
  readonly index: number;
  readonly level: number;
  readonly cause: Incompatibility;
  /** What all statements about the package up to this one say together. */
  readonly known: Term;
}

/** The choice of a version. */
export interface Decision {
  readonly index: number;
  readonly level: number;
  readonly version: Version;
}

/**
 * What the solver chooses versions for: the root (what the user asks), a project, or an extra of a
 * project. An extra has no versions of its own: it is wanted or not, and goes with its project's.
 */
export class PackageNode {
  readonly name: PackageName | undefined;
  readonly extra: ExtraName | undefined;
  /** The project that an extra belongs to. */
  readonly base: PackageNode | undefined;
  /** In the order in which they were first seen. */
  readonly index: number;

  readonly incompatibilities: Incompatibility[] = [];
  /** The latest of its own requirements, by what they are on. */
  readonly requirements = new Map<PackageNode, Incompatibility[]>();
  readonly derivations: Derivation[] = [];
  decision: Decision | undefined;
  /** What is known left one version once. */
  wasPinned = false;
  /** All that is known, without the decision. */
  known: Term | undefined;

  constructor(options: {
    readonly name?: PackageName;
    readonly extra?: ExtraName;
    readonly base?: PackageNode;
    readonly index: number;
  }) {
    this.name = options.name;
    this.extra = options.extra;
    this.base = options.base;
    this.index = options.index;
  }

  get isRoot(): boolean {
    return this.name === undefined;
  }

  /** Some version of it is wanted. */
  get isWanted(): boolean {
    return this.known?.positive === true;
  }

  /** What is known of the package says about a term. */
  relation(term: Term): Relation {
    if (this.decision !== undefined) {
      return term.range.contains(this.decision.version) === term.positive
        ? SATISFIED
        : CONTRADICTED;
    }
    return this.known === undefined ? INCONCLUSIVE : this.known.relation(term);
  }

  /**
   * The first assignment from which on `term` holds; with `also`, the first from which on it holds
   * together with that. Undefined: only the decision, if that, makes it hold.
   */
  firstSatisfying(term: Term, also?: Term): Derivation | undefined {
    const { derivations } = this;
    let low = 0;
    let high = derivations.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const known = (derivations[middle] as Derivation).known;
      const joined = also === undefined ? known : known.intersect(also);
      if (joined.isNeverTrue() || joined.relation(term) === SATISFIED) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return derivations[low];
  }
}

/** Whether a project is still to be decided. */
export function isOpen(node: PackageNode): boolean {
  return node.decision === undefined && node.base === undefined && node.known?.positive === true;
}

/** Whether a range holds one version, not counting its locals. */
export function isOneVersion(range: VersionRange | undefined): boolean {
  if (range?.cuts.length !== 2) return false;
  const [lower, upper] = range.cuts;
  return lower?.version !== undefined && lower.version.key === upper?.version?.key;
}
