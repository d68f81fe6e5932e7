import type { ExtraName, PackageName } from "../pep/name.ts";
import { VersionRange } from "../pep/range.ts";
import { parseVersion, type Version } from "../pep/version.ts";
import { type Cause, Incompatibility, resolvent } from "./incompatibility.ts";
import { type Derivation, isOneVersion, isOpen, PackageNode } from "./package-node.ts";
import { CONTRADICTED, INCONCLUSIVE, SATISFIED, Term } from "./term.ts";

/** The root has one version, which no range is asked about. */
const ROOT_VERSION = "0";
/** The root's: what is known there is never forgotten. */
const FIRST_LEVEL = 1;
/** Shorter lists of incompatibilities are not worth tidying. */
const TIDY_FROM = 32;
/** How many requirements of a package on another are looked at for one to widen. */
const WIDENING_MAX = 4;

/** A clash that was resolved, and what was learned from it. */
export interface Conflict {
  /** The package whose choice had to go. */
  readonly affected: PackageNode;
  readonly learned: Incompatibility;
}

/** Thrown when the incompatibilities leave no choice. */
export class Unsolvable extends Error {
  readonly incompatibility: Incompatibility;

  constructor(incompatibility: Incompatibility) {
    super("no version of every package fits");
    this.name = "Unsolvable";
    this.incompatibility = incompatibility;
  }
}

/**
 * The core of PubGrub: it knows incompatibilities, draws what follows from them and from the
 * decisions so far, and on a clash learns a new one and goes back as far as that allows. Which
 * package is decided next, and for which version, is the caller's affair.
 *
 * @see https://github.com/dart-lang/pub/blob/master/doc/solver.md
 */
export class Solver {
  readonly root: PackageNode;
  /** In the order of their index. */
  readonly nodes: PackageNode[] = [];
  /** Those of which one version was left at some time. */
  readonly pinned: PackageNode[] = [];
  /** How many decisions stand; the root is the first. */
  level = 0;

  private readonly byName = new Map<PackageName, PackageNode>();
  private readonly byExtra = new Map<PackageNode, Map<ExtraName, PackageNode>>();
  /** The package of every assignment, in order. */
  private readonly trail: PackageNode[] = [];
  /** One for each level: two visits of a level are told apart. */
  private readonly stamps: number[] = [0];
  private stampCounter = 0;
  private readonly changed: PackageNode[] = [];
  /** No node before this one is open. */
  private openFrom = 0;

  constructor() {
    this.root = this.addNode({});
    this.learn(
      new Incompatibility([this.root], [new Term(false, VersionRange.full)], { kind: "root" }),
    );
    this.assign(this.root, new Term(true, VersionRange.full), this.rootCause());
    this.decide(this.root, parseVersion(ROOT_VERSION));
  }

  /** The node of a project. */
  node(name: PackageName): PackageNode {
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    const node = this.addNode({ name });
    this.byName.set(name, node);
    return node;
  }

  /** The node of an extra. */
  extraNode(base: PackageNode, extra: ExtraName): PackageNode {
    let extras = this.byExtra.get(base);
    if (extras === undefined) {
      extras = new Map();
      this.byExtra.set(base, extras);
    }
    const known = extras.get(extra);
    if (known !== undefined) return known;
    const node = this.addNode({ ...(base.name && { name: base.name }), extra, base });
    extras.set(extra, node);
    return node;
  }

  /** The project that was seen first of those that are to be decided. */
  firstOpen(): PackageNode | undefined {
    const { nodes } = this;
    while (nodes[this.openFrom]?.decision !== undefined) this.openFrom += 1;
    for (let index = this.openFrom; index < nodes.length; index += 1) {
      const node = nodes[index] as PackageNode;
      if (isOpen(node)) return node;
    }
    return undefined;
  }

  /** The extras of a project that were ever seen. */
  extrasOf(base: PackageNode): Iterable<PackageNode> {
    return this.byExtra.get(base)?.values() ?? [];
  }

  /** Adds what is known to be impossible. */
  learn(incompatibility: Incompatibility): void {
    for (const node of incompatibility.packages) {
      node.incompatibilities.push(incompatibility);
    }
  }

  /**
   * Adds a requirement: where the versions of the requirer (and its extra) are chosen, so is one of
   * the range. Of neighbouring versions with the same requirement it makes one incompatibility.
   */
  require(cause: Extract<Cause, { kind: "requirement" }>): Incompatibility | undefined {
    const { requirer, dependency, extra, range } = cause;
    if (requirer === dependency) return this.requireOfItself(cause);
    const extraNode = extra === undefined ? undefined : this.extraNode(requirer, extra);
    if (extraNode === dependency) return undefined;
    const versions = requirer.isRoot ? cause.versions : this.widened(cause);
    const packages = extraNode === undefined ? [requirer] : [requirer, extraNode];
    const terms = [new Term(true, versions)];
    if (extraNode !== undefined) terms.push(new Term(true, VersionRange.full));
    if (!range.isEmpty()) {
      packages.push(dependency);
      terms.push(new Term(false, range));
    }
    const incompatibility = new Incompatibility(packages, terms, { ...cause, versions });
    this.learn(incompatibility);
    if (!requirer.isRoot) this.remember(incompatibility, requirer, dependency);
    return incompatibility;
  }

