import { redactCredentials } from "../../kit/fault/redact.ts";
import type { ExtraName, PackageName } from "../pep/name.ts";
import { VersionRange } from "../pep/range.ts";
import type { Version } from "../pep/version.ts";
import type { Candidate } from "./candidate.ts";
import { type Catalog, UNKNOWN } from "./catalog.ts";
import { type Demand, demandsOf, rootDemands } from "./demand.ts";
import { forbid, type Incompatibility } from "./incompatibility.ts";
import type { Manifest } from "./manifest.ts";
import { PackageNode } from "./package-node.ts";
import type { Page } from "./page.ts";
import type { CoreMetadata, DirectSource } from "./port.ts";
import { Priorities } from "./priority.ts";
import type { Scope } from "./scope.ts";
import { pythonSplit, select, type Wish } from "./select.ts";
import { Solver } from "./solver.ts";
import { sourceKey, sourceOfUrl, sourceText } from "./source.ts";

/** So many versions are asked for at once when one after the other was refused. */
const BATCH = 50;
/** After so many tries of one package, and after twice as many, and so on. */
const TRIES_BEFORE_BATCH = 5;
const NO_VERSIONS: readonly Version[] = [];

/** A version that was chosen. */
export interface Chosen {
  readonly name: PackageName;
  readonly candidate: Candidate;
  readonly metadata: CoreMetadata;
  /** First itself, then its extras that somebody wants. */
  readonly parts: readonly Part[];
}

/** What a package requires, or one of its extras. */
export interface Part {
  readonly extra: ExtraName | undefined;
  readonly demands: readonly Demand[];
}

/** A version that stands, or stood, for a package. */
interface Choice {
  readonly name: PackageName;
  readonly page: Page;
  readonly index: number;
  readonly candidate: Candidate;
  readonly metadata: CoreMetadata;
}

/** A version, and the part of it, whose requirements the solver is to know. */
interface Expansion {
  readonly node: PackageNode;
  readonly part: PackageNode;
  readonly page: Page;
  readonly index: number;
  readonly metadata: CoreMetadata;
}

/** How a search ends, if it ends well. */
export type Outcome<S extends Scope> =
  | { readonly kind: "solved"; readonly chosen: readonly Chosen[] }
  | Fork<S>;

/** What was wanted holds for a part of the scope only: these are to be searched in its place. */
interface Fork<S extends Scope> {
  readonly kind: "fork";
  readonly scopes: readonly S[];
}

/** What a search is told. */
export interface SearchOptions<S extends Scope> {
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly scope: S;
  /** Versions that other searches chose. */
  readonly preferred: ReadonlyMap<PackageName, readonly Version[]>;
  /** Places that an earlier search found. */
  readonly sources?: ReadonlyMap<PackageName, DirectSource>;
  /** In universal mode: the parts in which requirements that stand together differ. */
  readonly findForks?: (demands: readonly Demand[], extra: ExtraName | undefined) => readonly S[];
  /** In universal mode: the parts on both sides of a lower bound for Python. */
  readonly splitPython?: (pythons: VersionRange) => readonly S[];
  /** Gives up after so many decisions. */
  readonly decisionsMax?: number;
}

/**
 * Thrown where a place turns up for a package that was looked for in the index already: the search
 * is to begin anew with what it says.
 */
export class SourceFound extends Error {
  readonly place: readonly [PackageName, DirectSource];

  constructor(name: PackageName, source: DirectSource) {
    super(`${name} is named by its place`);
    this.place = [name, source];
  }
}

/** Thrown where a search was to end after a number of decisions. */
export class GaveUp extends Error {}

/** Looks for one version of every package that is needed in a scope. */
export class Search<S extends Scope> {
  readonly solver = new Solver();
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly scope: S;
  private readonly options: SearchOptions<S>;
  private readonly priorities = new Priorities();
  private readonly sources: Map<PackageName, DirectSource>;
  private readonly introduced = new Set<PackageNode>();
  private readonly extraNodes: PackageNode[] = [];
  /** Of every node the candidates whose requirements the solver knows, and those requirements. */
  private readonly expanded = new Map<PackageNode, Map<Candidate, readonly Demand[]>>();
  private readonly chosen = new Map<PackageNode, Choice>();
  private readonly tries: number[] = [];
  /** Who asks for pre-releases of a package by naming one. */
  private readonly askers = new Map<PackageNode, { node: PackageNode; range: VersionRange }[]>();
  /** Of packages without askers these stay. */
  private readonly wishes = new Map<PackageNode, Wish>();
  private decisions = 0;

