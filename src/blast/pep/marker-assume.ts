/** What conditions answer when something is known of the environment. */
import { type Cut, isAbove } from "./cut.ts";
import type { MarkerChoice } from "./marker.ts";
import {
  branch,
  type Diagram,
  FALSE,
  type Flag,
  mapChildren,
  type Split,
  type VersionSplit,
} from "./marker-diagram.ts";
import type { MarkerEnvironment } from "./marker-environment.ts";
import { compareValue, evaluateComparison } from "./marker-evaluate.ts";
import { tryParseVersion, type Version } from "./version.ts";

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
