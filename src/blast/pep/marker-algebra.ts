/**
 * Markers as sets of environments, for questions that texts don't answer: whether two conditions
 * can hold at once, whether one follows from another, what is left of one where another holds.
 *
 * What is known: python_version is the beginning of python_full_version; a text has one value;
 * sys_platform, os_name and platform_system go together on Linux, macOS and Windows, and the two
 * names of the implementation do. Every extra is asked for or not, whatever the others are.
 */

import { HIGHEST, LOWEST } from "./cut.ts";
import type { Marker } from "./marker.ts";
import { assume, evaluate } from "./marker-assume.ts";
import { and, bounded, type Diagram, FALSE, implies, not, or, TRUE } from "./marker-diagram.ts";
import type { MarkerEnvironment } from "./marker-environment.ts";
import { simplifyUnder } from "./marker-simplify.ts";
import { markerDiagram, rangeDiagram, textDiagram } from "./marker-terms.ts";
import { diagramText } from "./marker-text.ts";
import { roundedDiagram } from "./python-releases.ts";
import { VersionRange } from "./range.ts";

const sets = new WeakMap<Diagram, MarkerSet>();
const ofMarkers = new WeakMap<Marker, MarkerSet>();

const NOTHING: ReadonlySet<string> = new Set();

/** A set of environments. Equal sets are the same object; it cannot be changed. */
export class MarkerSet {
  /** Every environment. */
  static readonly always = new MarkerSet(TRUE);
  /** No environment. */
  static readonly never = new MarkerSet(FALSE);

  readonly #diagram: Diagram;
  #text: string | undefined;

  private constructor(diagram: Diagram) {
    this.#diagram = diagram;
    sets.set(diagram, this);
  }

  /** Where a marker holds; without one, everywhere. */
  static of(marker: Marker | undefined): MarkerSet {
    if (marker === undefined) return MarkerSet.always;
    const known = ofMarkers.get(marker);
    if (known !== undefined) return known;
    const set = MarkerSet.#from(bounded(() => markerDiagram(marker)));
    ofMarkers.set(marker, set);
    return set;
  }

  /** Where python_full_version lies in a range. */
  static ofPython(range: VersionRange): MarkerSet {
    return MarkerSet.#from(rangeDiagram("python_full_version", range));
  }

  /** Where these values are found, such as `{ sys_platform: "linux" }`; texts only, no versions. */
  static ofTexts(
    texts: Partial<Omit<MarkerEnvironment, `${string}_version` | "platform_release">>,
  ): MarkerSet {
    const parts = Object.entries(texts).map(([name, value]) =>
      textDiagram(name as keyof MarkerEnvironment, value),
    );
    return MarkerSet.#from(bounded(() => parts.reduce(and, TRUE)));
  }

  static #from(diagram: Diagram): MarkerSet {
    return sets.get(diagram) ?? new MarkerSet(diagram);
  }

  isTrue(): boolean {
    return this.#diagram === TRUE;
  }

  isFalse(): boolean {
    return this.#diagram === FALSE;
  }

  and(other: MarkerSet): MarkerSet {
    return MarkerSet.#from(bounded(() => and(this.#diagram, other.#diagram)));
  }

  or(other: MarkerSet): MarkerSet {
    return MarkerSet.#from(bounded(() => or(this.#diagram, other.#diagram)));
  }

  not(): MarkerSet {
    return MarkerSet.#from(bounded(() => not(this.#diagram)));
  }

  /** This set without what is in the other one. */
  minus(other: MarkerSet): MarkerSet {
    return MarkerSet.#from(bounded(() => and(this.#diagram, not(other.#diagram))));
  }

  equals(other: MarkerSet): boolean {
    return this === other;
  }

  isDisjointFrom(other: MarkerSet): boolean {
    return bounded(() => and(this.#diagram, other.#diagram)) === FALSE;
  }

  /** Whether every environment of this set is in the other one. */
  implies(other: MarkerSet): boolean {
    return bounded(() => implies(this.#diagram, other.#diagram));
  }

  /**
   * A set that agrees with this one inside of `assumption`, as simple as that allows: what the
   * assumption says already is left out.
   */
  simplifyUnder(assumption: MarkerSet): MarkerSet {
    return MarkerSet.#from(bounded(() => simplifyUnder(this.#diagram, assumption.#diagram)));
  }

  /** What remains to be asked when these values are known. */
  within(environment: Partial<MarkerEnvironment>): MarkerSet {
    return MarkerSet.#from(bounded(() => assume(this.#diagram, { environment })));
  }

  /** What remains when just these extras (and PEP 735 groups), in normal form, are asked for. */
  withExtras(extras: ReadonlySet<string>, groups: ReadonlySet<string> = NOTHING): MarkerSet {
    const choice = { extras, groups };
    return MarkerSet.#from(bounded(() => assume(this.#diagram, { environment: {}, choice })));
  }

  /**
   * The set that holds the same environments, were there final releases of Python only; the same
   * for all such sets.
   */
  forReleases(): MarkerSet {
    return MarkerSet.#from(roundedDiagram(this.#diagram));
  }

  /** As `evaluateMarker` of a marker that this set was made of. */
  evaluate(
    environment: MarkerEnvironment,
    extras: ReadonlySet<string> = NOTHING,
    groups: ReadonlySet<string> = NOTHING,
  ): boolean {
    return evaluate(this.#diagram, environment, { extras, groups });
  }

  /** The values of python_full_version in the set, whatever the rest of the environment is. */
  pythonRange(): VersionRange {
    const diagram = this.#diagram;
    if (diagram.kind !== "version" || diagram.variable.name !== "python_full_version") {
      return diagram === FALSE ? VersionRange.empty : VersionRange.full;
    }
    let range = VersionRange.empty;
    diagram.children.forEach((child, index) => {
      if (child === FALSE) return;
      const lower = diagram.cuts[index - 1] ?? LOWEST;
      range = range.union(VersionRange.between(lower, diagram.cuts[index] ?? HIGHEST));
    });
    return range;
  }

  /**
   * A short marker with the same meaning, always the same for the same set. Of the set of all
   * environments it is the empty text, since no marker says that.
   */
  toMarkerString(): string {
    this.#text ??= bounded(() => diagramText(this.#diagram));
    return this.#text;
  }

  /** As {@link toMarkerString}, with a word for every environment. */
  toString(): string {
    return this.isTrue() ? "true" : this.toMarkerString();
  }
}

/** @see MarkerSet.pythonRange */
export function pythonRangeOf(set: MarkerSet): VersionRange {
  return set.pythonRange();
}
