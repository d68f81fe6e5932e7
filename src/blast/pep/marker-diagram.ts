/**
 * Decision diagrams of marker conditions: reduced and ordered, so that conditions which are equal
 * are one object, and every question about two conditions is answered by walking both at once.
 * Diagrams live as long as the process; a resolution makes some thousands of small ones.
 */
import { type Cut, compareCuts } from "./cut.ts";
import { PepError } from "./error.ts";
import { compareValue } from "./marker-evaluate.ts";
import {
  compareVariables,
  type FlagVariable,
  type ValueVariable,
  type Variable,
} from "./marker-variable.ts";

/** A condition. Equal conditions are the same object. */
export type Diagram = Leaf | VersionSplit | TextSplit | Flag;

interface Leaf {
  readonly kind: "leaf";
  readonly id: number;
  readonly value: boolean;
}

/** By the interval in which a version lies. */
export interface VersionSplit {
  readonly kind: "version";
  readonly id: number;
  readonly variable: ValueVariable;
  /** Ascending. */
  readonly cuts: readonly Cut[];
  /** One more than there are cuts; neighbours differ. */
  readonly children: readonly Diagram[];
}

/** By a text. */
export interface TextSplit {
  readonly kind: "text";
  readonly id: number;
  readonly variable: ValueVariable;
  /** Sorted. */
  readonly values: readonly string[];
  readonly children: readonly Diagram[];
  /** For every other value. */
  readonly rest: Diagram;
}

/** By a question with the answers yes and no. */
export interface Flag {
  readonly kind: "flag";
  readonly id: number;
  readonly variable: FlagVariable;
  readonly high: Diagram;
  readonly low: Diagram;
}

export const FALSE: Diagram = { kind: "leaf", id: 0, value: false };
export const TRUE: Diagram = { kind: "leaf", id: 1, value: true };

/** Markers that need more for one step are made to do harm: real ones need some dozens. */
const STEP_MAX = 30_000;
const MEMO_MAX = 1_000_000;
/** Two ids make one number that is still exact. */
const ID_SPAN = 2 ** 26;

const table = new Map<string, Diagram>();
let limit = STEP_MAX;
const conjunctions = new Map<number, Diagram>();
const inverses = new WeakMap<Diagram, Diagram>([
  [FALSE, TRUE],
  [TRUE, FALSE],
]);

/** The diagram that asks where a version lies; `children` has one more than `cuts`. */
export function splitByVersion(
  variable: ValueVariable,
  cuts: readonly Cut[],
  children: readonly Diagram[],
): Diagram {
  const keptCuts: Cut[] = [];
  const kept: Diagram[] = [children[0] ?? FALSE];
  for (let index = 0; index < cuts.length; index += 1) {
    const child = children[index + 1] ?? FALSE;
    if (child === kept[kept.length - 1]) continue;
    keptCuts.push(cuts[index] as Cut);
    kept.push(child);
  }
  if (keptCuts.length === 0) return kept[0] ?? FALSE;
  const where = keptCuts.map(({ key, spelling }) => `${key}/${spelling}`).join(" ");
  return intern(`${variable.key}|${where}|${ids(kept)}`, (id) => ({
    kind: "version",
    id,
    variable,
    cuts: keptCuts,
    children: kept,
  }));
}

/** The diagram that asks for a text; `values` need not be sorted, but each be there once. */
export function splitByText(
  variable: ValueVariable,
  branches: readonly (readonly [string, Diagram])[],
  rest: Diagram,
): Diagram {
  const kept = branches
    .filter(([value, child]) => child !== decide(rest, variable, value))
    .sort(([left], [right]) => (left < right ? -1 : 1));
  if (kept.length === 0) return rest;
  const values = kept.map(([value]) => value);
  const children = kept.map(([, child]) => child);
  const key = `${variable.key}|${JSON.stringify(values)}|${ids(children)}|${rest.id}`;
  return intern(key, (id) => ({ kind: "text", id, variable, values, children, rest }));
}

