import { evaluateMarker, type Marker } from "../pep/marker.ts";
import type { MarkerEnvironment } from "../pep/marker-environment.ts";
import type { ExtraName } from "../pep/name.ts";
import type { VersionRange } from "../pep/range.ts";
import type { Version } from "../pep/version.ts";

/** The part of the world for which one search finds versions. */
export interface Scope {
  /** In universal mode: the Pythons of this part. */
  readonly pythons: VersionRange | undefined;
  /** For messages: `3.12.1`, or a range. */
  readonly pythonText: string;
  /** For messages: which part it is, if it is not the whole. */
  readonly condition: string | undefined;
  /** The Python that the user has at hand, if it is one of them. */
  readonly pythonAtHand: Version | undefined;
  /** Whether a requirement counts (somewhere in this part) when no extra is asked for. */
  holds(marker: Marker | undefined): boolean;
  /** Whether an extra brings it, where it did not count without. */
  isBroughtBy(extra: ExtraName, marker: Marker | undefined): boolean;
}

/** One environment. Few distinct markers exist, so each is evaluated once. */
export class EnvironmentScope implements Scope {
  readonly pythons = undefined;
  readonly pythonAtHand = undefined;
  readonly condition = undefined;
  readonly pythonText: string;
  private readonly environment: MarkerEnvironment;
  private readonly answers = new Map<Marker, boolean>();
  private readonly extraAnswers = new Map<ExtraName, Map<Marker, boolean>>();

  constructor(environment: MarkerEnvironment) {
    this.environment = environment;
    this.pythonText = environment.python_full_version;
  }

  holds(marker: Marker | undefined): boolean {
    if (marker === undefined) return true;
    const known = this.answers.get(marker);
    if (known !== undefined) return known;
    const answer = evaluateMarker(marker, this.environment);
    this.answers.set(marker, answer);
    return answer;
  }

  isBroughtBy(extra: ExtraName, marker: Marker | undefined): boolean {
    if (this.holds(marker) || marker === undefined) return false;
    let answers = this.extraAnswers.get(extra);
    if (answers === undefined) {
      answers = new Map();
      this.extraAnswers.set(extra, answers);
    }
    const known = answers.get(marker);
    if (known !== undefined) return known;
    const answer = evaluateMarker(marker, this.environment, new Set([extra]));
    answers.set(marker, answer);
    return answer;
  }
}
