import { kernelPackageName } from "../kernel/package-name.ts";
import { dependencyOf, satisfies } from "../package/dependency.ts";
import type { PackageRecord } from "../package/types.ts";
import type { SystemConfig } from "./types.ts";

/** What is installed and what was declared before. */
export interface PackageSituation {
  readonly installed: readonly PackageRecord[];
  readonly previous: SystemConfig | undefined;
  /** What the repositories hold, as far as they are known: groups, and what needs what. */
  readonly available: readonly PackageRecord[];
}

/** What is to be done so that exactly what is declared is installed, beside what that needs. */
export interface PackagePlan {
  /** Packages of the repositories: `vim`, `nginx>=1.24`. */
  readonly add: readonly string[];
  /** Packages of the AUR. */
  readonly addAur: readonly string[];
  /** Package of the kernel that is built here by its profile; undefined: it is there. */
  readonly addKernel: string | undefined;
  readonly remove: readonly string[];
  /** Installed for the sake of others, and now wanted by name. */
  readonly markExplicit: readonly string[];
  /** Declared no more, and needed by others: from now on for their sake. */
  readonly markDependency: readonly string[];
  /** Asked for by name, and declared nowhere. */
  readonly undeclared: readonly string[];
  /** Sentences: what is left alone because it is ignored. */
  readonly notes: readonly string[];
}

/**
 * Compares what is installed with what is declared. What was declared before and is no more goes,
 * unless something that stays needs it; what somebody installed by name stays, if the declaration
 * does not say otherwise. Pure.
 */
export function planPackages(situation: PackageSituation, config: SystemConfig): PackagePlan {
  const { installed, previous, available } = situation;
  const groups = membersByGroup(available);
  const notes: string[] = [];
  const isIgnored = ignoring(config, installed);
  const wanted = declaredPackages(config, groups);
  const heeded = (specs: readonly string[]): string[] =>
    specs.filter((spec) => !isIgnored(nameOf(spec)));
  const add = heeded(wanted.official).filter((spec) => !isThere(installed, spec));
  const addAur = heeded(wanted.aur).filter((spec) => !isThere(installed, nameOf(spec)));
  const addKernel = wanted.built.find((name) => !isThere(installed, name));
  const isDeclared = declaredTest(wanted, installed);
  const explicit = installed.filter(({ reason }) => reason === "explicit");
  const undeclared = explicit.filter((one) => !isDeclared(one) && !isIgnored(one.name));
  const before = previous === undefined ? undefined : declaredPackages(previous, groups);
  const wasDeclared = before === undefined ? () => false : declaredTest(before, installed);
  const isDropped = (one: PackageRecord): boolean =>
    config.packages.undeclared === "remove" || wasDeclared(one);
  const dropped = undeclared.filter(isDropped);
  const staying = installed.filter((one) => !dropped.includes(one));
  const roots = staying.filter((one) => one.reason === "explicit" || isDeclared(one));
  const coming = add.flatMap((spec) => {
    const wish = dependencyOf(spec);
    return available.find((one) => satisfies(one, wish)) ?? [];
  });
  const needed = neededBy([...roots, ...coming], [...installed, ...available]);
  const gone = dropped.filter(({ name }) => !needed.has(name));
  for (const one of dropped) {
    if (needed.has(one.name)) notes.push(`"${one.name}" stays: something that is wanted needs it`);
  }
  return {
    add,
    addAur,
    addKernel,
    remove: [...gone, ...orphansOf(gone, installed, needed)]
      .map(({ name }) => name)
      .filter((name) => !isIgnored(name)),
    markExplicit: installed
      .filter((one) => one.reason === "dependency" && isDeclared(one) && !isIgnored(one.name))
      .map(({ name }) => name),
    markDependency: dropped.map(({ name }) => name).filter((name) => needed.has(name)),
    undeclared: undeclared.filter((one) => !dropped.includes(one)).map(({ name }) => name),
    notes,
  };
}