  constructor(options: SearchOptions<S>) {
    this.options = options;
    this.catalog = options.catalog;
    this.manifest = options.manifest;
    this.scope = options.scope;
    this.sources = new Map(options.sources);
  }

  /** @throws Unsolvable, and whatever the index throws */
  async run(): Promise<Outcome<S>> {
    const { solver } = this;
    const demands = rootDemands(this.manifest, this.scope);
    const forks = this.options.findForks?.(demands, undefined) ?? [];
    if (forks.length > 1) return { kind: "fork", scopes: forks };
    const all = VersionRange.full;
    this.noteSources(solver.root, all, demands, true);
    this.require(solver.root, undefined, all, demands, []);
    let next = solver.root;
    for (;;) {
      this.propagate(next);
      const expanded = this.expandExtras();
      if (expanded !== undefined) {
        if (!(expanded instanceof PackageNode)) return expanded;
        next = expanded;
        continue;
      }
      const node = this.priorities.next(solver);
      if (node === undefined) return { kind: "solved", chosen: this.answer() };
      const step = this.step(node);
      const fork = step instanceof Promise ? await step : step;
      if (fork !== undefined) return fork;
      next = node;
    }
  }

  private propagate(node: PackageNode): void {
    for (const conflict of this.solver.propagate(node)) this.priorities.note(conflict);
    let undone = false;
    for (const late of this.priorities.settle()) {
      undone = this.solver.forgetDecision(late) || undone;
    }
    if (!undone) return;
    for (const conflict of this.solver.propagateAll()) this.priorities.note(conflict);
  }

  /** Takes a version of a package, or tells the solver that there is none to take. */
  private step(node: PackageNode): Fork<S> | undefined | Promise<Fork<S> | undefined> {
    const name = nameOf(node);
    const page = this.catalog.page(name, this.sources.get(name));
    return page instanceof Promise
      ? page.then((known) => this.stepOn(node, known))
      : this.stepOn(node, page);
  }

  private stepOn(
    node: PackageNode,
    page: Page | typeof UNKNOWN,
  ): Fork<S> | undefined | Promise<Fork<S> | undefined> {
    const { solver } = this;
    const range = node.known?.range ?? VersionRange.full;
    if (page === UNKNOWN) {
      const everything = VersionRange.full;
      solver.learn(
        forbid(node, everything, { kind: "no-versions", package: node, range: everything }),
      );
      return undefined;
    }
    const choice = select(page, range, this.wish(node));
    if (choice.kind === "none") {
      solver.learn(forbid(node, range, { kind: "no-versions", package: node, range }));
      return undefined;
    }
    if (choice.kind === "split") {
      return { kind: "fork", scopes: this.options.splitPython?.(choice.pythons) ?? [] };
    }
    this.countDecision();
    this.prefetchMore(node, page, range, choice.index);
    const metadata = this.catalog.metadata(page.name, choice.candidate);
    return metadata instanceof Promise
      ? metadata.then((known) => this.take(node, page, choice.index, known))
      : this.take(node, page, choice.index, metadata);
  }

  /** Chooses a version whose metadata is known. */
  private take(
    node: PackageNode,
    page: Page,
    index: number,
    metadata: CoreMetadata | undefined,
  ): Fork<S> | undefined {
    const candidate = page.candidate(index);
    // The metadata may have brought a reason against the version: then there is another choice.
    if (metadata === undefined || this.isSpoiled(node, candidate)) return undefined;
    const { solver } = this;
    const { version } = candidate;
    const added: Incompatibility[] = [];
    const fork = this.expand({ node, part: node, page, index, metadata }, added);
    if (fork !== undefined) return fork;
    for (const part of solver.extrasOf(node)) {
      if (!part.isWanted) continue;
      const another = this.expand({ node, part, page, index, metadata }, added);
      if (another !== undefined) return another;
    }
    this.chosen.set(node, { name: page.name, page, index, candidate, metadata });
    const clash = added.find((incompatibility) => solver.clashes(incompatibility, node, version));
    if (clash === undefined) solver.decide(node, version);
    else this.priorities.count(node, clash.packages);
    return undefined;
  }

