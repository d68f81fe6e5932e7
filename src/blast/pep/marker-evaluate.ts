import type { Comparison, MarkerChoice, MarkerOperator } from "./marker.ts";
import { isVersionName, type MarkerEnvironment } from "./marker-environment.ts";
import { matchesClause } from "./marker-version.ts";

/**
 * Whether one comparison holds, by PEP 508: as versions where name and values are versions, else
 * as texts, of which only equality and containment mean anything (`<` and `>` never hold, `<=`
 * and `>=` are equality).
 */
export function evaluateComparison(
  comparison: Comparison,
  environment: MarkerEnvironment,
  choice: MarkerChoice,
): boolean {
  const { name } = comparison;
  switch (name) {
    case undefined:
      return false;
    case "extra":
      return compareExtra(comparison, choice.extras);
    case "extras":
      return compareSet(comparison, choice.extras);
    case "dependency_groups":
      return compareSet(comparison, choice.groups);
    default:
      return compareValue(comparison, environment[name]);
  }
}

/** As {@link evaluateComparison}, for a comparison with this value of the environment. */
export function compareValue(comparison: Comparison, value: string): boolean {
  const { name, operator, literal, reversed } = comparison;
  if (name !== undefined && isVersionName(name)) {
    // A Python from between two releases calls itself "3.12.1+": as a version, that needs a label.
    const actual = name === "python_full_version" && value.endsWith("+") ? `${value}local` : value;
    const answer = reversed
      ? matchesClause(operator, actual, literal)
      : matchesClause(operator, literal, actual);
    if (answer !== undefined) return answer;
    return reversed
      ? compareText(literal, operator, actual)
      : compareText(actual, operator, literal);
  }
  return reversed ? compareText(literal, operator, value) : compareText(value, operator, literal);
}

function compareText(left: string, operator: MarkerOperator, right: string): boolean {
  switch (operator) {
    case "==":
    case "<=":
    case ">=":
      return left === right;
    case "!=":
      return left !== right;
    case "in":
      return right.includes(left);
    case "not in":
      return !right.includes(left);
    case "<":
    case ">":
    case "~=":
    case "===":
      return false;
  }
}

/** Every extra that was asked for has its turn as the value of `extra`. */
function compareExtra(comparison: Comparison, extras: ReadonlySet<string>): boolean {
  const { operator, literal, reversed } = comparison;
  if (operator === "!=") return !hasExtra(extras, literal);
  if (operator === "==" || operator === "<=" || operator === ">=") {
    return hasExtra(extras, literal);
  }
  if (operator !== "in" && operator !== "not in") return false;
  const within = (extra: string) => (reversed ? extra.includes(literal) : literal.includes(extra));
  const found = extras.size === 0 ? within("") : extras.values().some(within);
  return operator === "in" ? found : !found;
}

function hasExtra(extras: ReadonlySet<string>, literal: string): boolean {
  return extras.size === 0 ? literal === "" : extras.has(literal);
}

/** PEP 751: a name can be asked for in the set, and the set be nothing else. */
function compareSet(comparison: Comparison, names: ReadonlySet<string>): boolean {
  const { operator, literal, reversed } = comparison;
  if (!reversed) return false;
  if (operator === "in") return names.has(literal);
  if (operator === "not in") return !names.has(literal);
  return operator === "!=";
}
