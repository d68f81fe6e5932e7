/** What single comparisons mean as conditions, and what is known of how values go together. */
import { type Cut, cutBelowFamily, HIGHEST, LOWEST } from "./cut.ts";
import type { Comparison, Marker, MarkerTerm } from "./marker.ts";
import {
  and,
  type Diagram,
  FALSE,
  not,
  or,
  splitByFlag,
  splitByText,
  splitByVersion,
  TRUE,
} from "./marker-diagram.ts";
import type { EnvironmentName } from "./marker-environment.ts";
import { compareValue } from "./marker-evaluate.ts";
import { flagVariable, type ValueVariable, valueVariable } from "./marker-variable.ts";
import { isClause } from "./marker-version.ts";
import { VersionRange } from "./range.ts";
import { parseSpecifierSet } from "./specifier.ts";
import { tryParseVersion, Version } from "./version.ts";

/** The condition that a marker is. */
export function markerDiagram(marker: Marker): Diagram {
  return marker.alternatives
    .map((terms) => terms.map(termDiagram).reduce(and, TRUE))
    .reduce(or, FALSE);
}

/** Below it lies what is no version. */
export const NO_VERSION: Cut = {
  rank: -1,
  key: "",
  spelling: 0,
  kind: "lowest",
  version: undefined,
};

/** The condition that a version of the environment lies in a range. */
export function rangeDiagram(name: EnvironmentName, range: VersionRange): Diagram {
  const cuts = range.cuts.filter((cut) => cut !== LOWEST && cut !== HIGHEST);
  let inside = range.cuts[0] === LOWEST;
  const children = [inside ? TRUE : FALSE];
  for (const _cut of cuts) {
    inside = !inside;
    children.push(inside ? TRUE : FALSE);
  }
  if (name === "platform_release") {
    // Of many systems it is no version, and then no comparison holds, not even !=.
    cuts.unshift(NO_VERSION);
    children.unshift(FALSE);
  }
  return splitByVersion(valueVariable(name), cuts, children);
}

/** The condition that a text of the environment is this one. */
export function textDiagram(name: EnvironmentName, value: string): Diagram {
  return withPlatform(name, splitByText(valueVariable(name), [[value, TRUE]], FALSE));
}

function termDiagram(term: MarkerTerm): Diagram {
  return term.kind === "marker" ? markerDiagram(term) : comparisonDiagram(term);
}

/** The condition that a comparison is. */
export function comparisonDiagram(comparison: Comparison): Diagram {
  const { name } = comparison;
  switch (name) {
    case undefined:
      return FALSE;
    case "extra":
      return extraDiagram(comparison);
    case "extras":
    case "dependency_groups":
      return setDiagram(name, comparison);
    case "python_version":
      return minorVersionDiagram(comparison);
    case "python_full_version":
    case "implementation_version":
    case "platform_release":
      return versionDiagram(name, comparison);
    default:
      return valueDiagram(name, comparison);
  }
}

/** The comparison as a question of its own, with nothing known of what it means. */
function questionDiagram(comparison: Comparison, about?: ValueVariable): Diagram {
  const { name, operator } = comparison;
  if (name === undefined) return FALSE;
  if (operator !== "not in") return splitByFlag(flagVariable(name, comparison, about), TRUE, FALSE);
  return not(questionDiagram({ ...comparison, operator: "in" }, about));
}

function extraDiagram(comparison: Comparison): Diagram {
  const { operator, literal, reversed, right } = comparison;
  switch (operator) {
    case "==":
    case "<=":
    case ">=":
      // Two names: the second is a text, but may not be written as one.
      if (!reversed && right.kind === "name") return questionDiagram(comparison);
      return questionDiagram({
        kind: "comparison",
        left: { kind: "name", name: "extra" },
        operator: "==",
        right: { kind: "value", text: literal },
        name: "extra",
        literal,
        reversed: false,
      });
    case "!=":
      return not(extraDiagram({ ...comparison, operator: "==" }));
    case "in":
    case "not in":
      return questionDiagram(comparison);
    default:
      return FALSE;
  }
}

function setDiagram(name: "extras" | "dependency_groups", comparison: Comparison): Diagram {
  const { operator, reversed } = comparison;
  if (!reversed) return FALSE;
  if (operator !== "in" && operator !== "not in") return operator === "!=" ? TRUE : FALSE;
  return questionDiagram({ ...comparison, right: { kind: "name", name } });
}

