import { Fault } from "../../kit/fault/fault.ts";
import { dependencyOf, satisfies } from "../package/dependency.ts";
import type { AurLock } from "./lock-file.ts";
import type { BaseMirror } from "./mirror.ts";
import type { AurSpec } from "./names.ts";
import { AurGraph, missingFault, type ProviderIndex } from "./order.ts";
import type { AurPackage, SearchField } from "./rpc.ts";
import { parseSourceInfo, type SourceBase } from "./srcinfo.ts";

/** A base that will be built, at a commit. */
export interface ChosenBase {
  readonly info: SourceBase;
  readonly commit: string;
  /** The commit that was reviewed before; undefined: none ever was. */
  readonly reviewed: string | undefined;
  /** Reviewed, or named in full by whoever asks. */
  readonly isApproved: boolean;
  readonly mirror: BaseMirror;
}

/** Who knows packages of the AUR. */
export interface PackageSource {
  info(names: readonly string[]): Promise<readonly AurPackage[]>;
  search(word: string, by: SearchField): Promise<readonly AurPackage[]>;
  suggest(prefix: string): Promise<readonly string[]>;
}

/** What a selection is made from. */
export interface SelectionInput {
  readonly specs: readonly AurSpec[];
  readonly lock: AurLock;
  readonly rpc: PackageSource;
  readonly mirrorOf: (base: string) => BaseMirror;
  readonly official: ProviderIndex;
  readonly hasChecks: boolean;
  /** `x86_64`. */
  readonly architecture: string;
  /** Takes the newest commit of every base, not the one that was reviewed. */
  readonly isUpdate: boolean;
}

/** What is chosen, and who needs whom. */
export interface Selection {
  readonly bases: ReadonlyMap<string, ChosenBase>;
  readonly graph: AurGraph;
}

/** More is no wish for a package any more. */
const BASES_MAX = 500;

/**
 * Finds the bases of packages and of all that these need from the AUR, and the commit of each: the
 * one that is asked for, else the one that was reviewed, else the newest.
 *
 * @throws {Fault} E_NOT_FOUND, E_NETWORK, E_CONFIG; E_UNSATISFIABLE for a missing dependency
 */
export async function selectBases(input: SelectionInput): Promise<Selection> {
  const selector = new Selector(input);
  await selector.addSpecs();
  for (;;) {
    const graph = selector.graph();
    const missing = graph.missing();
    if (missing.length === 0) return { bases: selector.chosen, graph };
    await selector.addMissing(missing);
  }
}

class Selector {
  readonly chosen = new Map<string, ChosenBase>();
  readonly #input: SelectionInput;
  /** Dependencies that were looked for: what is missing once more will not be found. */
  readonly #sought = new Set<string>();

  constructor(input: SelectionInput) {
    this.#input = input;
  }

  graph(): AurGraph {
    const bases = [...this.chosen.values()].map(({ info }) => info);
    return new AurGraph(bases, this.#input.official, this.#input.hasChecks);
  }

  async addSpecs(): Promise<void> {
    const { specs } = this.#input;
    const bases = await this.#basesOf(specs.map(({ name }) => name));
    for (const { name, commit } of specs) {
      const base = bases.get(name);
      if (base === undefined) throw await this.#unknown(name);
      const before = this.chosen.get(base);
      if (before !== undefined && commit !== undefined && !before.commit.startsWith(commit)) {
        throw new Fault({
          code: "E_CONFIG",
          message: `Cannot build "${base}" at two commits: ${commit} and ${before.commit}`,
        });
      }
      await this.#add(base, commit, name);
    }
  }

  async addMissing(
    missing: readonly { readonly base: string; readonly dependency: string }[],
  ): Promise<void> {
    const names = missing.map(({ dependency }) => dependencyOf(dependency).name);
    const bases = await this.#basesOf([...new Set(names)]);
    for (const { base, dependency } of missing) {
      if (this.#sought.has(dependency)) throw missingFault(base, dependency);
      this.#sought.add(dependency);
      const { name } = dependencyOf(dependency);
      const found = bases.get(name);
      if (found !== undefined) await this.#add(found, undefined, name);
      else await this.#addProvider(base, dependency);
    }
  }

  /** By what stands in for a name; only where there is no choice to make. */
  async #addProvider(neededBy: string, text: string): Promise<void> {
    const { rpc } = this.#input;
    const dependency = dependencyOf(text);
    const named = await rpc.search(dependency.name, "provides");
    const full = named.length === 0 ? [] : await rpc.info(named.map(({ name }) => name));
    const fitting = full.filter((each) => satisfies(each, dependency));
    const [only] = fitting;
    if (only === undefined) throw missingFault(neededBy, text);
    if (fitting.length > 1) {
      const names = fitting.map(({ name }) => name).slice(0, 8);
      throw new Fault({
        code: "E_UNSATISFIABLE",
        message: `Cannot choose what provides "${text}" for "${neededBy}": ${names.join(", ")} do`,
        hint: "name one of them beside what you build",
      });
    }
    await this.#add(only.base, undefined, only.name);
  }

  /** Bases by the names of packages; of the lock as far as it knows them. */
  async #basesOf(names: readonly string[]): Promise<Map<string, string>> {
    const { lock, rpc } = this.#input;
    const bases = new Map<string, string>();
    for (const [base, { packages }] of lock) {
      for (const name of packages) if (names.includes(name)) bases.set(name, base);
    }
    for (const { info } of this.chosen.values()) {
      for (const { name } of info.packages) if (names.includes(name)) bases.set(name, info.base);
    }
    const unknown = names.filter((name) => !bases.has(name));
    if (unknown.length === 0) return bases;
    for (const { name, base } of await rpc.info(unknown)) bases.set(name, base);
    return bases;
  }

