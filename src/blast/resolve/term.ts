import type { VersionRange } from "../pep/range.ts";

/** How what is known of a package stands to a term. */
export const SATISFIED = 1;
export const INCONCLUSIVE = 0;
export const CONTRADICTED = -1;
export type Relation = typeof SATISFIED | typeof INCONCLUSIVE | typeof CONTRADICTED;

/**
 * A statement about one package. Positive: one of these versions is chosen. Negative: none of these
 * versions is chosen, which also holds where the package is not chosen at all.
 */
export class Term {
  readonly positive: boolean;
  readonly range: VersionRange;

  constructor(positive: boolean, range: VersionRange) {
    this.positive = positive;
    this.range = range;
  }

  negate(): Term {
    return new Term(!this.positive, this.range);
  }

  /** Both hold. */
  intersect(other: Term): Term {
    if (this.positive) {
      return other.positive
        ? new Term(true, this.range.intersect(other.range))
        : new Term(true, difference(this.range, other.range));
    }
    return other.positive
      ? new Term(true, difference(other.range, this.range))
      : new Term(false, this.range.union(other.range));
  }

  /** One of them holds. */
  union(other: Term): Term {
    if (this.positive) {
      return other.positive
        ? new Term(true, this.range.union(other.range))
        : new Term(false, difference(other.range, this.range));
    }
    return other.positive
      ? new Term(false, difference(this.range, other.range))
      : new Term(false, this.range.intersect(other.range));
  }

  /** What this statement, being all that is known, says about another one. */
  relation(other: Term): Relation {
    if (this.positive) {
      if (other.positive) {
        if (this.range.isSubsetOf(other.range)) return SATISFIED;
        return this.range.isDisjointFrom(other.range) ? CONTRADICTED : INCONCLUSIVE;
      }
      if (this.range.isDisjointFrom(other.range)) return SATISFIED;
      return this.range.isSubsetOf(other.range) ? CONTRADICTED : INCONCLUSIVE;
    }
    if (!other.range.isSubsetOf(this.range)) return INCONCLUSIVE;
    return other.positive ? CONTRADICTED : SATISFIED;
  }

  /** Holds whatever is chosen. */
  isAlwaysTrue(): boolean {
    return !this.positive && this.range.isEmpty();
  }

  /** Can never hold. */
  isNeverTrue(): boolean {
    return this.positive && this.range.isEmpty();
  }
}

/** Without making a complement where nothing is taken away. */
function difference(range: VersionRange, without: VersionRange): VersionRange {
  return range.isDisjointFrom(without) ? range : range.difference(without);
}
