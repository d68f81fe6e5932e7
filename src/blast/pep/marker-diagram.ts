/**
 * Decision diagrams of marker conditions: reduced and ordered, so that conditions which are equal
 * are one object, and every question about two conditions is answered by walking both at once.
 * Diagrams live as long as the process; a resolution makes some thousands of small ones.
 */
import { type Cut, compareCuts, isAbove } from "./cut.ts";
import type { MarkerChoice } from "./marker.ts";
import type { MarkerEnvironment } from "./marker-environment.ts";
import { compareValue, evaluateComparison } from "./marker-evaluate.ts";
import {
  compareVariables,
  type FlagVariable,
  type ValueVariable,
  type Variable,
} from "./marker-variable.ts";
import { tryParseVersion, type Version } from "./version.ts";

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

/** Markers that need more are made to do harm. */
const DIAGRAMS_MAX = 4_000_000;
const MEMO_MAX = 1_000_000;
/** Two ids make one number that is still exact. */
const ID_SPAN = 2 ** 26;

const table = new Map<string, Diagram>();
const conjunctions = new Map<number, Diagram>();
const simplified = new Map<number, Diagram>();
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
  const key = left.id < right.id ? left.id * ID_SPAN + right.id : right.id * ID_SPAN + left.id;
  const known = conjunctions.get(key);
  if (known !== undefined) return known;
  const result = zip(left, right, and);
  if (conjunctions.size >= MEMO_MAX) conjunctions.clear();
  conjunctions.set(key, result);
  return result;
}

/** Whether `left` holds nowhere that `right` doesn't. */
export function implies(left: Diagram, right: Diagram): boolean {
  return and(left, not(right)) === FALSE;
}

/**
 * A condition that equals `diagram` wherever `care` holds, and is as small as that allows: what
 * `care` says already need not be said again.
 */
export function simplifyUnder(diagram: Diagram, care: Diagram): Diagram {
  if (care === TRUE || diagram.kind === "leaf") return diagram;
  if (care.kind === "leaf") return FALSE;
  const key = diagram.id * ID_SPAN + care.id;
  const known = simplified.get(key);
  if (known !== undefined) return known;
  const result =
    compareVariables(care.variable, diagram.variable) < 0
      ? simplifyBelow(diagram, care)
      : simplifySplit(diagram, care);
  if (simplified.size >= MEMO_MAX) simplified.clear();
  simplified.set(key, result);
  return result;
}

/** Whether the condition holds in an environment; `extras` and groups in normal form. */
export function evaluate(
  diagram: Diagram,
  environment: MarkerEnvironment,
  choice: MarkerChoice,
): boolean {
  let at = diagram;
  while (at.kind !== "leaf") at = step(at, environment, choice);
  return at.value;
}

/** What is known of an environment: of some names the value, of some questions the answer. */
export interface Knowledge {
  readonly environment: Partial<MarkerEnvironment>;
  readonly choice?: MarkerChoice | undefined;
}

