/**
 * Conditions as alternatives, each a list of things asked for at once: the way of Minato (1992) to
 * few and short ones, without walking every path of a diagram.
 */
import { HIGHEST, LOWEST } from "./cut.ts";
import { PepError } from "./error.ts";
import {
  and,
  branch,
  type Diagram,
  FALSE,
  firstSplit,
  flagOf,
  not,
  or,
  pairKey,
  restOf,
  type Split,
  splitByFlag,
  splitByText,
  TRUE,
  valuesOf,
  zipIntervals,
} from "./marker-diagram.ts";
import { comparisonDiagram, NO_VERSION, rangeDiagram, textDiagram } from "./marker-terms.ts";
import type { FlagVariable, ValueVariable } from "./marker-variable.ts";
import { VersionRange } from "./range.ts";

/** One thing that an alternative asks for. */
export type Literal =
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
export type Cube = readonly Literal[];

/** Beyond, the text would be of no use to anybody. */
const CUBES_MAX = 2_000;

/** Alternatives that together are the condition; undefined: too many. */
export function coverOf(diagram: Diagram): readonly Cube[] | undefined {
  try {
    return cover(diagram, diagram, new Map()).cubes;
  } catch (error) {
    if (error instanceof PepError) return undefined;
    throw error;
  }
}

/** The condition that an alternative is. */
export function cubeDiagram(cube: Cube): Diagram {
  return cube.map(literalDiagram).reduce(and, TRUE);
}

/** The condition that a literal is, with what is known of how values go together. */
export function literalDiagram(literal: Literal): Diagram {
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

interface Cover {
  readonly cubes: readonly Cube[];
  readonly diagram: Diagram;
}

type Memo = Map<number, Cover>;

const NOTHING: Cover = { cubes: [], diagram: FALSE };
const EVERYTHING: Cover = { cubes: [[]], diagram: TRUE };

/** Alternatives that hold wherever `lower` does, and nowhere that `upper` doesn't. */
function cover(lower: Diagram, upper: Diagram, memo: Memo): Cover {
  if (lower === FALSE) return NOTHING;
  if (upper === TRUE) return EVERYTHING;
  const key = pairKey(lower, upper);
  const known = memo.get(key);
  if (known !== undefined) return known;
  const first = firstSplit(lower, upper);
  const made = first === undefined ? NOTHING : coverSplit(regionsOf(first, lower, upper), memo);
  memo.set(key, made);
  return made;
}

/** What is to be covered where a literal holds. */
interface Region {
  readonly literal: Literal;
  readonly lower: Diagram;
  readonly upper: Diagram;
}

function coverSplit(regions: readonly Region[], memo: Memo): Cover {
  // What holds in every region needs no literal; only the rest of each region does.
  const common = regions.map(({ upper }) => upper).reduce(and, TRUE);
  const cubes: Cube[] = [];
  let diagram = FALSE;
  let left = FALSE;
  for (const { literal, lower, upper } of regions) {
    const part = cover(and(lower, not(common)), upper, memo);
    for (const cube of part.cubes) cubes.push([literal, ...cube]);
    diagram = or(diagram, and(regionDiagram(literal), part.diagram));
    left = or(left, and(lower, not(part.diagram)));
  }
  const rest = cover(and(left, common), common, memo);
  cubes.push(...rest.cubes);
  if (cubes.length > CUBES_MAX) {
    throw new PepError("too many alternatives");
  }
  return { cubes, diagram: or(diagram, rest.diagram) };
}

/** As {@link literalDiagram}, for the very question that the diagram asks. */
function regionDiagram(literal: Literal): Diagram {
  switch (literal.kind) {
    case "version":
      return rangeDiagram(literal.variable.name, literal.range);
    case "text": {
      const [inside, outside] = literal.within ? [TRUE, FALSE] : [FALSE, TRUE];
      const branches = literal.values.map((value) => [value, inside] as const);
      return splitByText(literal.variable, branches, outside);
    }
    case "flag": {
      const [high, low] = literal.positive ? [TRUE, FALSE] : [FALSE, TRUE];
      return splitByFlag(literal.variable, high, low);
    }
  }
}

/** The answers to the first question, those with the same to cover as one. */
function regionsOf(first: Split, lower: Diagram, upper: Diagram): readonly Region[] {
  switch (first.kind) {
    case "version":
      return versionRegions(first.variable, lower, upper);
    case "text":
      return textRegions(first.variable, lower, upper);
    case "flag": {
      const { variable } = first;
      const [a, b] = [flagOf(lower, variable), flagOf(upper, variable)];
      return [
        { literal: { kind: "flag", variable, positive: true }, lower: a.high, upper: b.high },
        { literal: { kind: "flag", variable, positive: false }, lower: a.low, upper: b.low },
      ];
    }
  }
}

function versionRegions(variable: ValueVariable, lower: Diagram, upper: Diagram): Region[] {
  const regions = new Map<number, Region>();
  for (const { from, to, left, right } of zipIntervals(variable, lower, upper)) {
    const start = from === undefined || from === NO_VERSION ? LOWEST : from;
    const between = VersionRange.between(start, to ?? HIGHEST);
    const key = pairKey(left, right);
    const known = regions.get(key)?.literal;
    const range = known?.kind === "version" ? known.range.union(between) : between;
    regions.set(key, { literal: { kind: "version", variable, range }, lower: left, upper: right });
  }
  // What is no version cannot be asked for.
  return [...regions.values()].filter(
    ({ literal }) => literal.kind === "version" && !literal.range.isEmpty(),
  );
}

function textRegions(variable: ValueVariable, lower: Diagram, upper: Diagram): Region[] {
  const values = [...new Set([...valuesOf(lower, variable), ...valuesOf(upper, variable)])].sort();
  const rest = { lower: restOf(lower, variable), upper: restOf(upper, variable) };
  const groups = new Map<number, { values: string[]; lower: Diagram; upper: Diagram }>();
  for (const value of values) {
    const [left, right] = [branch(lower, variable, value), branch(upper, variable, value)];
    const key = pairKey(left, right);
    const group = groups.get(key) ?? { values: [], lower: left, upper: right };
    group.values.push(value);
    groups.set(key, group);
  }
  const regions = [...groups.values()].map(
    (group): Region => ({
      literal: { kind: "text", variable, values: group.values, within: true },
      lower: group.lower,
      upper: group.upper,
    }),
  );
  return [...regions, { literal: { kind: "text", variable, values, within: false }, ...rest }];
}
