import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  evaluateMarker,
  type Marker,
  markerToString,
  parseMarker,
} from "../../../src/blast/pep/marker.ts";
import { MarkerSet } from "../../../src/blast/pep/marker-algebra.ts";
import type { MarkerEnvironment } from "../../../src/blast/pep/marker-environment.ts";
import {
  anyMarker,
  environment,
  LIMIT_MS,
  meaningfulMarker,
  SEED,
} from "../../support/random-markers.ts";

const RUNS = Number(process.env["PEP_CASES"] ?? 400);
const options = { seed: SEED, numRuns: RUNS };

const marker = meaningfulMarker.map(parseMarker);
const set = marker.map((one) => MarkerSet.of(one));
const extras = fc.subarray(["a", "b", "foo-bar"]).map((names) => new Set(names));

function property<T extends [unknown, ...unknown[]]>(
  name: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  check: (...values: T) => void,
): void {
  test(name, () => fc.assert(fc.property(...arbitraries, check), options), LIMIT_MS);
}

describe("laws of sets", () => {
  property("of De Morgan", [set, set], (a, b) => {
    expect(a.and(b).not()).toBe(a.not().or(b.not()));
    expect(a.or(b).not()).toBe(a.not().and(b.not()));
    expect(a.not().not()).toBe(a);
  });

  property("of absorption and distribution", [set, set, set], (a, b, c) => {
    expect(a.and(a.or(b))).toBe(a);
    expect(a.or(a.and(b))).toBe(a);
    expect(a.and(b.or(c))).toBe(a.and(b).or(a.and(c)));
    expect(a.and(b.and(c))).toBe(a.and(b).and(c));
    expect(a.and(b)).toBe(b.and(a));
  });

  property("of complements", [set, set], (a, b) => {
    expect(a.and(a.not()).isFalse()).toBe(true);
    expect(a.or(a.not()).isTrue()).toBe(true);
    expect(a.minus(b)).toBe(a.and(b.not()));
    expect(a.minus(b).isDisjointFrom(b)).toBe(true);
    expect(a.implies(b)).toBe(a.minus(b).isFalse());
    expect(a.and(b).implies(a) && a.implies(a.or(b))).toBe(true);
    expect(a.isDisjointFrom(b)).toBe(a.and(b).isFalse());
  });

  property("of simplification", [set, set], (a, given) => {
    const simple = a.simplifyUnder(given);
    expect(simple.and(given)).toBe(a.and(given));
    if (given.isFalse()) return;
    if (given.implies(a)) expect(simple.isTrue()).toBe(true);
    if (given.isDisjointFrom(a)) expect(simple.isFalse()).toBe(true);
  });
});

/**
 * Where the set knowingly differs: a literal on the left before a Python with a local label makes
 * a clause that is none, and `in` takes words for parts of words that are not found anywhere.
 */
function isOdd(text: string, { python_full_version }: MarkerEnvironment): boolean {
  return python_full_version.endsWith("+") && /['"]\s*[<>=!~]+\s*python_full/.test(text);
}

/** Comparisons of letters, and those with a literal on the left that PEP 440 excepts. */
function cannotBeDenied(text: string): boolean {
  return /== "=|platform_release|"[^"]*(?:post|local)[^"]*" [<>=!~]+|" ~= [a-z]/.test(text);
}

describe("a set is what its marker is", () => {
  property(
    "in every environment",
    [anyMarker, environment, extras],
    (text: string, place: MarkerEnvironment, asked: Set<string>) => {
      if (isOdd(text, place)) return;
      const parsed = parseMarker(text);
      const expected = evaluateMarker(parsed, place, asked);
      expect(MarkerSet.of(parsed).evaluate(place, asked)).toBe(expected);
      expect(MarkerSet.of(parsed).within(place).withExtras(asked).isTrue()).toBe(expected);
    },
  );

  property(
    "its Pythons are those of the environments",
    [set, environment, extras],
    (a: MarkerSet, place: MarkerEnvironment, asked: Set<string>) => {
      if (!a.evaluate(place, asked)) return;
      const python = MarkerSet.ofPython(a.pythonRange());
      expect(a.implies(python)).toBe(true);
      expect(python.evaluate(place)).toBe(true);
    },
  );

  property(
    "and so is its text",
    [marker, fc.array(environment, { minLength: 4, maxLength: 8 }), extras],
    (parsed: Marker, places: MarkerEnvironment[], asked: Set<string>) => {
      if (cannotBeDenied(markerToString(parsed))) return;
      for (const a of [MarkerSet.of(parsed), MarkerSet.of(parsed).not()]) {
        const text = a.toMarkerString();
        const again = text === "" ? MarkerSet.always : MarkerSet.of(parseMarker(text));
        expect(again.toMarkerString()).toBe(text);
        for (const place of places) {
          expect(again.evaluate(place, asked)).toBe(a.evaluate(place, asked));
        }
      }
    },
  );
});