function versionDiagram(name: EnvironmentName, comparison: Comparison): Diagram {
  const { operator, reversed } = comparison;
  if (operator.endsWith("in") || operator === "===") return questionDiagram(comparison);
  // Of many systems the release is no version, and then it is a text.
  if (name === "platform_release" && reversed) return questionDiagram(comparison);
  const range = reversed ? reversedRange(comparison) : forwardRange(comparison);
  return range === undefined ? questionDiagram(comparison) : rangeDiagram(name, range);
}

function forwardRange({ name, operator, literal }: Comparison): VersionRange | undefined {
  const text = operator + literal;
  // === compares letters, which is no matter of ranges.
  if (text.startsWith("===")) return undefined;
  if (isClause(text)) return parseSpecifierSet(text).toRange();
  if (operator === "<" || operator === ">" || operator === "~=") return VersionRange.empty;
  // What is no clause is compared as text: versions equal no other text than their own.
  if (tryParseVersion(literal) !== undefined) {
    return parseSpecifierSet(`==${literal}`).toRange();
  }
  if (name === "platform_release") return undefined;
  return operator === "!=" ? VersionRange.full : VersionRange.empty;
}

/** The versions that, as the bound, let the literal in. */
function reversedRange({ operator, literal }: Comparison): VersionRange | undefined {
  const version = tryParseVersion(literal);
  if (version === undefined) return VersionRange.empty;
  if (version.isPostrelease || version.local !== undefined) return undefined;
  const range = (clause: string, bound = version) =>
    parseSpecifierSet(`${clause}${bound}`).toRange();
  switch (operator) {
    case "==":
    case "!=":
    case "<=":
    case ">=":
      return range({ "==": "==", "!=": "!=", "<=": ">=", ">=": "<=" }[operator]);
    case "<": {
      const later = range(">=").difference(range("=="));
      // As a bound, a release does not let its own pre-releases in.
      return version.isPrerelease ? later.difference(range("==", version.base)) : later;
    }
    case ">":
      return range(">=").complement();
    default:
      return undefined;
  }
}

/** Components of versions beyond this one belong to no Python. */
const COMPONENT_MAX = 1_000_000;

/**
 * python_version is the first two components of python_full_version, so that a condition on it is
 * one on the other. Between the few places where the literal can make a difference every minor
 * version gets the same answer, which is asked for.
 */
function minorVersionDiagram(comparison: Comparison): Diagram {
  const { operator, reversed, literal } = comparison;
  if (reversed && (operator === "in" || operator === "not in")) return questionDiagram(comparison);
  const steps = minorSteps(literal);
  if (steps === undefined) return questionDiagram(comparison);
  const answer = (step: Minor) => (compareValue(comparison, step.join(".")) ? TRUE : FALSE);
  const cuts = steps.slice(1).map(([major, minor]) => cutBelowFamily(release(major, minor)));
  return splitByVersion(valueVariable("python_full_version"), cuts, steps.map(answer));
}

type Minor = readonly [major: number, minor: number];

/** Where an answer can change: 0.0 first, then ascending; undefined for absurd numbers. */
function minorSteps(literal: string): readonly Minor[] | undefined {
  const steps = new Map<string, Minor>([["0.0", [0, 0]]]);
  const add = (major: number, minor: number) => steps.set(`${major}.${minor}`, [major, minor]);
  for (const [all, majors = "", minors = ""] of literal.matchAll(/([0-9]+)(?:\.([0-9]+))?/g)) {
    if (Number(majors) > COMPONENT_MAX || Number(minors) > COMPONENT_MAX) return undefined;
    add(Number(majors), 0);
    add(Number(majors) + 1, 0);
    add(Number(majors), 1);
    if (!all.includes(".")) continue;
    // `in` looks for parts of the text: of "13.10" also 3.1.
    for (let start = 0; start < majors.length; start += 1) {
      for (let end = 1; end <= minors.length; end += 1) {
        const [major, minor] = [Number(majors.slice(start)), Number(minors.slice(0, end))];
        add(major, minor);
        add(major, minor + 1);
      }
    }
  }
  return [...steps.values()].sort(([a, b], [c, d]) => a - c || b - d);
}

function release(...numbers: readonly number[]): Version {
  return new Version({
    epoch: 0,
    release: numbers,
    pre: undefined,
    post: undefined,
    dev: undefined,
    local: undefined,
  });
}

