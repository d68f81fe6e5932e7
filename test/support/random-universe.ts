import type { MemoryVersion, Universe } from "./memory-index.ts";

/** Packages made up, and what is asked of them. */
export interface RandomUniverse {
  readonly universe: Universe;
  readonly requires: readonly string[];
  /** The same as data, for the search. */
  readonly facts: Facts;
}

/** Versions are whole numbers; extras are "x" only. */
interface Facts {
  readonly versions: ReadonlyMap<string, readonly number[]>;
  /** By `name 3` and `name 3 [x]`. */
  readonly needs: ReadonlyMap<string, readonly Need[]>;
  readonly roots: readonly Need[];
}

interface Need {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly extra: boolean;
  readonly marker: string | undefined;
}

const MARKERS = [
  "sys_platform == 'linux'",
  "sys_platform != 'linux'",
  "python_version < '3.11'",
  "python_version >= '3.11'",
  "python_version >= '3.13'",
  "implementation_name == 'pypy'",
  "os_name == 'nt' or python_version < '3.10'",
];
const TOP = 99;

/** The same universe for the same seed. */
export function randomUniverse(
  seed: number,
  { markers = false, long = false }: { readonly markers?: boolean; readonly long?: boolean },
): RandomUniverse {
  const random = generator(seed);
  const pick = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
  const names = Array.from({ length: long ? 3 : pick(3, 7) }, (_, index) => `p${index}`);
  const newest = long ? 40 : 4;
  const need = (name: string): Need => {
    const ends = [pick(1, newest + 1), pick(1, newest + 1)].sort((a, b) => a - b);
    const open = random() < (long ? 0.05 : 0.3);
    const marked = markers && random() < 0.4;
    return {
      name,
      from: open ? 1 : (ends[0] ?? 1),
      to: open ? TOP : (ends[1] ?? 1),
      extra: random() < 0.2,
      marker: marked ? MARKERS[pick(0, MARKERS.length - 1)] : undefined,
    };
  };
  const someOf = (list: readonly string[], count: number) =>
    [...list].sort(() => random() - 0.5).slice(0, count);
  const versions = new Map<string, number[]>();
  const needs = new Map<string, Need[]>();
  for (const name of names) {
    const list = Array.from({ length: pick(1, newest) }, (_, index) => index + 1);
    versions.set(name, list);
    const others = names.filter((other) => other !== name);
    for (const version of list) {
      needs.set(`${name} ${version}`, someOf(others, pick(0, 3)).map(need));
      // An extra may ask for its own package, as `all` extras do.
      needs.set(`${name} ${version} [x]`, someOf(names, pick(0, 2)).map(need));
    }
  }
  const roots = someOf(names, pick(1, 3)).map(need);
  const facts = { versions, needs, roots };
  return { universe: universeOf(facts), requires: roots.map(textOf), facts };
}

/** By trying everything; shares nothing with a solver, and reads no markers. */
export function isSatisfiable({ facts }: RandomUniverse): boolean {
  return search(facts, [...facts.roots], new Map(), new Set());
}

function search(
  facts: Facts,
  open: readonly Need[],
  have: ReadonlyMap<string, number>,
  extras: ReadonlySet<string>,
): boolean {
  const [next, ...rest] = open;
  if (next === undefined) return true;
  const { name, from, to, extra } = next;
  const known = have.get(name);
  const candidates = known === undefined ? (facts.versions.get(name) ?? []) : [known];
  return candidates.some((version) => {
    if (version < from || version > to) return false;
    const more = known === undefined ? (facts.needs.get(`${name} ${version}`) ?? []) : [];
    const isNew = extra && !extras.has(name);
    const ofExtra = isNew ? (facts.needs.get(`${name} ${version} [x]`) ?? []) : [];
    return search(
      facts,
      [...rest, ...more, ...ofExtra],
      new Map(have).set(name, version),
      isNew ? new Set(extras).add(name) : extras,
    );
  });
}

function universeOf({ versions, needs }: Facts): Universe {
  const universe: Record<string, Record<string, MemoryVersion>> = {};
  for (const [name, list] of versions) {
    const made: Record<string, MemoryVersion> = {};
    for (const version of list) {
      made[version] = {
        requires: (needs.get(`${name} ${version}`) ?? []).map(textOf),
        extras: { x: (needs.get(`${name} ${version} [x]`) ?? []).map(textOf) },
        sdist: false,
      };
    }
    universe[name] = made;
  }
  return universe;
}

function textOf({ name, from, to, extra, marker }: Need): string {
  const range = to === TOP ? "" : `>=${from},<=${to}`;
  return `${name}${extra ? "[x]" : ""}${range}${marker === undefined ? "" : ` ; ${marker}`}`;
}

/** Mulberry32: small, and good enough to make things up. */
function generator(seed: number): () => number {
  let state = seed * 0x9e3779b1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
