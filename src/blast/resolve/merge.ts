import { MarkerSet } from "../pep/marker-algebra.ts";
import type { ExtraName, PackageName } from "../pep/name.ts";
import { compareVersions } from "../pep/version.ts";
import { warningsOf } from "./answer.ts";
import { type Demand, rootDemands } from "./demand.ts";
import { whereOf } from "./fork.ts";
import type { Manifest } from "./manifest.ts";
import type { Resolution, ResolvedPackage } from "./port.ts";
import type { Chosen } from "./search.ts";
import type { UniversalScope } from "./universal-scope.ts";

/** What a search found for its part of the environments. */
export interface SolvedFork {
  readonly scope: UniversalScope;
  readonly chosen: readonly Chosen[];
}

/** A requirement of one package in the answer on another. */
interface Edge {
  readonly target: Entry;
  where: MarkerSet;
  readonly extras: Set<ExtraName>;
}

/** A package in the answer. */
interface Entry {
  readonly chosen: Chosen;
  where: MarkerSet;
  readonly extras: Set<ExtraName>;
  readonly edges: Map<Entry, Edge>;
  readonly warnings: Set<string>;
  direct: boolean;
}

/** One answer from those for the parts: equal versions become one package. */
export function mergeForks(
  forks: readonly SolvedFork[],
  whole: UniversalScope,
  manifest: Manifest,
): Resolution {
  const entries = new Map<Chosen["candidate"], Entry>();
  for (const fork of forks) new ForkWalk(fork, manifest, entries).walk();
  const packages: ResolvedPackage[] = [];
  const warnings = new Set<string>();
  for (const entry of entries.values()) {
    // Required only by what is never installed where the requirement counts.
    if (entry.where.isFalse()) continue;
    packages.push(packageOf(entry, whole.marker));
    for (const warning of entry.warnings) warnings.add(warning);
  }
  packages.sort(byNameAndVersion);
  return { packages, warnings: [...warnings].sort() };
}

/** Follows the requirements of one part, to tell where each package is needed. */
class ForkWalk {
  readonly #fork: SolvedFork;
  readonly #manifest: Manifest;
  readonly #entries: Map<Chosen["candidate"], Entry>;
  readonly #chosen: ReadonlyMap<PackageName, Chosen>;
  /** By package, then by extra, or the empty text for none: where it is needed in this part. */
  readonly #needed = new Map<Entry, Map<ExtraName | "", MarkerSet>>();
  readonly #open: [Entry, ExtraName | ""][] = [];

  constructor(fork: SolvedFork, manifest: Manifest, entries: Map<Chosen["candidate"], Entry>) {
    this.#fork = fork;
    this.#manifest = manifest;
    this.#entries = entries;
    this.#chosen = new Map(fork.chosen.map((item) => [item.name, item]));
  }

  walk(): void {
    const { scope } = this.#fork;
    for (const demand of rootDemands(this.#manifest, scope)) {
      const where = scope.marker.and(whereOf(demand, undefined));
      const entry = this.#require(demand, where);
      if (entry !== undefined) entry.direct = true;
    }
    for (let next = this.#open.pop(); next !== undefined; next = this.#open.pop()) {
      this.#follow(...next);
    }
    for (const [entry, parts] of this.#needed) {
      for (const [extra, where] of parts) {
        if (extra === "") entry.where = entry.where.or(where);
        else if (!where.isFalse()) entry.extras.add(extra);
      }
    }
  }

  #follow(entry: Entry, extra: ExtraName | ""): void {
    const needed = this.#needed.get(entry)?.get(extra) ?? MarkerSet.never;
    const own = extra === "" ? undefined : extra;
    const chosen = this.#chosen.get(entry.chosen.name);
    const part = chosen?.parts.find((item) => item.extra === own);
    for (const demand of part?.demands ?? []) {
      const where = needed.and(whereOf(demand, own));
      if (where.isFalse()) continue;
      const target = this.#require(demand, where);
      if (target === undefined || target === entry) continue;
      let edge = entry.edges.get(target);
      if (edge === undefined) {
        edge = { target, where: MarkerSet.never, extras: new Set() };
        entry.edges.set(target, edge);
      }
      edge.where = edge.where.or(where);
      for (const wanted of demand.extras) edge.extras.add(wanted);
    }
  }

  /** Notes where a requirement's package is needed; what is new about that is followed later. */
  #require(demand: Demand, where: MarkerSet): Entry | undefined {
    const chosen = this.#chosen.get(demand.name);
    if (chosen === undefined || where.isFalse()) return undefined;
    const entry = this.#entry(chosen);
    this.#need(entry, "", where);
    for (const extra of demand.extras) this.#need(entry, extra, where);
    return entry;
  }

  #need(entry: Entry, extra: ExtraName | "", where: MarkerSet): void {
    let parts = this.#needed.get(entry);
    if (parts === undefined) {
      parts = new Map();
      this.#needed.set(entry, parts);
    }
    const known = parts.get(extra) ?? MarkerSet.never;
    const both = known.or(where);
    if (both === known) return;
    parts.set(extra, both);
    this.#open.push([entry, extra]);
  }

  #entry(chosen: Chosen): Entry {
    let entry = this.#entries.get(chosen.candidate);
    if (entry === undefined) {
      const where = MarkerSet.never;
      const edges = new Map();
      entry = { chosen, where, extras: new Set(), edges, warnings: new Set(), direct: false };
      this.#entries.set(chosen.candidate, entry);
    }
    for (const warning of warningsOf(chosen)) entry.warnings.add(warning);
    return entry;
  }
}

function packageOf(entry: Entry, whole: MarkerSet): ResolvedPackage {
  const { chosen, where, direct } = entry;
  const { name, candidate, metadata } = chosen;
  const marker = where.simplifyUnder(whole);
  const dependencies = [...entry.edges.values()].map((edge) => {
    const condition = edge.where.simplifyUnder(where);
    return {
      name: edge.target.chosen.name,
      version: edge.target.chosen.candidate.version,
      extras: sorted(edge.extras),
      ...(condition.isTrue() ? {} : { marker: condition }),
    };
  });
  return {
    name,
    version: candidate.version,
    extras: sorted(entry.extras),
    ...(marker.isTrue() ? {} : { marker }),
    files: candidate.files,
    ...(candidate.source && { source: candidate.source }),
    metadata,
    dependencies: dependencies.sort(byNameAndVersion),
    direct,
  };
}

function sorted(extras: Iterable<ExtraName>): ExtraName[] {
  return [...extras].sort();
}

function byNameAndVersion(
  left: Pick<ResolvedPackage, "name" | "version">,
  right: Pick<ResolvedPackage, "name" | "version">,
): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  return compareVersions(left.version, right.version);
}
