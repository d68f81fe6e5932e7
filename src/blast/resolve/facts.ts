import type { ExtraName } from "../pep/name.ts";
import type { VersionRange } from "../pep/range.ts";
import type { Incompatibility } from "./incompatibility.ts";
import type { PackageNode } from "./package-node.ts";

/** One of the things that cannot all be true. */
export type Fact =
  /** The user requires it. */
  | {
      readonly kind: "asked";
      readonly package: PackageNode;
      readonly extras: ExtraName[];
      range: VersionRange;
      readonly origin: string | undefined;
    }
  /** Versions of one package, or an extra of them, require versions of another. */
  | {
      readonly kind: "requires";
      readonly requirer: PackageNode;
      readonly extra: ExtraName | undefined;
      readonly package: PackageNode;
      /** What of it is wanted, in the order in which it was learned. */
      readonly cases: { versions: VersionRange; readonly range: VersionRange }[];
    }
  | {
      readonly kind: "constraint";
      readonly package: PackageNode;
      readonly range: VersionRange;
      readonly origin: string;
    }
  /** Nothing in these ranges can be taken. */
  | { readonly kind: "nothing"; readonly package: PackageNode; range: VersionRange }
  | {
      readonly kind: "place";
      readonly requirer: PackageNode;
      readonly versions: VersionRange;
      readonly name: string;
      readonly place: string;
      readonly other: string | undefined;
      readonly origin: string | undefined;
    };

/**
 * The facts that a derivation rests on: its leaves, with those about the same two packages put
 * together. Those that the user stated come first, and each package's own behind what asks for it.
 */
export function factsOf(incompatibility: Incompatibility): Fact[] {
  const facts = new FactCollector();
  for (const leaf of leavesOf(incompatibility)) facts.add(leaf);
  return inOrder(facts.all);
}

/** In the order of the derivation, each once: derivations share parts, and can be deep. */
function leavesOf(incompatibility: Incompatibility): Incompatibility[] {
  const seen = new Set<Incompatibility>();
  const leaves: Incompatibility[] = [];
  const open = [incompatibility];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (next.cause.kind === "derived") open.push(next.cause.right, next.cause.left);
    else leaves.push(next);
  }
  return leaves;
}

class FactCollector {
  readonly all: Fact[] = [];
  readonly #byKey = new Map<string, Fact>();

  add({ cause }: Incompatibility): void {
    switch (cause.kind) {
      case "root":
      case "derived":
        return;
      case "constraint":
        this.#once(`constraint ${cause.package.index} ${cause.origin}`, () => cause);
        return;
      case "place":
        this.all.push(cause);
        return;
      case "no-versions": {
        const fact = this.#once(`nothing ${cause.package.index}`, () => ({
          kind: "nothing",
          package: cause.package,
          range: cause.range,
        }));
        if (fact.kind === "nothing") fact.range = fact.range.union(cause.range);
        return;
      }
      case "requirement":
        this.#addRequirement(cause);
    }
  }

  #addRequirement(cause: Extract<Incompatibility["cause"], { kind: "requirement" }>): void {
    const { requirer, extra, versions, range, origin } = cause;
    const wanted = cause.dependency.base ?? cause.dependency;
    const ofExtra = cause.dependency.extra;
    if (requirer.isRoot) {
      this.#addAsked(wanted, ofExtra, range, origin);
      return;
    }
    // That an extra belongs to its package needs no saying.
    if (requirer === wanted && ofExtra !== undefined) return;
    const key = `requires ${requirer.index} ${extra ?? ""} ${cause.dependency.index}`;
    const fact = this.#once(key, () => ({
      kind: "requires",
      requirer,
      extra,
      package: cause.dependency,
      cases: [],
    }));
    if (fact.kind !== "requires") return;
    const same = fact.cases.find((item) => item.range.equals(range));
    if (same === undefined) fact.cases.push({ versions, range });
    else same.versions = same.versions.union(versions);
  }

  /** What one place says of a package and of its extras is one fact. */
  #addAsked(
    node: PackageNode,
    extra: ExtraName | undefined,
    range: VersionRange,
    origin: string | undefined,
  ): void {
    const same = this.all.find(
      (fact) =>
        fact.kind === "asked" &&
        fact.package === node &&
        fact.origin === origin &&
        (extra !== undefined || fact.range.isFull() || fact.range.equals(range)),
    );
    if (same?.kind !== "asked") {
      const extras = extra === undefined ? [] : [extra];
      this.all.push({ kind: "asked", package: node, extras, range, origin });
      return;
    }
    if (extra === undefined) same.range = range;
    else if (!same.extras.includes(extra)) same.extras.push(extra);
  }

  #once(key: string, make: () => Fact): Fact {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const fact = make();
    this.#byKey.set(key, fact);
    this.all.push(fact);
    return fact;
  }
}

/** Each fact about what a package needs behind the fact that the package is needed. */
function inOrder(facts: readonly Fact[]): Fact[] {
  const ordered: Fact[] = [];
  const done = new Set<Fact>();
  const follow = (node: PackageNode): void => {
    for (const fact of facts) {
      if (fact.kind !== "requires" || fact.requirer !== node || done.has(fact)) continue;
      done.add(fact);
      ordered.push(fact);
      follow(fact.package.base ?? fact.package);
    }
  };
  for (const fact of facts) {
    if (fact.kind !== "asked") continue;
    done.add(fact);
    ordered.push(fact);
    follow(fact.package);
  }
  ordered.push(...facts.filter((fact) => !done.has(fact)));
  return ordered;
}