  private isSpoiled(node: PackageNode, candidate: Candidate): boolean {
    const choice = candidate.problem;
    if (choice === undefined) return this.isForOtherPythons(candidate);
    const wish = this.wish(node);
    const soft = choice.kind === "yanked" || (choice.kind === "python" && choice.soft);
    return !soft || !(wish.pinned.contains(candidate.version) || isPreferred(wish, candidate));
  }

  /** In universal mode: only the metadata told that it is for other Pythons. */
  private isForOtherPythons({ requiresPython }: Candidate): boolean {
    const { pythons } = this.scope;
    if (pythons === undefined || requiresPython === undefined) return false;
    return pythonSplit(requiresPython, pythons) !== "fits";
  }

  /** Extras that became wanted after their package was decided. */
  private expandExtras(): Fork<S> | PackageNode | undefined {
    for (const part of this.extraNodes) {
      const { base } = part;
      if (base?.decision === undefined || !part.isWanted) continue;
      const chosen = this.chosen.get(base);
      if (chosen === undefined || this.expanded.get(part)?.has(chosen.candidate)) continue;
      return this.expand({ ...chosen, node: base, part }, []) ?? part;
    }
    return undefined;
  }

  /** Tells the solver what a version, or one of its extras, requires. */
  private expand(
    { node, part, page, index, metadata }: Expansion,
    added: Incompatibility[],
  ): Fork<S> | undefined {
    let known = this.expanded.get(part);
    if (known === undefined) {
      known = new Map();
      this.expanded.set(part, known);
    }
    const candidate = page.candidate(index);
    if (known.has(candidate)) return undefined;
    const { extra } = part;
    const demands = demandsOf(metadata, extra, this.manifest, this.scope);
    const forks = this.options.findForks?.(demands, extra) ?? [];
    if (forks.length > 1) return { kind: "fork", scopes: forks };
    const versions = page.stretch(index);
    this.noteSources(node, versions, demands, candidate.source !== undefined);
    this.require(node, extra, versions, demands, added);
    known.set(candidate, demands);
    return undefined;
  }

  private require(
    requirer: PackageNode,
    extra: ExtraName | undefined,
    versions: VersionRange,
    demands: readonly Demand[],
    added: Incompatibility[],
  ): void {
    const { solver } = this;
    const names: PackageName[] = [];
    const kind = "requirement";
    for (const demand of demands) {
      const { name, range, origin } = demand;
      const dependency = solver.node(name);
      if (!this.introduced.has(dependency)) {
        this.introduce(dependency);
        if (!this.sources.has(name)) names.push(name);
      }
      this.noteDemand(requirer, versions, dependency, demand);
      const main = solver.require({ kind, requirer, extra, versions, dependency, range, origin });
      if (main !== undefined) added.push(main);
      for (const wanted of demand.extras) {
        const part = this.extraNode(dependency, wanted);
        const all = VersionRange.full;
        const more = solver.require({
          kind,
          requirer,
          extra,
          versions,
          dependency: part,
          range: all,
          origin,
        });
        if (more !== undefined) added.push(more);
      }
    }
    if (names.length > 0) this.catalog.announce(names, (name) => this.announced(name));
  }

  private extraNode(base: PackageNode, extra: ExtraName): PackageNode {
    const before = this.solver.nodes.length;
    const node = this.solver.extraNode(base, extra);
    if (this.solver.nodes.length > before) this.extraNodes.push(node);
    return node;
  }

  private announced(name: PackageName): { range: VersionRange; wish: Wish } {
    const node = this.solver.node(name);
    return { range: node.isWanted ? rangeOf(node) : VersionRange.full, wish: this.wish(node) };
  }

  /** A package is seen for the first time: constraints hold from here on. */
  private introduce(node: PackageNode): void {
    this.introduced.add(node);
    for (const { requirement, origin, source } of this.manifest.constraintsOf(nameOf(node))) {
      if (!this.scope.holds(requirement.marker)) continue;
      const place = source ?? (requirement.url && sourceOfUrl(requirement.url));
      if (place && !this.sources.has(requirement.name)) {
        this.sources.set(requirement.name, place);
        this.priorities.place(node);
      }
      const range = requirement.specifier.toRange();
      const cause = { kind: "constraint", package: node, range, origin } as const;
      if (!range.isFull()) this.solver.learn(forbid(node, range.complement(), cause));
    }
  }