/** The diagram that asks a question. */
export function splitByFlag(variable: FlagVariable, high: Diagram, low: Diagram): Diagram {
  if (high === low) return high;
  const key = `${variable.key}|${high.id},${low.id}`;
  return intern(key, (id) => ({ kind: "flag", id, variable, high, low }));
}

/**
 * Works on conditions with a bound on what may become of it.
 *
 * @throws PepError when the conditions are so entangled that the result has no reasonable size
 */
export function bounded<T>(work: () => T): T {
  limit = table.size + STEP_MAX;
  return work();
}

export function not(diagram: Diagram): Diagram {
  const known = inverses.get(diagram);
  if (known !== undefined) return known;
  const inverse = mapChildren(diagram, not);
  inverses.set(diagram, inverse);
  inverses.set(inverse, diagram);
  return inverse;
}

export function or(left: Diagram, right: Diagram): Diagram {
  return not(and(not(left), not(right)));
}

export function and(left: Diagram, right: Diagram): Diagram {
  if (left === right || right === TRUE) return left;
  if (left === TRUE) return right;
  if (left === FALSE || right === FALSE) return FALSE;
  const key = left.id < right.id ? pairKey(left, right) : pairKey(right, left);
  const known = conjunctions.get(key);
  if (known !== undefined) return known;
  const result = zip(left, right, and);
  if (conjunctions.size >= MEMO_MAX) conjunctions.clear();
  conjunctions.set(key, result);
  return result;
}

/** A key for what was found of two diagrams in this order. */
export function pairKey(left: Diagram, right: Diagram): number {
  return left.id * ID_SPAN + right.id;
}

/** Whether `left` holds nowhere that `right` doesn't. */
export function implies(left: Diagram, right: Diagram): boolean {
  return and(left, not(right)) === FALSE;
}

/** The diagrams one question further. */
export function childrenOf(diagram: Diagram): readonly Diagram[] {
  switch (diagram.kind) {
    case "leaf":
      return [];
    case "version":
      return diagram.children;
    case "text":
      return [...diagram.children, diagram.rest];
    case "flag":
      return [diagram.high, diagram.low];
  }
}

function ids(diagrams: readonly Diagram[]): string {
  return diagrams.map(({ id }) => id).join(",");
}

function intern(key: string, make: (id: number) => Diagram): Diagram {
  const known = table.get(key);
  if (known !== undefined) return known;
  if (table.size >= limit) {
    throw new PepError("Cannot combine markers: together they ask too many questions");
  }
  const made = make(table.size + 2);
  table.set(key, made);
  return made;
}

/** Follows the questions about one text that the value itself answers. */
function decide(diagram: Diagram, variable: Variable, value: string): Diagram {
  let at = diagram;
  while (at.kind === "flag" && at.variable.about === variable) {
    at = compareValue(at.variable.question, value) ? at.high : at.low;
  }
  return at;
}

/** What is left when a text is known. */
export function branch(diagram: Diagram, variable: Variable, value: string): Diagram {
  if (diagram.kind !== "text" || diagram.variable !== variable) {
    return decide(diagram, variable, value);
  }
  const index = diagram.values.indexOf(value);
  return index === -1
    ? decide(diagram.rest, variable, value)
    : (diagram.children[index] ?? diagram.rest);
}

/** What is left when a text is none of those that are asked for. */
export function restOf(diagram: Diagram, variable: Variable): Diagram {
  return diagram.kind === "text" && diagram.variable === variable ? diagram.rest : diagram;
}

/** The texts that are asked for first. */
export function valuesOf(diagram: Diagram, variable: Variable): readonly string[] {
  return diagram.kind === "text" && diagram.variable === variable ? diagram.values : [];
}

/** A condition that asks something. */
export type Split = Exclude<Diagram, Leaf>;

/** The one that asks first. */
export function firstSplit(left: Diagram, right: Diagram): Split | undefined {
  if (left.kind === "leaf") return right.kind === "leaf" ? undefined : right;
  if (right.kind === "leaf") return left;
  return compareVariables(left.variable, right.variable) <= 0 ? left : right;
}