function membersByGroup(available: readonly PackageRecord[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { name, groups: names } of available) {
    for (const group of names) groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  return groups;
}

/** What is declared and not installed, wherever it is to come from. */
export function missingOf({ add, addAur, addKernel }: PackagePlan): readonly string[] {
  return [...add, ...addAur, ...(addKernel === undefined ? [] : [addKernel])];
}

/** True where nothing is to be done. */
export function isEmptyPackagePlan(plan: PackagePlan): boolean {
  const { add, addAur, addKernel, remove, markExplicit, markDependency } = plan;
  if (addKernel !== undefined) return false;
  return [add, addAur, remove, markExplicit, markDependency].every((list) => list.length === 0);
}

interface Declared {
  readonly official: readonly string[];
  readonly aur: readonly string[];
  /** Built here. */
  readonly built: readonly string[];
}

/** Everything that is declared by name, groups as their packages. */
function declaredPackages(
  config: SystemConfig,
  groups: ReadonlyMap<string, readonly string[]>,
): Declared {
  const { official, aur, groups: names } = config.packages;
  const kernel = config.kernel.package;
  const members = names.flatMap((name) => groups.get(name) ?? [name]);
  const all = [...official, ...members, ...(kernel === undefined ? [] : [kernel])];
  // `nginx>=1.24` and `nginx` are one wish: the one with the bound counts.
  const bound = new Map<string, string>();
  for (const spec of all) {
    const name = nameOf(spec);
    if ((bound.get(name) ?? name) === name) bound.set(name, spec);
  }
  const { profile } = config.kernel;
  const built = profile === undefined ? [] : [kernelPackageName(profile)];
  return { official: [...bound.values()], aur, built };
}

/** Whether a package is one that is declared: by its name, or as all that provides a name. */
function declaredTest(
  { official, aur, built }: Declared,
  installed: readonly PackageRecord[],
): (one: PackageRecord) => boolean {
  const names = new Set([...official, ...aur, ...built].map(nameOf));
  const present = new Set(installed.map(({ name }) => name));
  const virtual = [...names].filter((name) => !present.has(name)).map(dependencyOf);
  return (one) => names.has(one.name) || virtual.some((name) => satisfies(one, name));
}

function isThere(installed: readonly PackageRecord[], spec: string): boolean {
  const wish = dependencyOf(spec);
  return installed.some((one) => satisfies(one, wish));
}

function ignoring(
  config: SystemConfig,
  installed: readonly PackageRecord[],
): (name: string) => boolean {
  const ignored = new Set(config.packages.ignored);
  const inGroup = installed.filter(({ groups }) => groups.some((group) => ignored.has(group)));
  for (const { name } of inGroup) ignored.add(name);
  return (name) => ignored.has(name);
}

/** What was there for the sake of those that go, and that nothing needs any more. */
function orphansOf(
  gone: readonly PackageRecord[],
  installed: readonly PackageRecord[],
  needed: ReadonlySet<string>,
): PackageRecord[] {
  const around = neededBy(gone, installed);
  return installed.filter(
    ({ name, reason }) => reason === "dependency" && around.has(name) && !needed.has(name),
  );
}

/** Names of the packages, and of all that they need or may need. */
function neededBy(roots: readonly PackageRecord[], known: readonly PackageRecord[]): Set<string> {
  // A repository has thousands of packages: looked up by what they provide.
  const providers = new Map<string, PackageRecord[]>();
  for (const one of known) {
    for (const name of new Set([
      one.name,
      ...one.provides.map((text) => dependencyOf(text).name),
    ])) {
      providers.set(name, [...(providers.get(name) ?? []), one]);
    }
  }
  const needed = new Set<string>();
  const seen = new Set<PackageRecord>();
  const queue = [...roots];
  for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
    if (seen.has(one)) continue;
    seen.add(one);
    needed.add(one.name);
    for (const text of one.dependencies) {
      const wish = dependencyOf(text);
      queue.push(...(providers.get(wish.name) ?? []).filter((other) => satisfies(other, wish)));
    }
  }
  return needed;
}

/** The name in `nginx>=1.24` and in `paru#commit`. */
function nameOf(spec: string): string {
  return /^[^<>=#]*/.exec(spec)?.[0] ?? spec;
}
