/** What is left to say of a condition where another one holds already. */
import {
  branch,
  childrenOf,
  type Diagram,
  FALSE,
  flagOf,
  or,
  pairKey,
  restOf,
  type Split,
  splitByFlag,
  splitByText,
  splitByVersion,
  TRUE,
  type VersionSplit,
  valuesOf,
  zipIntervals,
} from "./marker-diagram.ts";
import { compareVariables, type ValueVariable } from "./marker-variable.ts";

const MEMO_MAX = 200_000;
const simplified = new Map<number, Diagram>();

/**
 * A condition that equals `diagram` wherever `care` holds, and is as small as that allows: what
 * `care` says already need not be said again.
 */
export function simplifyUnder(diagram: Diagram, care: Diagram): Diagram {
  if (care === TRUE || diagram.kind === "leaf") return diagram;
  if (care.kind === "leaf") return FALSE;
  const key = pairKey(diagram, care);
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
      return simplifyVersions(diagram, care);
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

function simplifyVersions(diagram: VersionSplit, care: Diagram): Diagram {
  const { variable } = diagram;
  const intervals = zipIntervals(variable, diagram, care);
  const parts = intervals.map(({ left, right }) => simplifyChild(left, right));
  const originals = intervals.map(({ left }) => left);
  const cuts = intervals.flatMap(({ to }) => (to === undefined ? [] : [to]));
  return splitByVersion(variable, cuts, fillGaps(parts, originals));
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