/** Walks two diagrams at once. */
function zip(
  left: Diagram,
  right: Diagram,
  combine: (left: Diagram, right: Diagram) => Diagram,
): Diagram {
  const first = firstSplit(left, right);
  if (first === undefined) return combine(left, right);
  switch (first.kind) {
    case "version":
      return zipVersions(first.variable, [left, right], combine);
    case "text": {
      const { variable } = first;
      const values = new Set([...valuesOf(left, variable), ...valuesOf(right, variable)]);
      const rest = combine(restOf(left, variable), restOf(right, variable));
      const branches = [...values].map(
        (value) =>
          [value, combine(branch(left, variable, value), branch(right, variable, value))] as const,
      );
      return splitByText(variable, branches, rest);
    }
    case "flag": {
      const { variable } = first;
      const [a, b] = [flagOf(left, variable), flagOf(right, variable)];
      return splitByFlag(variable, combine(a.high, b.high), combine(a.low, b.low));
    }
  }
}

/** What follows from yes and from no. */
export function flagOf(diagram: Diagram, variable: Variable): { high: Diagram; low: Diagram } {
  return diagram.kind === "flag" && diagram.variable === variable
    ? diagram
    : { high: diagram, low: diagram };
}

/** The intervals of a version and what follows from each. */
export interface Intervals {
  readonly cuts: readonly Cut[];
  readonly children: readonly Diagram[];
}

/** What follows from the version, if that is asked for first. */
export function intervalsOf(diagram: Diagram, variable: Variable): Intervals {
  return diagram.kind === "version" && diagram.variable === variable
    ? diagram
    : { cuts: [], children: [diagram] };
}

function zipVersions(
  variable: ValueVariable,
  pair: readonly [Diagram, Diagram],
  combine: (left: Diagram, right: Diagram) => Diagram,
): Diagram {
  const intervals = zipIntervals(variable, ...pair);
  const cuts = intervals.flatMap(({ to }) => (to === undefined ? [] : [to]));
  const children = intervals.map(({ left, right }) => combine(left, right));
  return splitByVersion(variable, cuts, children);
}

/** An interval of a version, and what is left of two conditions in it. */
interface Interval {
  /** Undefined: without an end at this side. */
  readonly from: Cut | undefined;
  readonly to: Cut | undefined;
  readonly left: Diagram;
  readonly right: Diagram;
}

/** The intervals in which neither of two conditions changes. */
export function zipIntervals(
  variable: ValueVariable,
  leftDiagram: Diagram,
  rightDiagram: Diagram,
): readonly Interval[] {
  const left = intervalsOf(leftDiagram, variable);
  const right = intervalsOf(rightDiagram, variable);
  const intervals: Interval[] = [];
  let from: Cut | undefined;
  let leftAt = 0;
  let rightAt = 0;
  for (;;) {
    const leftCut = left.cuts[leftAt];
    const rightCut = right.cuts[rightAt];
    const order = compareEnds(leftCut, rightCut);
    const to = order <= 0 ? leftCut : rightCut;
    intervals.push({
      from,
      to,
      left: left.children[leftAt] ?? FALSE,
      right: right.children[rightAt] ?? FALSE,
    });
    if (to === undefined) return intervals;
    if (order <= 0) leftAt += 1;
    if (order >= 0) rightAt += 1;
    from = to;
  }
}

function compareEnds(left: Cut | undefined, right: Cut | undefined): number {
  if (left === undefined) return right === undefined ? 0 : 1;
  return right === undefined ? -1 : compareCuts(left, right);
}

/** The same question with something else following from each answer. */
export function mapChildren(diagram: Diagram, change: (child: Diagram) => Diagram): Diagram {
  switch (diagram.kind) {
    case "leaf":
      return diagram;
    case "version":
      return splitByVersion(diagram.variable, diagram.cuts, diagram.children.map(change));
    case "text": {
      const branches = diagram.values.map(
        (value, index) => [value, change(diagram.children[index] ?? FALSE)] as const,
      );
      return splitByText(diagram.variable, branches, change(diagram.rest));
    }
    case "flag":
      return splitByFlag(diagram.variable, change(diagram.high), change(diagram.low));
  }
}