  /** Chooses a version. */
  decide(node: PackageNode, version: Version): void {
    this.level += 1;
    this.stampCounter += 1;
    this.stamps[this.level] = this.stampCounter;
    node.decision = { index: this.trail.length, level: this.level, version };
    this.trail.push(node);
  }

  /** Whether choosing a version would make an incompatibility true at once. */
  clashes(incompatibility: Incompatibility, node: PackageNode, version: Version): boolean {
    const { packages, terms } = incompatibility;
    for (let index = 0; index < packages.length; index += 1) {
      const other = packages[index] as PackageNode;
      const term = terms[index] as Term;
      const holds =
        other === node
          ? term.range.contains(version) === term.positive
          : other.relation(term) === SATISFIED;
      if (!holds) return false;
    }
    return true;
  }

  /**
   * Draws everything that follows, beginning with what has to do with one package.
   *
   * @returns the clashes that were resolved on the way
   * @throws Unsolvable
   */
  propagate(start: PackageNode): Conflict[] {
    const conflicts: Conflict[] = [];
    const { changed } = this;
    changed.length = 0;
    changed.push(start);
    for (let node = changed.pop(); node !== undefined; node = changed.pop()) {
      const clash = this.propagateFrom(node);
      if (clash === undefined) continue;
      const conflict = this.resolve(clash);
      conflicts.push(conflict);
      changed.length = 0;
      changed.push(conflict.affected);
      const { affected, learned } = conflict;
      this.assign(affected, learned.termOf(affected).negate(), learned);
      this.markFalse(learned);
    }
    return conflicts;
  }

  /** As {@link propagate}, beginning with everything that is known. */
  propagateAll(): Conflict[] {
    const conflicts: Conflict[] = [];
    for (const node of this.nodes) {
      if (node.known !== undefined) conflicts.push(...this.propagate(node));
    }
    return conflicts;
  }

  /** Forgets everything from the decision about a package on; false if there is none. */
  forgetDecision(node: PackageNode): boolean {
    if (node.decision === undefined || node.isRoot) return false;
    this.backtrack(node.decision.level - 1);
    return true;
  }

  private addNode(options: {
    readonly name?: PackageName;
    readonly extra?: ExtraName;
    readonly base?: PackageNode;
  }): PackageNode {
    const node = new PackageNode({ ...options, index: this.nodes.length });
    this.nodes.push(node);
    return node;
  }

  private rootCause(): Incompatibility {
    return this.root.incompatibilities[0] as Incompatibility;
  }

  /** Versions that require another version of themselves cannot be chosen. */
  private requireOfItself(
    cause: Extract<Cause, { kind: "requirement" }>,
  ): Incompatibility | undefined {
    const { requirer, extra, versions, range } = cause;
    const impossible = versions.difference(range);
    if (impossible.isEmpty()) return undefined;
    const packages = [requirer];
    const terms = [new Term(true, impossible)];
    if (extra !== undefined) {
      packages.push(this.extraNode(requirer, extra));
      terms.push(new Term(true, VersionRange.full));
    }
    const incompatibility = new Incompatibility(packages, terms, cause);
    this.learn(incompatibility);
    return incompatibility;
  }

  /**
   * If a neighbouring version has the same requirement, takes that incompatibility out and answers
   * the versions of both.
   */
  private widened(cause: Extract<Cause, { kind: "requirement" }>): VersionRange {
    const { requirer, dependency, extra, range, versions } = cause;
    const own = requirer.requirements.get(dependency);
    for (let at = own === undefined ? -1 : own.length - 1; at >= 0; at -= 1) {
      const other = own?.[at] as Incompatibility;
      const old = other.cause;
      if (old.kind !== "requirement" || old.extra !== extra || !old.range.equals(range)) continue;
      for (const node of other.packages) remove(node.incompatibilities, other);
      own?.splice(at, 1);
      return old.versions.union(versions);
    }
    return versions;
  }

  private remember(incompatibility: Incompatibility, requirer: PackageNode, of: PackageNode): void {
    let own = requirer.requirements.get(of);
    if (own === undefined) {
      own = [];
      requirer.requirements.set(of, own);
    }
    own.push(incompatibility);
    if (own.length > WIDENING_MAX) own.shift();
  }

  /** Adds what follows for one package; answers the first incompatibility that is true. */
  private propagateFrom(node: PackageNode): Incompatibility | undefined {
    const list = node.incompatibilities;
    for (let at = list.length - 1; at >= 0; at -= 1) {
      const incompatibility = list[at] as Incompatibility;
      if (this.isFalse(incompatibility)) continue;
      const open = this.openTerm(incompatibility);
      if (open === ALL_HOLD) return incompatibility;
      if (open < 0) continue;
      const other = incompatibility.packages[open] as PackageNode;
      this.assign(other, (incompatibility.terms[open] as Term).negate(), incompatibility);
      this.markFalse(incompatibility);
      if (!this.changed.includes(other)) this.changed.push(other);
    }
    if (this.level === FIRST_LEVEL && list.length > TIDY_FROM) tidy(list);
    return undefined;
  }

