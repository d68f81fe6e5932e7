import type { ExtraName, PackageName } from "../pep/name.ts";
import type { VersionRange } from "../pep/range.ts";
import type { PackageNode } from "./package-node.ts";
import { Term } from "./term.ts";

/** Why terms cannot hold together. */
export type Cause =
  /** The user asks for the root's requirements. */
  | { readonly kind: "root" }
  /** A requirement: of the user's own, of versions of a package, or of one of its extras. */
  | {
      readonly kind: "requirement";
      readonly requirer: PackageNode;
      readonly extra: ExtraName | undefined;
      /** The versions that have it. */
      readonly versions: VersionRange;
      readonly dependency: PackageNode;
      readonly range: VersionRange;
      /** Where the user wrote it. */
      readonly origin: string | undefined;
    }
  /** A constraint of the user's. */
  | {
      readonly kind: "constraint";
      readonly package: PackageNode;
      readonly range: VersionRange;
      readonly origin: string;
    }
  /** No version in the range can be taken: there is none, or none that is usable. */
  | { readonly kind: "no-versions"; readonly package: PackageNode; readonly range: VersionRange }
  /** A requirement names a place where nothing may be taken from, or another one than others. */
  | {
      readonly kind: "place";
      readonly requirer: PackageNode;
      readonly versions: VersionRange;
      readonly name: PackageName;
      readonly place: string;
      /** Where the package is to be taken from; undefined: from the index. */
      readonly other: string | undefined;
      readonly origin: string | undefined;
    }
  /** It follows from two others. */
  | { readonly kind: "derived"; readonly left: Incompatibility; readonly right: Incompatibility };

/** Terms that cannot all hold. */
export class Incompatibility {
  readonly packages: readonly PackageNode[];
  /** One for each package. */
  readonly terms: readonly Term[];
  readonly cause: Cause;
  /** The level from which on one of its terms is known to be false, and that level's stamp. */
  falseLevel = -1;
  falseStamp = -1;

  constructor(packages: readonly PackageNode[], terms: readonly Term[], cause: Cause) {
    this.packages = packages;
    this.terms = terms;
    this.cause = cause;
  }

  /** The term about a package that it has a term about. */
  termOf(node: PackageNode): Term {
    const term = this.terms[this.packages.indexOf(node)];
    if (term === undefined) {
      throw new Error("an incompatibility was asked for a package that it does not name");
    }
    return term;
  }

  /** Nothing but the root is needed for it: there is no solution. */
  get isFinal(): boolean {
    return (
      this.packages.length === 0 ||
      (this.packages.length === 1 && this.packages[0]?.isRoot === true)
    );
  }
}

/**
 * What follows from two incompatibilities with terms about `pivot`: whichever version of it is
 * chosen, one of the two rules out the rest (the rule of resolution, for sets of versions).
 */
export function resolvent(
  left: Incompatibility,
  right: Incompatibility,
  pivot: PackageNode,
): Incompatibility {
  const packages: PackageNode[] = [];
  const terms: Term[] = [];
  for (let index = 0; index < left.packages.length; index += 1) {
    const node = left.packages[index] as PackageNode;
    if (node !== pivot) {
      packages.push(node);
      terms.push(left.terms[index] as Term);
    }
  }
  for (let index = 0; index < right.packages.length; index += 1) {
    const node = right.packages[index] as PackageNode;
    if (node === pivot) continue;
    const term = right.terms[index] as Term;
    const at = packages.indexOf(node);
    if (at === -1) {
      packages.push(node);
      terms.push(term);
    } else {
      terms[at] = (terms[at] as Term).intersect(term);
    }
  }
  const either = left.termOf(pivot).union(right.termOf(pivot));
  if (!either.isAlwaysTrue()) {
    packages.push(pivot);
    terms.push(either);
  }
  return new Incompatibility(packages, terms, { kind: "derived", left, right });
}

/** These versions of one package cannot be chosen. */
export function forbid(node: PackageNode, range: VersionRange, cause: Cause): Incompatibility {
  return new Incompatibility([node], [new Term(true, range)], cause);
}
