import type { Marker } from "../pep/marker.ts";
import { MarkerSet } from "../pep/marker-algebra.ts";
import type { ExtraName } from "../pep/name.ts";
import type { VersionRange } from "../pep/range.ts";
import type { Version } from "../pep/version.ts";
import type { Scope } from "./scope.ts";

const NOTHING: ReadonlySet<string> = new Set();

/** A set of environments that one search finds versions for. */
export class UniversalScope implements Scope {
  readonly marker: MarkerSet;
  readonly pythons: VersionRange;
  readonly pythonAtHand: Version | undefined;
  private readonly isPart: boolean;
  private readonly answers = new Map<MarkerSet, boolean>();

  constructor(
    marker: MarkerSet,
    pythons: VersionRange,
    pythonAtHand: Version | undefined,
    isPart = false,
  ) {
    this.marker = marker;
    this.isPart = isPart;
    this.pythons = marker.pythonRange().intersect(pythons);
    const isIn = pythonAtHand !== undefined && this.pythons.contains(pythonAtHand);
    this.pythonAtHand = isIn ? pythonAtHand : undefined;
  }

  get pythonText(): string {
    return this.pythons.toString();
  }

  get condition(): string | undefined {
    return this.isPart ? this.marker.toMarkerString() : undefined;
  }

  holds(marker: Marker | undefined): boolean {
    return marker === undefined || this.meets(whereHolds(marker, undefined));
  }

  isBroughtBy(extra: ExtraName, marker: Marker | undefined): boolean {
    if (marker === undefined) return false;
    const where = whereHolds(marker, extra);
    return where !== whereHolds(marker, undefined) && this.meets(where);
  }

  /** Whether a condition holds in one of the environments at least. */
  meets(where: MarkerSet): boolean {
    if (where.isTrue()) return true;
    let answer = this.answers.get(where);
    if (answer === undefined) {
      answer = !where.isDisjointFrom(this.marker);
      this.answers.set(where, answer);
    }
    return answer;
  }

  /** The part where a condition holds. */
  narrow(where: MarkerSet): UniversalScope {
    return new UniversalScope(this.marker.and(where), this.pythons, this.pythonAtHand, true);
  }
}

const withoutExtras = new WeakMap<Marker, MarkerSet>();
const withExtra = new WeakMap<Marker, Map<ExtraName, MarkerSet>>();

/** The environments in which a marker holds when this extra, or none, is asked for. */
export function whereHolds(marker: Marker | undefined, extra: ExtraName | undefined): MarkerSet {
  if (marker === undefined) return MarkerSet.always;
  if (extra === undefined) {
    let where = withoutExtras.get(marker);
    if (where === undefined) {
      where = MarkerSet.of(marker).withExtras(NOTHING).forReleases();
      withoutExtras.set(marker, where);
    }
    return where;
  }
  let byExtra = withExtra.get(marker);
  if (byExtra === undefined) {
    byExtra = new Map();
    withExtra.set(marker, byExtra);
  }
  let where = byExtra.get(extra);
  if (where === undefined) {
    where = MarkerSet.of(marker)
      .withExtras(new Set([extra]))
      .forReleases();
    byExtra.set(extra, where);
  }
  return where;
}
