import {
  cutAboveFamily,
  cutAboveLocals,
  cutBelow,
  cutBelowFamily,
  HIGHEST,
  LOWEST,
  successor,
} from "./cut.ts";
import { PepError, quote } from "./error.ts";
import { VersionRange } from "./range.ts";
import type { Version } from "./version.ts";
import { tryParseVersion } from "./version.ts";
import { isWhitespace, trim } from "./whitespace.ts";

/** The comparisons of PEP 440. */
export type Operator = "~=" | "==" | "!=" | "<=" | ">=" | "<" | ">" | "===";

/** One comparison, such as `>=1.0`. */
export interface Specifier {
  readonly operator: Operator;
  /** The version as written, with `.*` if there was one, without white space around it. */
  readonly text: string;
  /** Without `.*`; undefined only after `===`, which takes any text. */
  readonly version: Version | undefined;
  /** Ends in `.*`. */
  readonly wildcard: boolean;
}

/** How {@link SpecifierSet.contains} treats pre-releases. */
export interface ContainsOptions {
  /**
   * False refuses pre-releases. True takes them like others, and so does undefined: a single
   * version has no alternative that would go first (PEP 440).
   */
  readonly prereleases?: boolean | undefined;
}

/** Comparisons that must all hold; none at all holds for every version. */
export class SpecifierSet {
  readonly specifiers: readonly Specifier[];
  #range: VersionRange | undefined = undefined;

  constructor(specifiers: readonly Specifier[]) {
    this.specifiers = specifiers;
  }

  contains(version: Version, options: ContainsOptions = {}): boolean {
    if (options.prereleases === false && version.isPrerelease) return false;
    return this.toRange().contains(version);
  }

  /**
   * The versions that fit, pre-releases included. `===` compares texts but for case; since
   * a {@link Version} always has its normal text, `===1.0` holds 1.0 and not 1.0.0, and `===v1.0`
   * holds nothing.
   */
  toRange(): VersionRange {
    this.#range ??= this.specifiers.reduce(
      (range, specifier) => range.intersect(specifierRange(specifier)),
      VersionRange.full,
    );
    return this.#range;
  }

  /** Whether a comparison other than `!=` names a pre-release, and so asks for such. */
  get allowsPrereleases(): boolean {
    return this.specifiers.some(
      ({ operator, version, wildcard }) =>
        operator !== "!=" && !wildcard && version?.isPrerelease === true,
    );
  }

  /** Sorted and without repetitions, versions as they were written. */
  toString(): string {
    const texts = new Map<string, string>();
    for (const specifier of [...this.specifiers].sort(bySpelling)) {
      const meaning = specifierKey(specifier);
      if (!texts.has(meaning)) texts.set(meaning, specifierText(specifier));
    }
    return [...texts.values()].join(",");
  }
}

/**
 * Reads comparisons with commas between them (PEP 440): `>=1.0, !=1.5.*`. An empty text is the set
 * that holds everything.
 *
 * @throws PepError when one of them is none, with its position
 */
export function parseSpecifierSet(text: string): SpecifierSet {
  const specifiers: Specifier[] = [];
  let start = 0;
  while (start <= text.length) {
    let end = text.indexOf(",", start);
    if (end < 0) end = text.length;
    const clause = text.slice(start, end);
    if (trim(clause) !== "") specifiers.push(parseSpecifier(clause, start));
    start = end + 1;
  }
  return new SpecifierSet(specifiers);
}

/**
 * The Pythons that a Requires-Python text takes. Give its `contains` the release of a Python
 * (3.14.0 for 3.14.0rc2), as installers do.
 *
 * @throws PepError when it is no set of specifiers
 */
export function pythonRange(text: string): VersionRange {
  return parseSpecifierSet(text).toRange();
}

const OPERATORS: readonly Operator[] = ["===", "~=", "==", "!=", "<=", ">=", "<", ">"];

