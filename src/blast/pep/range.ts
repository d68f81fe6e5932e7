import type { Cut } from "./cut.ts";
import {
  compareCuts,
  cutAbove,
  cutBelow,
  cutsAroundSpelling,
  HIGHEST,
  isAbove,
  LOWEST,
} from "./cut.ts";
import { rangeText } from "./range-text.ts";
import type { Version } from "./version.ts";

/** A stretch of versions without a gap: those between two cuts. */
export interface Segment {
  readonly lower: Cut;
  readonly upper: Cut;
}

/**
 * A set of versions: disjoint intervals of the order of PEP 440, never touching each other. It
 * cannot be changed, and equal sets have equal cuts.
 */
export class VersionRange {
  static readonly full = new VersionRange([LOWEST, HIGHEST]);
  static readonly empty = new VersionRange([]);

  /** Lower and upper ends by turns, in ascending order. */
  readonly cuts: readonly Cut[];
  #key: string | undefined = undefined;
  #complement: VersionRange | undefined = undefined;

  private constructor(cuts: readonly Cut[]) {
    this.cuts = cuts;
  }

  /** One version however it is spelled (1.0 and 1.0.0), but without its locals (1.0+cpu). */
  static exactly(version: Version): VersionRange {
    return new VersionRange([cutBelow(version), cutAbove(version)]);
  }

  /** One version with this very text: 1.0 and not 1.0.0. */
  static spelled(version: Version): VersionRange {
    return new VersionRange(cutsAroundSpelling(version));
  }

  /** What lies between two cuts; nothing, where they are in the wrong order. */
  static between(lower: Cut, upper: Cut): VersionRange {
    return compareCuts(lower, upper) < 0 ? new VersionRange([lower, upper]) : VersionRange.empty;
  }

  /** The intervals in ascending order. */
  get segments(): readonly Segment[] {
    const segments: Segment[] = [];
    for (let index = 0; index + 1 < this.cuts.length; index += 2) {
      segments.push({ lower: cutAt(this.cuts, index), upper: cutAt(this.cuts, index + 1) });
    }
    return segments;
  }

  /** Equal for equal sets, and only for them; not for people. */
  get key(): string {
    this.#key ??= this.cuts.map(({ key, spelling }) => `${key}/${spelling}`).join(" ");
    return this.#key;
  }

  contains(version: Version): boolean {
    const { cuts } = this;
    if (cuts.length === 2) {
      return isAbove(version, cutAt(cuts, 0)) && !isAbove(version, cutAt(cuts, 1));
    }
    // How many cuts lie below the version: an odd number is inside of an interval.
    let low = 0;
    let high = cuts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isAbove(version, cutAt(cuts, middle))) low = middle + 1;
      else high = middle;
    }
    return (low & 1) === 1;
  }

  isEmpty(): boolean {
    return this.cuts.length === 0;
  }

  isFull(): boolean {
    return this.cuts.length === 2 && this.cuts[0] === LOWEST && this.cuts[1] === HIGHEST;
  }

  equals(other: VersionRange): boolean {
    if (this === other) return true;
    if (this.cuts.length !== other.cuts.length) return false;
    return this.cuts.every((cut, index) => compareCuts(cut, cutAt(other.cuts, index)) === 0);
  }

  complement(): VersionRange {
    this.#complement ??= this.makeComplement();
    return this.#complement;
  }

  union(other: VersionRange): VersionRange {
    if (this === other || other.isEmpty() || this.isFull()) return this;
    if (this.isEmpty() || other.isFull()) return other;
    return this.merged(other, 1);
  }

  intersect(other: VersionRange): VersionRange {
    if (this === other || this.isEmpty() || other.isFull()) return this;
    if (other.isEmpty() || this.isFull()) return other;
    if (this.cuts.length === 2 && other.cuts.length === 2) return this.overlap(other);
    return this.merged(other, 2);
  }

  /** This set without the versions of the other one. */
  difference(other: VersionRange): VersionRange {
    return this.intersect(other.complement());
  }

  isSubsetOf(other: VersionRange): boolean {
    if (this === other || this.isEmpty() || other.isFull()) return true;
    // Each interval of this one must lie in one interval of the other, since those do not touch.
    let at = 0;
    for (let index = 0; index < this.cuts.length; index += 2) {
      const lower = cutAt(this.cuts, index);
      const upper = cutAt(this.cuts, index + 1);
      while (at < other.cuts.length && compareCuts(cutAt(other.cuts, at + 1), lower) <= 0) at += 2;
      if (at >= other.cuts.length) return false;
      if (compareCuts(cutAt(other.cuts, at), lower) > 0) return false;
      if (compareCuts(cutAt(other.cuts, at + 1), upper) < 0) return false;
    }
    return true;
  }

  isDisjointFrom(other: VersionRange): boolean {
    let left = 0;
    let right = 0;
    while (left < this.cuts.length && right < other.cuts.length) {
      if (compareCuts(cutAt(this.cuts, left + 1), cutAt(other.cuts, right)) <= 0) left += 2;
      else if (compareCuts(cutAt(other.cuts, right + 1), cutAt(this.cuts, left)) <= 0) right += 2;
      else return false;
    }
    return true;
  }

  /** As a person would write it: `>=1.0,!=1.5,<2.0`; parts that stand apart have ` | ` between. */
  toString(): string {
    return rangeText(this.cuts);
  }

  private makeComplement(): VersionRange {
    const { cuts } = this;
    if (cuts.length === 0) return VersionRange.full;
    if (this.isFull()) return VersionRange.empty;
    const open = cuts[0] === LOWEST;
    const closed = cuts[cuts.length - 1] === HIGHEST;
    const turned = cuts.slice(open ? 1 : 0, closed ? -1 : undefined);
    if (!open) turned.unshift(LOWEST);
    if (!closed) turned.push(HIGHEST);
    const range = new VersionRange(turned);
    range.#complement = this;
    return range;
  }

  private overlap(other: VersionRange): VersionRange {
    const order = compareCuts(cutAt(this.cuts, 0), cutAt(other.cuts, 0));
    const upperOrder = compareCuts(cutAt(this.cuts, 1), cutAt(other.cuts, 1));
    if (order >= 0 && upperOrder <= 0) return this;
    if (order <= 0 && upperOrder >= 0) return other;
    const lower = cutAt(order < 0 ? other.cuts : this.cuts, 0);
    return VersionRange.between(lower, cutAt(upperOrder < 0 ? this.cuts : other.cuts, 1));
  }

  /** What lies in at least so many of the two sets. */
  private merged(other: VersionRange, needed: 1 | 2): VersionRange {
    const result: Cut[] = [];
    let left = 0;
    let right = 0;
    let inside = false;
    while (left < this.cuts.length || right < other.cuts.length) {
      const order = compareNext(this.cuts, left, other.cuts, right);
      const cut = order <= 0 ? cutAt(this.cuts, left) : cutAt(other.cuts, right);
      if (order <= 0) left += 1;
      if (order >= 0) right += 1;
      const now = (left & 1) + (right & 1) >= needed;
      if (now !== inside) result.push(cut);
      inside = now;
    }
    if (result.length === 0) return VersionRange.empty;
    return new VersionRange(result);
  }
}

function compareNext(
  left: readonly Cut[],
  leftIndex: number,
  right: readonly Cut[],
  rightIndex: number,
): number {
  if (leftIndex >= left.length) return 1;
  if (rightIndex >= right.length) return -1;
  return compareCuts(cutAt(left, leftIndex), cutAt(right, rightIndex));
}

function cutAt(cuts: readonly Cut[], index: number): Cut {
  return cuts[index] as Cut;
}
