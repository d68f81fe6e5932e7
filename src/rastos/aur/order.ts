import { Fault } from "../../kit/fault/fault.ts";
import { dependencyOf, satisfies } from "../package/dependency.ts";
import type { PackageRecord } from "../package/types.ts";
import type { SourceBase } from "./srcinfo.ts";

/** Something that fulfils dependencies. */
export type Provider = Pick<PackageRecord, "name" | "version" | "provides">;

/** Official packages by what they fulfil. */
export class ProviderIndex {
  readonly #byName = new Map<string, Provider[]>();

  constructor(providers: Iterable<Provider>) {
    for (const provider of providers) {
      const names = [provider.name, ...provider.provides.map((text) => dependencyOf(text).name)];
      for (const name of new Set(names)) {
        const all = this.#byName.get(name);
        if (all === undefined) this.#byName.set(name, [provider]);
        else all.push(provider);
      }
    }
  }

  /** Something that fulfils the dependency: what has its very name before what provides it. */
  find(text: string): Provider | undefined {
    const dependency = dependencyOf(text);
    const all = (this.#byName.get(dependency.name) ?? []).filter((provider) =>
      satisfies(provider, dependency),
    );
    return all.find((provider) => provider.name === dependency.name) ?? all[0];
  }
}

/** A base to build, and what has to be there first. */
export interface BuildStep {
  readonly base: SourceBase;
  /** Dependencies that official packages fulfil, as they are written. */
  readonly official: readonly string[];
  /** Packages of the AUR, built before, that have to be installed, with all that they need. */
  readonly packages: readonly string[];
}

/** All that has to be there while a base is built, except for what it builds itself. */
export function buildDependencies(base: SourceBase, hasChecks: boolean): string[] {
  const depends = base.packages.flatMap((each) => each.depends);
  const all = [...depends, ...base.makedepends, ...(hasChecks ? base.checkdepends : [])];
  // Split packages may need each other: that is no matter of what is built first.
  const isOwn = (text: string): boolean =>
    providersOf(base).some((provider) => satisfies(provider, dependencyOf(text)));
  return [...new Set(all)].filter((text) => !isOwn(text));
}

/** What a base will provide once it is built. */
export function providersOf(base: SourceBase): Provider[] {
  return base.packages.map(({ name, provides }) => ({ name, version: base.version, provides }));
}

/** Bases of the AUR, official packages, and who needs whom. */
export class AurGraph {
  readonly #bases: readonly SourceBase[];
  readonly #official: ProviderIndex;
  readonly #own: ProviderIndex;
  readonly #hasChecks: boolean;
  /** By the name of a package. */
  readonly #baseOf: ReadonlyMap<string, SourceBase>;

  /** @param hasChecks whether check() is run, for which there are dependencies of its own */
  constructor(bases: readonly SourceBase[], official: ProviderIndex, hasChecks: boolean) {
    this.#bases = bases;
    this.#official = official;
    this.#own = new ProviderIndex(bases.flatMap(providersOf));
    this.#hasChecks = hasChecks;
    this.#baseOf = new Map(
      bases.flatMap((base) => base.packages.map(({ name }) => [name, base] as const)),
    );
  }

  /** What the bases need that neither they nor official packages fulfil. */
  missing(): { readonly base: string; readonly dependency: string }[] {
    return this.#bases.flatMap((base) =>
      buildDependencies(base, this.#hasChecks)
        .filter((text) => this.#choose(text) === undefined)
        .map((dependency) => ({ base: base.base, dependency })),
    );
  }

  /**
   * The order in which bases are built: each after those that it needs. Official packages go before
   * those of the AUR where both fulfil a dependency, unless it names the AUR's package.
   *
   * @throws {Fault} E_UNSATISFIABLE where bases need each other in a circle, or miss something
   */
  steps(): BuildStep[] {
    const done = new Map<string, BuildStep>();
    const path: string[] = [];
    const visit = (base: SourceBase): void => {
      if (done.has(base.base)) return;
      const start = path.indexOf(base.base);
      if (start >= 0) throw circle([...path.slice(start), base.base]);
      path.push(base.base);
      const { official, packages } = this.#split(base);
      const all = this.runtime(packages);
      for (const name of all) {
        const other = this.#baseOf.get(name);
        if (other !== undefined && other !== base) visit(other);
      }
      path.pop();
      done.set(base.base, { base, official, packages: all });
    };
    for (const base of this.#bases) visit(base);
    return [...done.values()];
  }

  /** Packages of the AUR with all others of it that they need to run. */
  runtime(names: readonly string[]): string[] {
    const all = new Set(names);
    // A Set goes on with what is added meanwhile.
    for (const name of all) {
      const one = this.#baseOf.get(name)?.packages.find((each) => each.name === name);
      for (const text of one?.depends ?? []) {
        const found = this.#choose(text);
        if (found?.isOwn === true) all.add(found.name);
      }
    }
    return [...all];
  }

  #split(base: SourceBase): { official: string[]; packages: string[] } {
    const official: string[] = [];
    const packages: string[] = [];
    for (const text of buildDependencies(base, this.#hasChecks)) {
      const found = this.#choose(text);
      if (found === undefined) throw missingFault(base.base, text);
      if (found.isOwn) packages.push(found.name);
      else official.push(text);
    }
    return { official, packages };
  }

  #choose(text: string): { readonly name: string; readonly isOwn: boolean } | undefined {
    const { name } = dependencyOf(text);
    const [ours, theirs] = [this.#own.find(text), this.#official.find(text)];
    const isOurs = ours?.name === name && theirs?.name !== name;
    if (ours !== undefined && (theirs === undefined || isOurs)) {
      return { name: ours.name, isOwn: true };
    }
    return theirs === undefined ? undefined : { name: theirs.name, isOwn: false };
  }
}

function circle(names: readonly string[]): Fault {
  return new Fault({
    code: "E_UNSATISFIABLE",
    message: `Cannot build "${names[0]}": it needs itself, by way of ${names.join(" -> ")}`,
    hint: "one of them has to be installed in another way first",
    details: { circle: names },
  });
}

/** A dependency that nothing fulfils. */
export function missingFault(base: string, text: string): Fault {
  return new Fault({
    code: "E_UNSATISFIABLE",
    message: `Cannot build "${base}": it needs "${text}", which nothing provides`,
    hint: "neither the repositories nor the AUR have it; it may have been renamed or removed",
    details: { base, dependency: text },
  });
}
