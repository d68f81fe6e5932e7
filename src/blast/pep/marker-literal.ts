/** Conditions on one name as marker text. */
import { type Cut, compareCuts, cutBelowFamily } from "./cut.ts";
import { quoteMarkerValue } from "./marker.ts";
import type { EnvironmentName } from "./marker-environment.ts";
import { comparisonText, type FlagVariable } from "./marker-variable.ts";
import type { Segment, VersionRange } from "./range.ts";
import { Version } from "./version.ts";
import type { VersionNumber } from "./version-key.ts";

/** Text of a condition, and what binds it together at its outside. */
export interface Term {
  readonly text: string;
  readonly joiner: "none" | "and" | "or";
}

/** What holds nowhere. */
export const NEVER: Term = { text: "python_version < '0'", joiner: "none" };

/** All of the terms; there must be one. */
export function allOf(terms: readonly Term[]): Term {
  return join(terms, "and");
}

/** Any of the terms; without one, nothing holds. */
export function anyOf(terms: readonly Term[]): Term {
  return terms.length === 0 ? NEVER : join(terms, "or");
}

/** That a text is one of these values, or none of them. */
export function textTerm(name: EnvironmentName, values: readonly string[], within: boolean): Term {
  const terms = values.map((value) => comparison(name, within ? "==" : "!=", value));
  return within ? anyOf(terms) : allOf(terms);
}

const OPPOSITE: Readonly<Record<string, string>> = { "==": "!=", in: "not in" };

/** That a question is answered by yes or no. */
export function flagTerm({ question }: FlagVariable, positive: boolean): Term {
  if (positive) return { text: singleQuoted(comparisonText(question)), joiner: "none" };
  const operator = OPPOSITE[question.operator];
  // Of what remains nothing can be denied in a marker: <, ~= and their kin on odd values.
  if (operator === undefined) return NEVER;
  const text = comparisonText({ ...question, operator: operator as "!=" | "not in" });
  return { text: singleQuoted(text), joiner: "none" };
}

/** That a version lies in a range. */
export function rangeTerm(name: EnvironmentName, range: VersionRange): Term {
  const inside = anyOf(range.segments.map((segment) => segmentTerm(name, segment)));
  const first = range.cuts[0];
  const last = range.cuts[range.cuts.length - 1];
  if (first === undefined || last === undefined || range.segments.length === 1) return inside;
  const holes = range
    .complement()
    .segments.filter(
      ({ lower, upper }) => compareCuts(lower, first) >= 0 && compareCuts(upper, last) <= 0,
    );
  const excluded = holes.map((hole) => equality(name, hole, "!="));
  if (!excluded.every((term) => term !== undefined)) return inside;
  const outside = allOf([...bounds(name, { lower: first, upper: last }), ...excluded]);
  return outside.text.length <= inside.text.length ? outside : inside;
}

function segmentTerm(name: EnvironmentName, segment: Segment): Term {
  return equality(name, segment, "==") ?? allOf(bounds(name, segment));
}

function bounds(name: EnvironmentName, { lower, upper }: Segment): Term[] {
  return [...lowerBound(name, lower), ...upperBound(name, upper)];
}

function lowerBound(name: EnvironmentName, cut: Cut): Term[] {
  const { version } = cut;
  if (version === undefined) return [];
  const minor = minorOf(name, cut);
  if (minor !== undefined) return [comparison("python_version", ">=", minor)];
  switch (cut.kind) {
    case "below":
    case "below-spelling":
      return [comparison(name, ">=", shortest(version))];
    case "below-family":
      return [comparison(name, ">=", shortest(version.with({ dev: 0 })))];
    default:
      // Post-releases, which > leaves out, are not found among the versions of Pythons.
      return [comparison(name, ">", shortest(version))];
  }
}

function upperBound(name: EnvironmentName, cut: Cut): Term[] {
  const { version } = cut;
  if (version === undefined) return [];
  const minor = minorOf(name, cut);
  if (minor !== undefined) return [comparison("python_version", "<", minor)];
  const text = shortest(version);
  switch (cut.kind) {
    case "below-family":
      return [comparison(name, "<", text)];
    case "below":
    case "below-spelling":
      // Of a release, < leaves out the pre-releases as well.
      return version.isPrerelease
        ? [comparison(name, "<", text)]
        : [comparison(name, "<=", text), comparison(name, "!=", text)];
    default:
      return [comparison(name, "<=", text)];
  }
}

/** The interval as one `==`, or what lies beside it as one `!=`, if it is such an interval. */
function equality(
  name: EnvironmentName,
  { lower, upper }: Segment,
  operator: "==" | "!=",
): Term | undefined {
  const [low, high] = [lower.version, upper.version];
  if (low === undefined || high === undefined) return undefined;
  const single = low.key === high.key && lower.kind === "below" && upper.kind.startsWith("above");
  if (single) return comparison(name, operator, shortest(low));
  const prefix = numbers(high);
  const last = prefix.pop();
  if (last === undefined || last === 0) return undefined;
  const family = [...prefix, typeof last === "bigint" ? last - 1n : last - 1];
  const [from, to] = [release(low.epoch, family), release(low.epoch, [...prefix, last])];
  if (compareCuts(lower, cutBelowFamily(from)) !== 0) return undefined;
  if (compareCuts(upper, cutBelowFamily(to)) !== 0) return undefined;
  if (name !== "python_full_version" || family.length > 2 || low.epoch !== 0) {
    return comparison(name, operator, `${from}.*`);
  }
  return comparison("python_version", operator, family.length === 2 ? `${from}` : `${from}.*`);
}

/** `3.8`, where a cut parts the Pythons before 3.8 from the others. */
function minorOf(name: EnvironmentName, cut: Cut): string | undefined {
  if (name !== "python_full_version" || cut.version === undefined) return undefined;
  const minor = numbers(cut.version);
  if (minor.length > 2 || cut.version.epoch !== 0) return undefined;
  const version = release(cut.version.epoch, minor);
  return compareCuts(cut, cutBelowFamily(version)) === 0 ? version.toString() : undefined;
}

/** The release without zeros at its end. */
function numbers({ release }: Version): VersionNumber[] {
  let { length } = release;
  while (length > 1 && release[length - 1] === 0) length -= 1;
  return release.slice(0, length);
}

function release(epoch: VersionNumber, numbers: readonly VersionNumber[]): Version {
  return new Version({
    epoch,
    release: numbers,
    pre: undefined,
    post: undefined,
    dev: undefined,
    local: undefined,
  });
}

/** At least two components are usual. */
function shortest(version: Version): string {
  const short = numbers(version);
  return version.with({ release: short.length === 1 ? [...short, 0] : short }).toString();
}

function comparison(name: EnvironmentName, operator: string, value: string): Term {
  return { text: `${name} ${operator} ${singleQuoted(quoteMarkerValue(value))}`, joiner: "none" };
}

/** Markers stand in TOML and JSON, where single quotes need no escape. */
function singleQuoted(text: string): string {
  return text.replace(/"([^"'\\]*)"/g, "'$1'");
}

function join(terms: readonly Term[], joiner: "and" | "or"): Term {
  const [only] = terms;
  if (only !== undefined && terms.length === 1) return only;
  const texts = terms.map((term) =>
    term.joiner === "none" || term.joiner === joiner ? term.text : `(${term.text})`,
  );
  return { text: texts.join(` ${joiner} `), joiner };
}