  /** The one term that is not known to hold, if it is not known to be false either. */
  private openTerm(incompatibility: Incompatibility): number {
    const { packages, terms } = incompatibility;
    let open = ALL_HOLD;
    for (let index = 0; index < packages.length; index += 1) {
      const relation = (packages[index] as PackageNode).relation(terms[index] as Term);
      if (relation === SATISFIED) continue;
      if (relation === CONTRADICTED) {
        this.markFalse(incompatibility);
        return NOTHING_FOLLOWS;
      }
      if (relation === INCONCLUSIVE && open !== ALL_HOLD) return NOTHING_FOLLOWS;
      open = index;
    }
    return open;
  }

  private isFalse(incompatibility: Incompatibility): boolean {
    const { falseLevel } = incompatibility;
    return (
      falseLevel >= 0 &&
      falseLevel <= this.level &&
      this.stamps[falseLevel] === incompatibility.falseStamp
    );
  }

  private markFalse(incompatibility: Incompatibility): void {
    incompatibility.falseLevel = this.level;
    incompatibility.falseStamp = this.stamps[this.level] as number;
  }

  private assign(node: PackageNode, term: Term, cause: Incompatibility): void {
    const known = node.known === undefined ? term : node.known.intersect(term);
    node.derivations.push({ index: this.trail.length, level: this.level, cause, known });
    node.known = known;
    if (!node.wasPinned && isOneVersion(known.range)) {
      node.wasPinned = true;
      this.pinned.push(node);
    }
    this.trail.push(node);
  }

  private backtrack(level: number): void {
    const { trail } = this;
    for (let at = trail.length - 1; at >= 0; at -= 1) {
      const node = trail[at] as PackageNode;
      if (node.decision?.index === at) {
        if (node.decision.level <= level) break;
        node.decision = undefined;
        if (node.index < this.openFrom) this.openFrom = node.index;
      } else {
        const last = node.derivations[node.derivations.length - 1] as Derivation;
        if (last.level <= level) break;
        node.derivations.pop();
        node.known = node.derivations[node.derivations.length - 1]?.known;
      }
      trail.length = at;
    }
    this.level = level;
  }

  /** Finds what a true incompatibility comes from, and goes back to where that can be used. */
  private resolve(clash: Incompatibility): Conflict {
    let current = clash;
    for (;;) {
      if (current.isFinal) throw new Unsolvable(current);
      const { node, cause, level, previousLevel } = satisfier(current);
      if (cause === undefined || previousLevel < level) {
        this.backtrack(previousLevel);
        if (current !== clash) this.learn(current);
        return { affected: node, learned: current };
      }
      current = resolvent(current, cause, node);
    }
  }
}

const ALL_HOLD = -1;
const NOTHING_FOLLOWS = -2;

interface Satisfier {
  readonly node: PackageNode;
  /** Undefined: a decision. */
  readonly cause: Incompatibility | undefined;
  readonly level: number;
  /** The level at which, but for the satisfier, everything held. */
  readonly previousLevel: number;
}

/** The assignment that made an incompatibility true. */
function satisfier(incompatibility: Incompatibility): Satisfier {
  const { packages, terms } = incompatibility;
  let best = -1;
  let bestIndex = -1;
  let previousLevel = 1;
  const levels: number[] = [];
  const derivations: (Derivation | undefined)[] = [];
  for (let at = 0; at < packages.length; at += 1) {
    const node = packages[at] as PackageNode;
    const derivation = node.firstSatisfying(terms[at] as Term);
    const assignment = derivation ?? node.decision;
    if (assignment === undefined) throw new Error("a clash has a term that does not hold");
    derivations.push(derivation);
    levels.push(assignment.level);
    if (assignment.index > bestIndex) {
      best = at;
      bestIndex = assignment.index;
    }
  }
  for (let at = 0; at < packages.length; at += 1) {
    if (at !== best) previousLevel = Math.max(previousLevel, levels[at] as number);
  }
  const node = packages[best] as PackageNode;
  const cause = derivations[best]?.cause;
  const term = terms[best] as Term;
  const earlier =
    cause === undefined
      ? node.derivations[0]
      : node.firstSatisfying(term, cause.termOf(node).negate());
  if (earlier !== undefined && earlier !== derivations[best]) {
    previousLevel = Math.max(previousLevel, earlier.level);
  }
  return { node, cause, level: levels[best] as number, previousLevel };
}

/** Takes out, in place, what can never become true again. */
function tidy(list: Incompatibility[]): void {
  let kept = 0;
  for (const incompatibility of list) {
    const { falseLevel } = incompatibility;
    if (falseLevel >= 0 && falseLevel <= FIRST_LEVEL) continue;
    list[kept] = incompatibility;
    kept += 1;
  }
  list.length = kept;
}

function remove<T>(list: T[], item: T): void {
  const at = list.lastIndexOf(item);
  if (at !== -1) list.splice(at, 1);
}