  private noteDemand(
    requirer: PackageNode,
    versions: VersionRange,
    dependency: PackageNode,
    { requirement, source, url }: Demand,
  ): void {
    const { specifier } = requirement;
    if (source !== undefined || url !== undefined) this.priorities.place(dependency);
    if (requirer.isRoot || !specifier.allowsPrereleases) return;
    const list = this.askers.get(dependency);
    const asker = { node: requirer, range: versions };
    if (list === undefined) this.askers.set(dependency, [asker]);
    else list.push(asker);
  }

  /**
   * Places that requirements name.
   *
   * @param trusted the user's own requirements, and those of what is named by its place: nobody
   *   else may send the user anywhere
   */
  private noteSources(
    requirer: PackageNode,
    versions: VersionRange,
    demands: readonly Demand[],
    trusted: boolean,
  ): void {
    for (const { name, source, url, origin } of demands) {
      if (source === undefined && url === undefined) continue;
      const given = source ?? sourceOfUrl(url ?? "");
      const known = this.sources.get(name);
      if (given !== undefined && known !== undefined && sourceKey(known) === sourceKey(given)) {
        continue;
      }
      const node = this.solver.node(name);
      if (trusted && given !== undefined && known === undefined) {
        if (this.introduced.has(node)) throw new SourceFound(name, given);
        this.sources.set(name, given);
        continue;
      }
      const place = given === undefined ? redactCredentials(url ?? "") : sourceText(given);
      const other = known === undefined ? undefined : sourceText(known);
      const cause = { kind: "place", requirer, versions, name, place, other, origin } as const;
      this.solver.learn(forbid(requirer, versions, cause));
    }
  }

  private wish(node: PackageNode): Wish {
    const askers = this.askers.get(node);
    const known = this.wishes.get(node);
    if (known !== undefined && askers === undefined) return known;
    const name = nameOf(node);
    const asked = askers?.some(
      ({ node: asker, range }) =>
        asker.decision !== undefined && range.contains(asker.decision.version),
    );
    const preferred = this.options.preferred.get(name) ?? NO_VERSIONS;
    const wish = this.manifest.wish(name, this.scope, asked === true, preferred);
    this.wishes.set(node, wish);
    return wish;
  }

  private countDecision(): void {
    this.decisions += 1;
    const { decisionsMax } = this.options;
    if (decisionsMax !== undefined && this.decisions > decisionsMax) throw new GaveUp();
  }

  /** One version after the other was refused: then many more will be asked for. */
  private prefetchMore(node: PackageNode, page: Page, range: VersionRange, from: number): void {
    const tries = (this.tries[node.index] ?? 0) + 1;
    this.tries[node.index] = tries;
    if (tries < TRIES_BEFORE_BATCH || tries % TRIES_BEFORE_BATCH !== 0) return;
    const power = tries / TRIES_BEFORE_BATCH;
    if ((power & (power - 1)) !== 0 && tries % BATCH !== 0) return;
    let left = BATCH;
    const wish = this.wish(node);
    for (const index of wish.lowest ? page.withinUpwards(range) : page.within(range)) {
      if (wish.lowest ? index >= from : index <= from) continue;
      if (left === 0) break;
      left -= 1;
      const candidate = page.candidate(index);
      // Sources are fetched whole and may have to be built: not by the dozen, ahead of need.
      const isCheap = candidate.metadataFile?.kind === "wheel";
      if (candidate.problem === undefined && isCheap) this.catalog.prefetchMetadata(candidate);
    }
  }

  private answer(): Chosen[] {
    const answer: Chosen[] = [];
    for (const node of this.solver.nodes) {
      const choice = this.chosen.get(node);
      if (node.decision === undefined || choice === undefined) continue;
      const { name, candidate, metadata } = choice;
      const parts = [this.partOf(node, candidate)];
      for (const extra of this.solver.extrasOf(node)) {
        if (extra.isWanted) parts.push(this.partOf(extra, candidate));
      }
      answer.push({ name, candidate, metadata, parts });
    }
    return answer;
  }

  private partOf(node: PackageNode, candidate: Candidate): Part {
    return { extra: node.extra, demands: this.expanded.get(node)?.get(candidate) ?? [] };
  }
}

function nameOf(node: PackageNode): PackageName {
  if (node.name === undefined) throw new Error("the root has no name");
  return node.name;
}

function rangeOf(node: PackageNode): VersionRange {
  return node.known?.range ?? VersionRange.full;
}

function isPreferred(wish: Wish, candidate: Candidate): boolean {
  return wish.preferred.some((version) => version.key === candidate.version.key);
}
