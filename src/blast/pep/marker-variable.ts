import type { Comparison } from "./marker.ts";
import { markerToString } from "./marker.ts";
import type { EnvironmentName, MarkerName } from "./marker-environment.ts";

/** A value of the environment. */
export interface ValueVariable {
  readonly kind: "value";
  /** Names the variable in keys of tables. */
  readonly key: string;
  readonly name: EnvironmentName;
  /** Where it stands in the order of questions. */
  readonly rank: number;
}

/** A question that is answered by yes or no. */
export interface FlagVariable {
  readonly kind: "flag";
  readonly key: string;
  readonly name: MarkerName;
  readonly rank: number;
  readonly question: Comparison;
  /** Whose value answers the question, where that is a text that can be asked for itself. */
  readonly about: ValueVariable | undefined;
}

/** Something that a condition can depend on. Equal variables are the same object. */
export type Variable = ValueVariable | FlagVariable;

/**
 * The order of questions. That for the version of Python comes first, since it is asked most and
 * ranges of it are then at hand; questions about a text follow directly after the text itself.
 */
const ORDER: readonly MarkerName[] = [
  "python_full_version",
  "python_version",
  "sys_platform",
  "os_name",
  "platform_system",
  "platform_machine",
  "platform_python_implementation",
  "implementation_name",
  "implementation_version",
  "platform_version",
  "platform_release",
  "extra",
  "extras",
  "dependency_groups",
];

const values = new Map<EnvironmentName, ValueVariable>();
const flags = new Map<string, FlagVariable>();

/** The variable that is a value of the environment. */
export function valueVariable(name: EnvironmentName): ValueVariable {
  const known = values.get(name);
  if (known !== undefined) return known;
  const variable: ValueVariable = { kind: "value", key: name, name, rank: rankOf(name) };
  values.set(name, variable);
  return variable;
}

/**
 * The variable that is a question.
 *
 * @param about the value that answers it, if conditions can also ask for that
 */
export function flagVariable(
  name: MarkerName,
  question: Comparison,
  about?: ValueVariable,
): FlagVariable {
  const key = `?${comparisonText(question)}`;
  const known = flags.get(key);
  if (known !== undefined) return known;
  const rank = rankOf(name) + 1;
  const variable: FlagVariable = { kind: "flag", key, name, rank, question, about };
  flags.set(key, variable);
  return variable;
}

/** Negative, zero or positive; zero for the same variable only. */
export function compareVariables(left: Variable, right: Variable): number {
  if (left === right) return 0;
  return left.rank - right.rank || (left.key < right.key ? -1 : 1);
}

/** A comparison as markers write it. */
export function comparisonText(comparison: Comparison): string {
  return markerToString({ kind: "marker", alternatives: [[comparison]] });
}

function rankOf(name: MarkerName): number {
  return ORDER.indexOf(name) * 2;
}
