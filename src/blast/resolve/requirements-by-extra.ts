import type { Marker, MarkerTerm } from "../pep/marker.ts";
import { type ExtraName, parseExtraName } from "../pep/name.ts";
import type { Requirement } from "../pep/requirement.ts";
import type { CoreMetadata } from "./port.ts";

/** Requirements by what they can count for, so that few markers need to be evaluated. */
export interface SortedRequirements {
  /** Those that can count without an extra. */
  readonly plain: readonly Requirement[];
  /** Those that an extra can bring, in their order. */
  readonly ofExtras: ReadonlyMap<ExtraName, readonly Requirement[]>;
  /** Those that any extra can bring: it is asked for in another way than by its name. */
  readonly ofAnyExtra: readonly Requirement[];
}

const sorted = new WeakMap<CoreMetadata, SortedRequirements>();

/** The requirements of a distribution; one that has hundreds for its extras is sorted once. */
export function sortedRequirements(metadata: CoreMetadata): SortedRequirements {
  const known = sorted.get(metadata);
  if (known !== undefined) return known;
  const made = sort(metadata.requiresDist);
  sorted.set(metadata, made);
  return made;
}

function sort(requirements: readonly Requirement[]): SortedRequirements {
  const plain: Requirement[] = [];
  const ofExtras = new Map<ExtraName, Requirement[]>();
  const ofAnyExtra: Requirement[] = [];
  for (const requirement of requirements) {
    const { marker } = requirement;
    const use = marker === undefined ? undefined : extraUse(marker);
    if (use === undefined) {
      plain.push(requirement);
      continue;
    }
    if (!use.isNeeded) plain.push(requirement);
    if (use.isOdd) {
      for (const list of ofExtras.values()) list.push(requirement);
      ofAnyExtra.push(requirement);
      continue;
    }
    for (const name of use.names) {
      let list = ofExtras.get(name);
      if (list === undefined) {
        list = [...ofAnyExtra];
        ofExtras.set(name, list);
      }
      list.push(requirement);
    }
  }
  return { plain, ofExtras, ofAnyExtra };
}

/** How a marker asks for extras. */
interface ExtraUse {
  readonly names: ReadonlySet<ExtraName>;
  /** It never holds without one. */
  readonly isNeeded: boolean;
  /** In another way than `extra == "name"`. */
  readonly isOdd: boolean;
}

const uses = new WeakMap<Marker, ExtraUse | null>();

/** Undefined: it does not ask for any. */
function extraUse(marker: Marker): ExtraUse | undefined {
  const known = uses.get(marker);
  if (known !== undefined) return known ?? undefined;
  const names = new Set<ExtraName>();
  const isOdd = collect(marker, names);
  const isUsed = isOdd || names.size > 0;
  const isNeeded = isUsed && marker.alternatives.every((terms) => terms.some(asksForExtra));
  const use = isUsed ? { names, isNeeded, isOdd } : undefined;
  uses.set(marker, use ?? null);
  return use;
}

function asksForExtra(term: MarkerTerm): boolean {
  if (term.kind === "marker") {
    return term.alternatives.every((terms) => terms.some(asksForExtra));
  }
  return term.name === "extra" && term.operator === "==" && term.literal !== "";
}

/** Adds the names; answers whether there is something odd. */
function collect(marker: Marker, names: Set<ExtraName>): boolean {
  let isOdd = false;
  for (const terms of marker.alternatives) {
    for (const term of terms) {
      if (term.kind === "marker") {
        isOdd = collect(term, names) || isOdd;
      } else if (term.name === "extra" || term.name === "extras") {
        isOdd = !addName(term.name === "extra" ? term.operator : "", term.literal, names) || isOdd;
      }
    }
  }
  return isOdd;
}

function addName(operator: string, literal: string, names: Set<ExtraName>): boolean {
  if (operator !== "==" || literal === "") return false;
  try {
    names.add(parseExtraName(literal));
    return true;
  } catch {
    return false;
  }
}
