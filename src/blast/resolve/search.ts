import type { ExtraName, PackageName } from "../pep/name.ts";
import { VersionRange } from "../pep/range.ts";
import type { Version } from "../pep/version.ts";
import type { Candidate } from "./candidate.ts";
import { type Catalog, UNKNOWN } from "./catalog.ts";
import { type Demand, demandsOf, rootDemands } from "./demand.ts";
import { forbid, type Incompatibility } from "./incompatibility.ts";
import type { Manifest } from "./manifest.ts";
import type { PackageNode } from "./package-node.ts";
import type { Page } from "./page.ts";
import type { CoreMetadata, DirectSource } from "./port.ts";
import { Priorities } from "./priority.ts";
import type { Scope } from "./scope.ts";
import { type Choice, pythonSplit, select, type Wish } from "./select.ts";
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
  readonly extras: readonly ExtraName[];
}

/** How a search ends, if it ends well. */
export type Outcome<S extends Scope> =
  | { readonly kind: "solved"; readonly chosen: readonly Chosen[] }
  /** What was wanted holds for a part of the scope only. */
  | { readonly kind: "fork"; readonly scopes: readonly S[] };

/** What a search is told. */
export interface SearchOptions<S extends Scope> {
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly scope: S;
  /** Versions that other searches chose. */
  readonly preferred: ReadonlyMap<PackageName, readonly Version[]>;
  /** In universal mode: the parts in which requirements that stand together differ. */
  readonly findForks?: (demands: readonly Demand[], extra: ExtraName | undefined) => readonly S[];
  /** In universal mode: the parts on both sides of a lower bound for Python. */
  readonly splitPython?: (pythons: VersionRange) => readonly S[];
  /** Gives up after so many decisions. */
  readonly decisionsMax?: number;
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
  private readonly sources = new Map<PackageName, DirectSource>();
  private readonly introduced = new Set<PackageNode>();
  private readonly extraNodes: PackageNode[] = [];
  /** Of every node the candidates whose requirements are known to the solver. */
  private readonly expanded = new Map<PackageNode, Set<Candidate>>();
  private readonly chosen = new Map<PackageNode, Chosen>();
  private readonly tries: number[] = [];
  /** Who asks for pre-releases of a package by naming one. */
  private readonly askers = new Map<PackageNode, { node: PackageNode; range: VersionRange }[]>();
  private decisions = 0;

  constructor(options: SearchOptions<S>) {
    this.options = options;
    this.catalog = options.catalog;
    this.manifest = options.manifest;
    this.scope = options.scope;
  }