  async #add(base: string, wanted: string | undefined, forPackage: string): Promise<void> {
    if (this.chosen.has(base)) return;
    if (this.chosen.size >= BASES_MAX) {
      throw new Fault({
        code: "E_UNSATISFIABLE",
        message: `Cannot build more than ${BASES_MAX} packages of the AUR at once`,
      });
    }
    const { lock, mirrorOf } = this.#input;
    const mirror = mirrorOf(base);
    const reviewed = lock.get(base)?.commit;
    const commit = await this.#commitOf(mirror, wanted, reviewed);
    const info = await this.#read(mirror, commit);
    if (!info.packages.some(({ name }) => name === forPackage)) {
      throw new Fault({
        code: "E_CONFIG",
        message: `Cannot build "${forPackage}": "${base}" does not build it at commit ${commit}`,
        hint: "rastos aur review shows what has changed",
      });
    }
    const isApproved = commit === reviewed || commit === wanted;
    this.chosen.set(base, { info, commit, reviewed, isApproved, mirror });
  }

  async #commitOf(
    mirror: BaseMirror,
    wanted: string | undefined,
    reviewed: string | undefined,
  ): Promise<string> {
    const name = wanted ?? (this.#input.isUpdate ? undefined : reviewed);
    const known = name === undefined ? undefined : await mirror.commit(name);
    if (known !== undefined) return known;
    await mirror.update();
    const found = await mirror.commit(name);
    if (found !== undefined) return found;
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot find the commit ${name ?? ""} of "${mirror.base}"`,
      hint:
        wanted === undefined
          ? "its history was written anew: rastos aur review shows what is there now"
          : "it may be misspelled, or gone from the history",
    });
  }

  async #read(mirror: BaseMirror, commit: string): Promise<SourceBase> {
    const { architecture } = this.#input;
    const shown = `${mirror.base}/.SRCINFO`;
    const text = await mirror.read(commit, ".SRCINFO");
    if (text === undefined || (await mirror.read(commit, "PKGBUILD")) === undefined) {
      throw new Fault({
        code: "E_CONFIG",
        message: `Cannot build "${mirror.base}": it has no PKGBUILD, or no .SRCINFO`,
      });
    }
    const info = parseSourceInfo(text, architecture, shown);
    const { architectures } = info;
    if (info.base !== mirror.base) {
      throw new Fault({
        code: "E_CONFIG",
        message: `Cannot build "${mirror.base}": its .SRCINFO is that of "${info.base}"`,
      });
    }
    if (!architectures.includes(architecture) && !architectures.includes("any")) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot build "${info.base}" for ${architecture}: it is for ${architectures}`,
      });
    }
    return info;
  }

  async #unknown(name: string): Promise<Fault> {
    const near = await this.#input.rpc.suggest(name.slice(0, 4)).catch(() => []);
    return new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot find "${name}" in the AUR`,
      hint:
        near.length === 0
          ? "rastos aur search looks for words"
          : `there are ${near.slice(0, 5).join(", ")}`,
    });
  }
}
