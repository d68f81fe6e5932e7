/** Conditions as marker text: short, and the same for the same condition. */
import { HIGHEST, LOWEST } from "./cut.ts";
import { PepError } from "./error.ts";
import { and, type Diagram, FALSE, implies, not, or, TRUE } from "./marker-diagram.ts";
import { allOf, anyOf, flagTerm, NEVER, rangeTerm, type Term, textTerm } from "./marker-literal.ts";
import { comparisonDiagram, NO_VERSION, rangeDiagram, textDiagram } from "./marker-terms.ts";
import type { FlagVariable, ValueVariable } from "./marker-variable.ts";
import { VersionRange } from "./range.ts";

/** One thing that a part of the condition asks for. */
type Literal =
  | { readonly kind: "version"; readonly variable: ValueVariable; readonly range: VersionRange }
  | {
      readonly kind: "text";
      readonly variable: ValueVariable;
      readonly values: readonly string[];
      /** One of the values, or none of them. */
      readonly within: boolean;
    }
  | { readonly kind: "flag"; readonly variable: FlagVariable; readonly positive: boolean };

/** All of these at once. */
type Cube = readonly Literal[];

/** Of conditions with more parts no shorter form is searched. */
const SHORTENED_MAX = 48;
/** Beyond, the text would be of no use to anybody. */
const CUBES_MAX = 5_000;

/** @see MarkerSet.toMarkerString */
export function diagramText(diagram: Diagram): string {
  if (diagram === TRUE) return "";
  if (diagram === FALSE) return NEVER.text;
  const inverse = not(diagram);
  const sum = shorten(cubesOf(diagram), diagram);
  const product = shorten(cubesOf(inverse), inverse);
  const first = anyOf(sum.map((cube) => allOf(cube.map(literalTerm))));
  const second = allOf(product.map((cube) => anyOf(cube.map(negated).map(literalTerm))));
  return product.length > 0 && second.text.length < first.text.length ? second.text : first.text;
}

/** The ways to be true: each from the root to where the answer is yes. */
function cubesOf(diagram: Diagram): Cube[] {
  const cubes: Cube[] = [];
  const visit = (at: Diagram, path: Cube) => {
    if (at.kind === "leaf") {
      if (at.value) cubes.push(path);
      if (cubes.length > CUBES_MAX)
        throw new PepError("Cannot write a marker: it has too many alternatives");
      return;
    }
    for (const [literal, child] of branchesOf(at)) {
      if (child !== FALSE) visit(child, [...path, literal]);
    }
  };
  visit(diagram, []);
  return cubes;
}

/** The answers to the first question, those that lead to the same as one. */
function branchesOf(diagram: Exclude<Diagram, { kind: "leaf" }>): [Literal, Diagram][] {
  switch (diagram.kind) {
    case "version":
      return versionBranches(diagram.variable, diagram);
    case "text": {
      const { variable, values, children, rest } = diagram;
      const byChild = Map.groupBy(values, (_value, index) => children[index] ?? FALSE);
      const branches = [...byChild].map(([child, same]): [Literal, Diagram] => [
        { kind: "text", variable, values: same, within: true },
        child,
      ]);
      return [...branches, [{ kind: "text", variable, values, within: false }, rest]];
    }
    case "flag": {
      const { variable, high, low } = diagram;
      return [
        [{ kind: "flag", variable, positive: true }, high],
        [{ kind: "flag", variable, positive: false }, low],
      ];
    }
  }
}

function versionBranches(
  variable: ValueVariable,
  diagram: Extract<Diagram, { kind: "version" }>,
): [Literal, Diagram][] {
  const ranges = new Map<Diagram, VersionRange>();
  diagram.children.forEach((child, index) => {
    const lower = diagram.cuts[index - 1] ?? LOWEST;
    const between = VersionRange.between(
      lower === NO_VERSION ? LOWEST : lower,
      diagram.cuts[index] ?? HIGHEST,
    );
    ranges.set(child, between.union(ranges.get(child) ?? VersionRange.empty));
  });
  return [...ranges].map(([child, range]) => [{ kind: "version", variable, range }, child]);
}

/**
 * Leaves out of each part what the whole doesn't need, then the parts that the others cover. (The
 * order of questions makes parts say more than needed: `a or b` is split into `a` and `not a, b`.)
 */
function shorten(cubes: readonly Cube[], whole: Diagram): readonly Cube[] {
  if (cubes.length > SHORTENED_MAX) return cubes;
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

function cubeDiagram(cube: Cube): Diagram {
  return cube.map(literalDiagram).reduce(and, TRUE);
}

function literalDiagram(literal: Literal): Diagram {
  switch (literal.kind) {
    case "version":
      return rangeDiagram(literal.variable.name, literal.range);
    case "text": {
      const { name } = literal.variable;
      const inside = literal.values.map((value) => textDiagram(name, value)).reduce(or, FALSE);
      return literal.within ? inside : not(inside);
    }
    case "flag": {
      const diagram = comparisonDiagram(literal.variable.question);
      return literal.positive ? diagram : not(diagram);
    }
  }
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