  /** @throws Unsolvable, and whatever the index throws */
  async run(): Promise<Outcome<S>> {
    const { solver } = this;
    const demands = rootDemands(this.manifest, this.scope);
    const forks = this.options.findForks?.(demands, undefined) ?? [];
    if (forks.length > 1) return { kind: "fork", scopes: forks };
    this.noteSources(solver.root, VersionRange.full, demands);
    this.require(solver.root, undefined, VersionRange.full, demands);
    let next = solver.root;
    for (;;) {
      this.propagate(next);
      const expanded = this.expandExtras();
      if (expanded === undefined) {
        const node = this.priorities.next(solver.nodes);
        if (node === undefined) return { kind: "solved", chosen: this.answer() };
        const step = this.step(node);
        const outcome = step instanceof Promise ? await step : step;
        if (outcome !== undefined) return outcome;
        next = node;
      } else if (expanded.kind === "fork") {
        return expanded;
      } else {
        next = expanded.node;
      }
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
  private step(node: PackageNode): Outcome<S> | undefined | Promise<Outcome<S> | undefined> {
    const name = nameOf(node);
    const page = this.catalog.page(name, this.sources.get(name));
    return page instanceof Promise
      ? page.then((known) => this.stepOn(node, known))
      : this.stepOn(node, page);
  }

  private stepOn(
    node: PackageNode,
    page: Page | typeof UNKNOWN,
  ): Outcome<S> | undefined | Promise<Outcome<S> | undefined> {
    const { solver } = this;
    const range = node.known?.range ?? VersionRange.full;
    if (page === UNKNOWN) {
      const everything = VersionRange.full;
      solver.learn(
        forbid(node, everything, { kind: "no-versions", package: node, range: everything }),
      );
      return undefined;
    }
    const choice: Choice = select(page, range, this.wish(node));
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
  ): Outcome<S> | undefined {
    const candidate = page.candidate(index);
    // The metadata may have brought a reason against the version: then there is another choice.
    if (metadata === undefined || this.isSpoiled(node, candidate)) return undefined;
    const { solver } = this;
    const { version } = candidate;
    const added: Incompatibility[] = [];
    for (const [extra, key] of this.wantedParts(node)) {
      if (this.isExpanded(key, candidate)) continue;
      const outcome = this.addRequirements(node, extra, page, index, metadata, added);
      if (outcome !== undefined) return outcome;
      this.expanded.get(key)?.add(candidate);
    }
    this.chosen.set(node, { name: page.name, candidate, metadata, extras: [] });
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

  private *wantedParts(node: PackageNode): Generator<[ExtraName | undefined, PackageNode]> {
    yield [undefined, node];
    for (const extra of this.solver.extrasOf(node)) {
      if (extra.isWanted) yield [extra.extra, extra];
    }
  }

  private isExpanded(node: PackageNode, candidate: Candidate): boolean {
    let known = this.expanded.get(node);
    if (known === undefined) {
      known = new Set();
      this.expanded.set(node, known);
    }
    return known.has(candidate);
  }

  /** Extras that became wanted after their package was decided. */
  private expandExtras():
    | { kind: "added"; node: PackageNode }
    | (Outcome<S> & { kind: "fork" })
    | undefined {
    for (const node of this.extraNodes) {
      const { base } = node;
      if (base?.decision === undefined || !node.isWanted) continue;
      const chosen = this.chosen.get(base);
      if (chosen === undefined || this.isExpanded(node, chosen.candidate)) continue;
      const page = this.catalog.page(chosen.name, this.sources.get(chosen.name));
      if (page instanceof Promise || page === UNKNOWN) continue;
      const { candidate, metadata } = chosen;
      const index = page.indexOf(candidate.version) ?? 0;
      const outcome = this.addRequirements(base, node.extra, page, index, metadata, []);
      if (outcome?.kind === "fork") return outcome;
      this.expanded.get(node)?.add(candidate);
      return { kind: "added", node };
    }
    return undefined;
  }

  /** Tells the solver what a version, or one of its extras, requires. */
  private addRequirements(
    node: PackageNode,
    extra: ExtraName | undefined,
    page: Page,
    index: number,
    metadata: CoreMetadata,
    added: Incompatibility[],
  ): Outcome<S> | undefined {
    const demands = demandsOf(metadata.requiresDist, extra, this.manifest, this.scope);
    const forks = this.options.findForks?.(demands, extra) ?? [];
    if (forks.length > 1) return { kind: "fork", scopes: forks };
    const versions = page.stretch(index);
    if (page.candidate(index).source !== undefined) this.noteSources(node, versions, demands);
    added.push(...this.require(node, extra, versions, demands));
    return undefined;
  }

  private require(
    requirer: PackageNode,
    extra: ExtraName | undefined,
    versions: VersionRange,
    demands: readonly Demand[],
  ): Incompatibility[] {
    const { solver } = this;
    const added: Incompatibility[] = [];
    const names: PackageName[] = [];
    const cause = { kind: "requirement", requirer, extra, versions } as const;
    for (const demand of demands) {
      const { name, range, origin } = demand;
      const dependency = solver.node(name);
      if (!this.introduced.has(dependency)) {
        this.introduce(dependency);
        if (!this.sources.has(name)) names.push(name);
      }
      this.noteDemand(requirer, versions, dependency, demand);
      const main = solver.require({ ...cause, dependency, range, origin });
      if (main !== undefined) added.push(main);
      for (const wanted of demand.extras) {
        const before = solver.nodes.length;
        const extraNode = solver.extraNode(dependency, wanted);
        if (solver.nodes.length > before) this.extraNodes.push(extraNode);
        const more = solver.require({
          ...cause,
          dependency: extraNode,
          range: VersionRange.full,
          origin,
        });
        if (more !== undefined) added.push(more);
      }
    }
    this.catalog.announce(names, (name) => this.announced(name));
    return added;
  }

  private announced(name: PackageName): { range: VersionRange; wish: Wish } {
    const node = this.solver.node(name);
    return { range: node.isWanted ? rangeOf(node) : VersionRange.full, wish: this.wish(node) };
  }

  /** A package is seen for the first time: constraints hold from here on. */
  private introduce(node: PackageNode): void {
    this.introduced.add(node);
    for (const { requirement, origin } of this.manifest.constraintsOf(nameOf(node))) {
      if (!this.scope.holds(requirement.marker)) continue;
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

  private noteSources(
    requirer: PackageNode,
    versions: VersionRange,
    demands: readonly Demand[],
  ): void {
    for (const { name, source, url, origin } of demands) {
      const given = source ?? (url === undefined ? undefined : sourceOfUrl(url));
      if (given === undefined) continue;
      const known = this.sources.get(name);
      if (known === undefined) {
        this.sources.set(name, given);
      } else if (sourceKey(known) !== sourceKey(given)) {
        const sources = [sourceText(known), sourceText(given)] as const;
        const cause = { kind: "two-sources", requirer, versions, name, sources, origin } as const;
        this.solver.learn(forbid(requirer, versions, cause));
      }
    }
  }

  private wish(node: PackageNode): Wish {
    const name = nameOf(node);
    const asked = this.askers
      .get(node)
      ?.some(
        ({ node: asker, range }) =>
          asker.decision !== undefined && range.contains(asker.decision.version),
      );
    const preferred = this.options.preferred.get(name) ?? NO_VERSIONS;
    return this.manifest.wish(name, this.scope, asked === true, preferred);
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
      if (candidate.problem === undefined) this.catalog.prefetchMetadata(candidate);
    }
  }

  private answer(): Chosen[] {
    const answer: Chosen[] = [];
    for (const node of this.solver.nodes) {
      const chosen = this.chosen.get(node);
      if (node.decision === undefined || chosen === undefined) continue;
      const extras: ExtraName[] = [];
      for (const { extra, isWanted } of this.solver.extrasOf(node)) {
        if (isWanted && extra !== undefined) extras.push(extra);
      }
      answer.push({ ...chosen, extras: extras.sort() });
    }
    return answer;
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
