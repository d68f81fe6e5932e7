import type { MarkerOperator } from "./marker.ts";
import { CLAUSE } from "./requirement-clause.ts";
import { parseSpecifierSet, type SpecifierSet } from "./specifier.ts";
import { tryParseVersion, type Version } from "./version.ts";

/** Clauses and versions of markers are few and asked about again and again. */
const CACHE_MAX = 5_000;
const clauses = new Map<string, Clause | undefined>();
const versions = new Map<string, Version | undefined>();

type Clause =
  | { readonly kind: "range"; readonly set: SpecifierSet }
  | { readonly kind: "identical"; readonly text: string };

/**
 * Whether a value fits the clause that operator and bound make, by PEP 440 with pre-releases.
 *
 * @returns undefined where the two make no clause, so that texts are to be compared
 */
export function matchesClause(
  operator: MarkerOperator,
  bound: string,
  value: string,
): boolean | undefined {
  const clause = clauseOf(operator + bound);
  if (clause === undefined) return undefined;
  if (clause.kind === "identical") return value.toLowerCase() === clause.text;
  const version = versionOf(value);
  return version !== undefined && clause.set.contains(version, { prereleases: true });
}

/** Whether an operator with its bound is a clause of a version specifier. */
export function isClause(text: string): boolean {
  return clauseOf(text) !== undefined;
}

function clauseOf(text: string): Clause | undefined {
  const known = clauses.get(text);
  if (known !== undefined || clauses.has(text)) return known;
  const clause = readClause(text);
  if (clauses.size >= CACHE_MAX) clauses.clear();
  clauses.set(text, clause);
  return clause;
}

function readClause(text: string): Clause | undefined {
  CLAUSE.lastIndex = 0;
  const trimmed = text.trim();
  if (CLAUSE.exec(trimmed)?.[0] !== trimmed) return undefined;
  if (!trimmed.startsWith("===")) return { kind: "range", set: parseSpecifierSet(trimmed) };
  return { kind: "identical", text: trimmed.slice(3).trim().toLowerCase() };
}

function versionOf(text: string): Version | undefined {
  const known = versions.get(text);
  if (known !== undefined || versions.has(text)) return known;
  const version = tryParseVersion(text);
  if (versions.size >= CACHE_MAX) versions.clear();
  versions.set(text, version);
  return version;
}