/** What remains to be asked when so much is known. */
export function assume(diagram: Diagram, knowledge: Knowledge): Diagram {
  const done = new Map<Diagram, Diagram>();
  const visit = (at: Diagram): Diagram => {
    const known = done.get(at);
    if (known !== undefined) return known;
    const result = assumeAt(at, knowledge, visit);
    done.set(at, result);
    return result;
  };
  return visit(diagram);
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
  if (table.size >= DIAGRAMS_MAX) throw new Error("Markers need too many decisions");
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

function branch(diagram: Diagram, variable: Variable, value: string): Diagram {
  if (diagram.kind !== "text" || diagram.variable !== variable) {
    return decide(diagram, variable, value);
  }
  const index = diagram.values.indexOf(value);
  return index === -1
    ? decide(diagram.rest, variable, value)
    : (diagram.children[index] ?? diagram.rest);
}

function restOf(diagram: Diagram, variable: Variable): Diagram {
  return diagram.kind === "text" && diagram.variable === variable ? diagram.rest : diagram;
}

function valuesOf(diagram: Diagram, variable: Variable): readonly string[] {
  return diagram.kind === "text" && diagram.variable === variable ? diagram.values : [];
}

type Split = Exclude<Diagram, Leaf>;

function firstSplit(left: Diagram, right: Diagram): Split | undefined {
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

function flagOf(diagram: Diagram, variable: Variable): { high: Diagram; low: Diagram } {
  return diagram.kind === "flag" && diagram.variable === variable
    ? diagram
    : { high: diagram, low: diagram };
}

interface Intervals {
  readonly cuts: readonly Cut[];
  readonly children: readonly Diagram[];
}

function intervalsOf(diagram: Diagram, variable: Variable): Intervals {
  return diagram.kind === "version" && diagram.variable === variable
    ? diagram
    : { cuts: [], children: [diagram] };
}

function zipVersions(
  variable: ValueVariable,
  pair: readonly [Diagram, Diagram],
  combine: (left: Diagram, right: Diagram) => Diagram,
): Diagram {
  const left = intervalsOf(pair[0], variable);
  const right = intervalsOf(pair[1], variable);
  const cuts: Cut[] = [];
  const children: Diagram[] = [];
  let leftAt = 0;
  let rightAt = 0;
  for (;;) {
    children.push(combine(left.children[leftAt] ?? FALSE, right.children[rightAt] ?? FALSE));
    const leftCut = left.cuts[leftAt];
    const rightCut = right.cuts[rightAt];
    if (leftCut === undefined && rightCut === undefined) break;
    const order =
      leftCut === undefined ? 1 : rightCut === undefined ? -1 : compareCuts(leftCut, rightCut);
    cuts.push((order <= 0 ? leftCut : rightCut) as Cut);
    if (order <= 0) leftAt += 1;
    if (order >= 0) rightAt += 1;
  }
  return splitByVersion(variable, cuts, children);
}

function mapChildren(diagram: Diagram, change: (child: Diagram) => Diagram): Diagram {
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

/** For a condition that doesn't ask first what `care` asks first. */
function simplifyBelow(diagram: Split, care: Split): Diagram {
  if (diagram.kind === "flag" && diagram.variable.about === care.variable) {
    return simplifyTexts(diagram.variable.about, diagram, care);
  }
  return simplifyUnder(diagram, childrenOf(care).reduce(or));
}

/** Marks where `care` is false while a simplified split is put together. */
const ANYTHING = undefined;

function simplifyChild(child: Diagram, cared: Diagram): Diagram | undefined {
  return cared === FALSE ? ANYTHING : simplifyUnder(child, cared);
}

function simplifySplit(diagram: Split, care: Diagram): Diagram {
  switch (diagram.kind) {
    case "version":
      return simplifyVersions(diagram, intervalsOf(care, diagram.variable));
    case "text":
      return simplifyTexts(diagram.variable, diagram, care);
    case "flag": {
      const { variable } = diagram;
      const cared = flagOf(care, variable);
      const high = simplifyChild(diagram.high, cared.high);
      const low = simplifyChild(diagram.low, cared.low);
      return splitByFlag(variable, high ?? low ?? FALSE, low ?? high ?? FALSE);
    }
  }
}

function simplifyVersions(diagram: VersionSplit, care: Intervals): Diagram {
  const cuts: Cut[] = [];
  const parts: (Diagram | undefined)[] = [];
  const originals: Diagram[] = [];
  let at = 0;
  let careAt = 0;
  for (;;) {
    const original = diagram.children[at] ?? FALSE;
    originals.push(original);
    parts.push(simplifyChild(original, care.children[careAt] ?? FALSE));
    const cut = diagram.cuts[at];
    const careCut = care.cuts[careAt];
    if (cut === undefined && careCut === undefined) break;
    const order = cut === undefined ? 1 : careCut === undefined ? -1 : compareCuts(cut, careCut);
    cuts.push((order <= 0 ? cut : careCut) as Cut);
    if (order <= 0) at += 1;
    if (order >= 0) careAt += 1;
  }
  return splitByVersion(diagram.variable, cuts, fillGaps(parts, originals));
}

/** Where anything will do, what stands beside it does; best what stood there before. */
function fillGaps(
  parts: readonly (Diagram | undefined)[],
  originals: readonly Diagram[],
): readonly Diagram[] {
  const filled: Diagram[] = [];
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index];
    if (part !== ANYTHING) {
      filled.push(part);
      continue;
    }
    const before = filled[index - 1];
    const after = parts.slice(index + 1).find((next) => next !== ANYTHING);
    const original = originals[index];
    filled.push(original === after ? (after ?? FALSE) : (before ?? after ?? FALSE));
  }
  return filled;
}

function simplifyTexts(variable: ValueVariable, diagram: Diagram, care: Diagram): Diagram {
  const values = new Set([...valuesOf(diagram, variable), ...valuesOf(care, variable)]);
  const branches: [string, Diagram][] = [];
  for (const value of values) {
    const part = simplifyChild(branch(diagram, variable, value), branch(care, variable, value));
    if (part !== ANYTHING) branches.push([value, part]);
  }
  const rest = simplifyChild(restOf(diagram, variable), restOf(care, variable));
  return splitByText(variable, branches, rest ?? mostCommon(branches) ?? FALSE);
}

function mostCommon(branches: readonly (readonly [string, Diagram])[]): Diagram | undefined {
  const counts = new Map<Diagram, number>();
  let best: Diagram | undefined;
  for (const [, child] of branches) {
    const count = (counts.get(child) ?? 0) + 1;
    counts.set(child, count);
    if (best === undefined || count > (counts.get(best) ?? 0)) best = child;
  }
  return best;
}

function step(diagram: Split, environment: MarkerEnvironment, choice: MarkerChoice): Diagram {
  switch (diagram.kind) {
    case "version":
      return childOfVersion(diagram, environment[diagram.variable.name]);
    case "text":
      return branch(diagram, diagram.variable, environment[diagram.variable.name]);
    case "flag":
      return evaluateComparison(diagram.variable.question, environment, choice)
        ? diagram.high
        : diagram.low;
  }
}

function childOfVersion(diagram: VersionSplit, text: string): Diagram {
  const version = versionOf(text);
  let index = 0;
  if (version !== undefined) {
    while (index < diagram.cuts.length && isAbove(version, diagram.cuts[index] as Cut)) index += 1;
  }
  return diagram.children[index] ?? FALSE;
}

/** The version of a Python; one that was built between two releases calls itself "3.12.1+". */
function versionOf(text: string): Version | undefined {
  return tryParseVersion(text.endsWith("+") ? `${text}local` : text);
}

function assumeAt(
  diagram: Diagram,
  knowledge: Knowledge,
  visit: (diagram: Diagram) => Diagram,
): Diagram {
  if (diagram.kind === "leaf") return diagram;
  if (diagram.kind === "flag") return assumeFlag(diagram, knowledge, visit);
  const value = knowledge.environment[diagram.variable.name];
  if (value === undefined) return mapChildren(diagram, visit);
  const child =
    diagram.kind === "version"
      ? childOfVersion(diagram, value)
      : branch(diagram, diagram.variable, value);
  return visit(child);
}

/** What questions about extras ask of the environment: nothing. */
const NO_ENVIRONMENT = {} as MarkerEnvironment;

function assumeFlag(
  diagram: Flag,
  { environment, choice }: Knowledge,
  visit: (diagram: Diagram) => Diagram,
): Diagram {
  const { name, question } = diagram.variable;
  if (name === "extra" || name === "extras" || name === "dependency_groups") {
    if (choice === undefined) return mapChildren(diagram, visit);
    const answer = evaluateComparison(question, NO_ENVIRONMENT, choice);
    return visit(answer ? diagram.high : diagram.low);
  }
  const value = environment[name];
  if (value === undefined) return mapChildren(diagram, visit);
  return visit(compareValue(question, value) ? diagram.high : diagram.low);
}