function parseSpecifier(clause: string, offset: number): Specifier {
  const trimmed = trim(clause);
  const operator = OPERATORS.find((candidate) => trimmed.startsWith(candidate));
  if (operator === undefined) {
    throw refusal(clause, offset, "it must begin with ==, !=, >=, <=, >, <, ~= or ===");
  }
  const text = trim(trimmed.slice(operator.length));
  if (operator === "===") {
    if (hasBoundary(text)) throw refusal(clause, offset, "=== takes no blanks, ; or )");
    return { operator, text, version: tryParseVersion(text), wildcard: false };
  }
  const equality = operator === "==" || operator === "!=";
  const wildcard = text.endsWith(".*");
  if (wildcard && !equality) {
    throw refusal(clause, offset, '".*" goes with == and != only');
  }
  const bare = wildcard ? text.slice(0, -2) : text;
  const version = trim(bare) === bare ? tryParseVersion(bare) : undefined;
  if (version === undefined) throw refusal(clause, offset, `${quote(text)} is no version`);
  const complaint = misuse(operator, version, wildcard);
  if (complaint !== undefined) throw refusal(clause, offset, complaint);
  return { operator, text, version, wildcard };
}

function misuse(operator: Operator, version: Version, wildcard: boolean): string | undefined {
  if (wildcard && version !== version.base) {
    return '".*" follows numbers and dots only';
  }
  if (version.local !== undefined && operator !== "==" && operator !== "!=") {
    return `${operator} takes no local version`;
  }
  return operator === "~=" && version.release.length < 2
    ? "~= needs at least two numbers, as in ~=1.0"
    : undefined;
}

function refusal(clause: string, offset: number, why: string): PepError {
  const start = clause.length - trimStart(clause).length;
  return new PepError(`Cannot read specifier ${quote(trim(clause))}: ${why}`, offset + start);
}

function trimStart(text: string): string {
  let start = 0;
  while (start < text.length && isWhitespace(text.charCodeAt(start))) start += 1;
  return text.slice(start);
}

function hasBoundary(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x3b || code === 0x29 || isWhitespace(code)) return true;
  }
  return false;
}

function specifierRange(specifier: Specifier): VersionRange {
  const { operator, version, text, wildcard } = specifier;
  if (version === undefined) return VersionRange.empty;
  if (wildcard) {
    const range = VersionRange.between(
      cutBelowFamily(version),
      cutBelowFamily(nextPrefix(version)),
    );
    return operator === "==" ? range : range.complement();
  }
  switch (operator) {
    case ">=":
      return VersionRange.between(cutBelow(version), HIGHEST);
    case "<=":
      return VersionRange.between(LOWEST, cutAboveLocals(version));
    case ">":
      return VersionRange.between(cutAboveFamily(version), HIGHEST);
    case "<":
      return VersionRange.between(LOWEST, cutBelowFamily(version));
    case "==":
      return equalTo(version);
    case "!=":
      return equalTo(version).complement();
    case "~=": {
      const end = nextPrefix(version.with({ release: version.release.slice(0, -1) }));
      return VersionRange.between(cutBelow(version), cutBelowFamily(end));
    }
    case "===":
      return text.toLowerCase() === version.toString()
        ? VersionRange.spelled(version)
        : VersionRange.empty;
  }
}

function equalTo(version: Version): VersionRange {
  if (version.local !== undefined) return VersionRange.exactly(version);
  return VersionRange.between(cutBelow(version), cutAboveLocals(version));
}

/** 1.3 for 1.2.post4: the first release that does not begin with the same numbers. */
function nextPrefix(version: Version): Version {
  const release = version.release.slice();
  release.push(successor(release.pop() ?? 0));
  return version.base.with({ release });
}

function specifierText({ operator, text }: Specifier): string {
  return operator + text;
}

/** Equal for specifiers that say the same thing with different spellings of a version. */
function specifierKey({ operator, text, version, wildcard }: Specifier): string {
  if (operator === "===" || wildcard || version === undefined) return operator + text;
  return operator === "~=" ? operator + version : operator + version.key;
}

function bySpelling(left: Specifier, right: Specifier): number {
  const leftText = specifierText(left);
  const rightText = specifierText(right);
  return leftText === rightText ? 0 : leftText < rightText ? -1 : 1;
}