/** Values that exist, for `in`, which takes every part of its text. */
const KNOWN: Partial<Record<EnvironmentName, readonly string[]>> = {
  sys_platform: [
    ..."aix android cygwin darwin emscripten freebsd ios linux linux2 netbsd openbsd".split(" "),
    ..."sunos5 wasi win32".split(" "),
  ],
  os_name: ["java", "nt", "posix"],
  platform_system: [
    ..."AIX Android Darwin Emscripten FreeBSD Java Linux NetBSD OpenBSD SunOS".split(" "),
    ..."Windows iOS iPadOS".split(" "),
  ],
  platform_machine: [
    ..."AMD64 ARM64 aarch64 amd64 arm arm64 armv6l armv7l armv8l i386 i586 i686".split(" "),
    ..."loongarch64 mips64 ppc64 ppc64le riscv64 s390x wasm32 x86 x86_64".split(" "),
  ],
  platform_python_implementation: ["CPython", "GraalVM", "IronPython", "Jython", "PyPy"],
  implementation_name: ["cpython", "graalpy", "ironpython", "jython", "pypy"],
};

function valueDiagram(name: EnvironmentName, comparison: Comparison): Diagram {
  const { operator, literal, reversed } = comparison;
  switch (operator) {
    case "==":
    case "<=":
    case ">=":
      return textDiagram(name, literal);
    case "!=":
      return not(textDiagram(name, literal));
    case "in":
      return reversed ? containing(name, comparison) : partOf(name, comparison);
    case "not in":
      return not(valueDiagram(name, { ...comparison, operator: "in" }));
    default:
      return FALSE;
  }
}

/** `platform_machine in "x86_64 AMD64"`: its words, and what exists and is a part of it. */
function partOf(name: EnvironmentName, comparison: Comparison): Diagram {
  const known = KNOWN[name];
  const variable = valueVariable(name);
  if (known === undefined) return withPlatform(name, questionDiagram(comparison, variable));
  const { literal } = comparison;
  const words = literal.split(/[\s,;|()[\]'"]+/).filter((word) => word !== "");
  const values = new Set([...words, ...known.filter((value) => literal.includes(value))]);
  const branches = [...values].map((value) => [value, TRUE] as const);
  return withPlatform(name, splitByText(variable, branches, FALSE));
}

/** `"linux" in sys_platform`: no list of values is complete. */
function containing(name: EnvironmentName, comparison: Comparison): Diagram {
  return withPlatform(name, questionDiagram(comparison, valueVariable(name)));
}

interface Implied {
  readonly from: EnvironmentName;
  /** By value of `from`, the value that it implies. */
  readonly values: Readonly<Record<string, string>>;
  /** Values that imply a value of `from` in turn. */
  readonly mutual: readonly string[];
}

/** Values that go together on every Python there is. */
const IMPLIED: Partial<Record<EnvironmentName, Implied>> = {
  os_name: {
    from: "sys_platform",
    values: { darwin: "posix", linux: "posix", win32: "nt" },
    mutual: ["nt"],
  },
  platform_system: {
    from: "sys_platform",
    values: { darwin: "Darwin", linux: "Linux", win32: "Windows" },
    mutual: ["Darwin", "Linux", "Windows"],
  },
  implementation_name: {
    from: "platform_python_implementation",
    values: { CPython: "cpython", PyPy: "pypy" },
    mutual: ["cpython", "pypy"],
  },
};

/**
 * Writes a condition on a text that another text implies as one on that other one, as far as the
 * other one is known, so that `os_name == "nt"` and `sys_platform == "win32"` are the same.
 */
function withPlatform(name: EnvironmentName, diagram: Diagram): Diagram {
  const implied = IMPLIED[name];
  if (implied === undefined) return diagram;
  const variable = valueVariable(name);
  const at = (value: string) => and(diagram, splitByText(variable, [[value, TRUE]], FALSE));
  const branches = Object.entries(implied.values).map(
    ([from, value]) => [from, at(value) === FALSE ? FALSE : TRUE] as const,
  );
  return splitByText(valueVariable(implied.from), branches, withoutValues(diagram, implied.mutual));
}

/** The condition where the text is none of these values; it must be on that text only. */
function withoutValues(diagram: Diagram, values: readonly string[]): Diagram {
  if (diagram.kind !== "text") return diagram;
  const branches = diagram.values
    .map((value, index) => [value, diagram.children[index] ?? FALSE] as const)
    .filter(([value]) => !values.includes(value));
  return splitByText(diagram.variable, branches, diagram.rest);
}
