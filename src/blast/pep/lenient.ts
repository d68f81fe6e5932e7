/**
 * Requirements of old packages that no standard allows, but whose meaning is plain: they are
 * mended, since what is uploaded cannot be corrected. What a user writes is never mended.
 */
import { PepError } from "./error.ts";
import { parseRequirement, type Requirement } from "./requirement.ts";
import { parseSpecifierSet, type SpecifierSet } from "./specifier.ts";

/** What is longer was not written by a person. */
const MENDED_UNITS_MAX = 2_000;

interface Mending {
  readonly fault: RegExp;
  readonly by: string;
}

/** Each is tried on top of those before it, until the text can be read. */
const MENDINGS: readonly Mending[] = [
  // `>=7.2.0<8.0.0`
  { fault: /(?<=[0-9*])[ \t]*(?=[<>=~!])/g, by: "," },
  // `!=~5.0`: not compatible with
  { fault: /!=[ \t]*~[ \t]*([0-9]+(?:\.[0-9]+)*)/g, by: "!=$1.*" },
  // `>=1.9.*`: a bound is a version
  { fault: /(<=|>=|<|>|~=)([ \t]*v?[0-9]+(?:\.[0-9]+)*)\.\*/g, by: "$1$2" },
  // `!=3.0*`
  { fault: /(?<=[0-9])\*/g, by: ".*" },
  // `>=3.6,` and `,>=3.6`
  { fault: /,[ \t]*(?=[,);]|$)|(?<=^|\()[ \t]*,/g, by: "" },
  // `>dev`
  { fault: /([<>]=?)[ \t]*dev\b/g, by: "$10.0.0.dev0" },
  // `>=9.0.0a1.0`
  { fault: /([0-9](?:a|b|rc|post|dev)[0-9]+)(?:\.0)+(?![0-9])/g, by: "$1" },
  // `>=2.7'`, `'>=2.7'`
  { fault: /(?<=^[^;]*)['"]/g, by: "" },
];

/** The versions of a package repeat each other's requirements. */
const REQUIREMENTS_MAX = 50_000;
const requirements = new Map<string, Requirement>();

/**
 * As `parseRequirement`, but mends. Equal texts give the same object.
 *
 * @throws PepError about the text as it was given, when mending does not help
 */
export function parseLenientRequirement(text: string): Requirement {
  return cached(requirements, REQUIREMENTS_MAX, text, parseRequirement);
}

/** Bounds of Python that were seen: a page repeats the same few for every file. */
const PYTHONS_MAX = 2_000;
const pythons = new Map<string, SpecifierSet>();

/**
 * As `parseSpecifierSet`, but mends: for Requires-Python of metadata and index pages.
 *
 * @throws PepError about the text as it was given, when mending does not help
 */
export function parseLenientSpecifierSet(text: string): SpecifierSet {
  return cached(pythons, PYTHONS_MAX, text, parseSpecifierSet);
}

function cached<T extends object>(
  cache: Map<string, T>,
  sizeMax: number,
  text: string,
  parse: (text: string) => T,
): T {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const made = leniently(text, parse);
  if (cache.size >= sizeMax) cache.clear();
  cache.set(text, made);
  return made;
}

function leniently<T>(text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof PepError) || text.length > MENDED_UNITS_MAX) throw error;
    return mend(text, parse, error);
  }
}

function mend<T>(text: string, parse: (text: string) => T, original: PepError): T {
  let mended = text;
  for (const { fault, by } of MENDINGS) {
    const before = mended;
    mended = mended.replace(fault, by);
    if (mended === before) continue;
    try {
      return parse(mended);
    } catch (error) {
      if (!(error instanceof PepError)) throw error;
    }
  }
  throw original;
}
