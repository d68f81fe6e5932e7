/** Conditions as marker text: short, and the same for the same condition. */

import { PepError } from "./error.ts";
import { type Cube, coverOf, cubeDiagram, type Literal, literalDiagram } from "./marker-cover.ts";
import { and, type Diagram, FALSE, implies, not, or, TRUE } from "./marker-diagram.ts";
import { allOf, anyOf, flagTerm, NEVER, rangeTerm, type Term, textTerm } from "./marker-literal.ts";
import { VersionRange } from "./range.ts";

/** Of conditions with more parts no shorter form is searched. */
const SHORTENED_MAX = 48;
/** @see MarkerSet.toMarkerString */
export function diagramText(diagram: Diagram): string {
  if (diagram === TRUE) return "";
  if (diagram === FALSE) return NEVER.text;
  const sum = shorten(coverOf(diagram), diagram);
  const first = sum && anyOf(sum.map((cube) => allOf(cube.map(literalTerm))));
  // Of one part, or of parts with one literal each, there is no other form.
  if (sum?.length === 1 || sum?.every((cube) => cube.length === 1)) return shorter(first);
  const inverse = not(diagram);
  const product = shorten(coverOf(inverse), inverse);
  const clauses = product?.map((cube) => anyOf(cube.map(negated).map(literalTerm)));
  return shorter(first, clauses?.length === 0 ? undefined : clauses && allOf(clauses));
}

function shorter(first: Term | undefined, second?: Term): string {
  if (first === undefined && second === undefined) {
    throw new PepError("Cannot write a marker: it has too many alternatives");
  }
  if (first === undefined || (second && second.text.length < first.text.length)) {
    return second?.text ?? "";
  }
  return first.text;
}

/**
 * Leaves out of each part what the whole doesn't need, then the parts that the others cover. (The
 * order of questions makes parts say more than needed: `a or b` is split into `a` and `not a, b`.)
 */
function shorten(cubes: readonly Cube[] | undefined, whole: Diagram): readonly Cube[] | undefined {
  if (cubes === undefined || cubes.length > SHORTENED_MAX) return cubes;
  const primes = new Map<Diagram, Cube>();
  for (const cube of cubes) {
    const prime = widened(cube, whole);
    primes.set(cubeDiagram(prime), prime);
  }
  const kept = [...primes];
  for (const entry of [...kept].sort(([, left], [, right]) => right.length - left.length)) {
    const others = kept.filter((other) => other !== entry);
    const covered = others.map(([diagram]) => diagram).reduce(or, FALSE);
    if (implies(entry[0], covered)) kept.splice(kept.indexOf(entry), 1);
  }
  return kept.map(([, cube]) => cube);
}

/** The part with as few and as wide literals as keep it inside of the whole. */
function widened(cube: Cube, whole: Diagram): Cube {
  let current = cube;
  for (const literal of cube) {
    const others = current.filter((other) => other !== literal);
    const rest = cubeDiagram(others);
    if (implies(rest, whole)) {
      current = others;
      continue;
    }
    const fits = (wider: Literal) => implies(and(rest, literalDiagram(wider)), whole);
    const wider = widenedLiteral(literal, fits);
    current = current.map((other) => (other === literal ? wider : other));
  }
  return current;
}

/** The literal that asks for as little as fits. */
function widenedLiteral(literal: Literal, fits: (wider: Literal) => boolean): Literal {
  let current = literal;
  const attempt = (wider: Literal) => {
    if (fits(wider)) current = wider;
  };
  switch (literal.kind) {
    case "flag":
      break;
    case "version":
      for (const { lower, upper } of literal.range.complement().segments) {
        const range = (current as typeof literal).range.union(VersionRange.between(lower, upper));
        attempt({ ...literal, range });
      }
      break;
    case "text":
      if (literal.within) break;
      for (const value of literal.values) {
        const values = (current as typeof literal).values.filter((other) => other !== value);
        if (values.length > 0) attempt({ ...literal, values });
      }
      break;
  }
  return current;
}

function negated(literal: Literal): Literal {
  switch (literal.kind) {
    case "version":
      return { ...literal, range: literal.range.complement() };
    case "text":
      return { ...literal, within: !literal.within };
    case "flag":
      return { ...literal, positive: !literal.positive };
  }
}

function literalTerm(literal: Literal): Term {
  switch (literal.kind) {
    case "version":
      return rangeTerm(literal.variable.name, literal.range);
    case "text":
      return textTerm(literal.variable.name, literal.values, literal.within);
    case "flag":
      return flagTerm(literal.variable, literal.positive);
  }
}
