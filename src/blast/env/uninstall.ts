import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { anchorFolders, type Environment, insideRoot } from "./environment.ts";
import type { InstalledDistribution } from "./installed.ts";

/** What taking distributions away means, file by file; nothing is touched yet. */
export interface Removal {
  /** Files and whole folders to move away, relative to the root; none lies in another. */
  readonly paths: readonly string[];
  /** The dist-info folders among `paths`: they go first, so that nothing half looks whole. */
  readonly infos: ReadonlySet<string>;
  /** What a person should know: paths that lead out, files that stay for somebody else. */
  readonly notes: readonly string[];
}

/** The paths of RECORD for a distribution that has lost it. */
export type AssumedRecord = (distribution: InstalledDistribution) => readonly string[] | undefined;

/** Files by folder: what of a folder's entries belongs to the distributions. */
type Owned = Map<string, Set<string>>;

/**
 * Finds all that belongs to the distributions and to nobody else: the files of their RECORDs, the
 * bytecode of listed sources, and folders that hold nothing else. Never a path outside of the
 * environment, and never through a symbolic link.
 *
 * @param staying the other distributions: what they list as well stays
 * @param assumed what a distribution without RECORD would have listed, where that is known
 * @param returning files that come in the place of those that are there
 * @throws {Fault} E_REFUSED where nothing says what belongs to a distribution
 */
export function planRemoval(
  environment: Environment,
  leaving: readonly InstalledDistribution[],
  staying: readonly InstalledDistribution[],
  assumed: AssumedRecord = () => undefined,
  returning: ReadonlySet<string> = new Set(),
): Removal {
  if (leaving.length === 0) return { paths: [], infos: new Set(), notes: [] };
  const notes: string[] = [];
  const infos = new Set<string>();
  const files = new Set<string>();
  for (const distribution of leaving) {
    for (const path of filesOf(environment, distribution, notes, assumed)) {
      files.add(path);
    }
    const info = insideRoot(environment, distribution.path);
    if (info !== undefined) infos.add(info);
  }
  const shared = sharedFiles(environment, staying, files);
  for (const [path, owner] of shared) {
    if (returning.has(path)) continue;
    files.delete(path);
    notes.push(`left "${path}", which "${owner}" has too`);
  }
  const owned: Owned = new Map();
  for (const path of files) {
    const slash = path.lastIndexOf("/");
    const folder = path.slice(0, Math.max(0, slash));
    let names = owned.get(folder);
    if (names === undefined) {
      names = new Set();
      owned.set(folder, names);
      addFolders(owned, folder);
    }
    names.add(path.slice(slash + 1));
  }
  const walk = new RemovalWalk(environment, owned, infos, notes);
  return { paths: walk.paths(), infos, notes };
}

/** The folders above are entries of their own parents. */
function addFolders(owned: Owned, folder: string): void {
  if (folder === "") return;
  const slash = folder.lastIndexOf("/");
  const parent = folder.slice(0, Math.max(0, slash));
  let names = owned.get(parent);
  if (names === undefined) {
    names = new Set();
    owned.set(parent, names);
    addFolders(owned, parent);
  }
  names.add(folder.slice(slash + 1));
}

/** A distribution's files, relative to the root, its dist-info folder left out. */
export function filesOf(
  environment: Environment,
  distribution: InstalledDistribution,
  notes: string[],
  assumed: AssumedRecord = () => undefined,
): string[] {
  const { site, distInfo, name } = distribution;
  const files: string[] = [];
  const inside = insideRoot(environment, site);
  for (const path of listedPaths(distribution, assumed)) {
    if (path.startsWith(`${distInfo}/`) && !path.includes("..")) continue;
    // Mostly plain, and then there is nothing to resolve.
    const isPlain = !path.startsWith("/") && !path.includes("./") && !path.includes("//");
    const found =
      isPlain && inside !== undefined
        ? `${inside}/${path}`
        : insideRoot(environment, resolve(site, path));
    if (found === undefined) {
      notes.push(`left alone "${path}", which "${name}" lists outside of the environment`);
    } else files.push(found);
  }
  return files;
}

function listedPaths(
  distribution: InstalledDistribution,
  assumed: AssumedRecord,
): readonly string[] {
  const { kind, name } = distribution;
  if (kind === "dist-info") {
    const record = distribution.record();
    if (record !== undefined) return record.map(({ path }) => path);
    const paths = assumed(distribution);
    if (paths !== undefined) return paths;
    throw refused(name, `its ${distribution.distInfo} has no RECORD`, {
      hint: `put it in order with: ${mending(distribution)}`,
    });
  }
  if (kind === "egg-info") {
    const { distInfo } = distribution;
    const list = distribution.readFile("installed-files.txt");
    if (list !== undefined) {
      const lines = list.split(/\r?\n/).filter((line) => line !== "");
      return lines.map((line) => join(distInfo, line));
    }
  }
  const why = {
    "egg-info": "nothing says which files belong to it",
    "egg-link": "it is a development install of setuptools",
    distutils: "distutils does not say which files belong to it",
    egg: "it is an egg",
  }[kind];
  const hint = kind === "egg-link" ? `use: pip uninstall ${name}` : "remove it by hand";
  throw refused(name, why, { hint });
}

/** What writes a RECORD again. */
function mending({ installer = "blast", name, version }: InstalledDistribution): string {
  return installer === "blast"
    ? "blast check --repair"
    : `pip install --force-reinstall --no-deps ${name}==${version}`;
}

function refused(name: string, why: string, options: { readonly hint: string }): Fault {
  return new Fault({
    code: "E_REFUSED",
    message: `Cannot remove "${name}": ${why}`,
    hint: options.hint,
  });
}

/** Which of the files a distribution that stays lists as well, and its name. */
function sharedFiles(
  environment: Environment,
  staying: readonly InstalledDistribution[],
  files: ReadonlySet<string>,
): Map<string, string> {
  const shared = new Map<string, string>();
  for (const other of staying) {
    if (other.kind !== "dist-info") continue;
    const inside = insideRoot(environment, other.site);
    for (const { path } of other.record() ?? []) {
      const isPlain = !path.startsWith("/") && !path.startsWith(".");
      const found =
        isPlain && inside !== undefined
          ? `${inside}/${path}`
          : insideRoot(environment, resolve(other.site, path));
      if (found !== undefined && files.has(found) && !shared.has(found)) {
        shared.set(found, other.name);
      }
    }
  }
  return shared;
}

/** Compares what is owned with what is there, from the folders that always stay downwards. */
class RemovalWalk {
  readonly #environment: Environment;
  readonly #owned: Owned;
  readonly #infos: ReadonlySet<string>;
  readonly #anchors: ReadonlySet<string>;
  readonly #notes: string[];

  constructor(environment: Environment, owned: Owned, infos: ReadonlySet<string>, notes: string[]) {
    this.#environment = environment;
    this.#owned = owned;
    this.#infos = infos;
    this.#anchors = anchorFolders(environment);
    this.#notes = notes;
  }

  paths(): string[] {
    const found = [...this.#infos];
    for (const anchor of this.#anchors) {
      const names = this.#owned.get(anchor);
      if (names !== undefined) this.#visit(anchor, names, found);
    }
    return found;
  }

  /** Adds what goes of a folder; returns whether that is everything in it. */
  #visit(folder: string, names: ReadonlySet<string>, found: string[]): boolean {
    const entries = this.#list(folder);
    let isWhole = true;
    for (const entry of entries) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (this.#infos.has(path)) continue;
      if (!this.#entry(path, entry, names, found)) isWhole = false;
    }
    return isWhole;
  }

  #entry(path: string, entry: Dirent, names: ReadonlySet<string>, found: string[]): boolean {
    if (this.#anchors.has(path)) return false;
    const { name } = entry;
    if (name === "__pycache__" && entry.isDirectory()) return this.#bytecode(path, names, found);
    if (!names.has(name)) return false;
    const below = this.#owned.get(path);
    if (below === undefined) {
      // A folder where RECORD lists a file is not what it lists.
      if (entry.isDirectory()) return false;
      found.push(path);
      return true;
    }
    if (!entry.isDirectory()) {
      this.#notes.push(`left what RECORD lists below "${path}", which is no folder`);
      return false;
    }
    const inside: string[] = [];
    const isWhole = this.#visit(path, below, inside);
    if (isWhole) found.push(path);
    else found.push(...inside);
    return isWhole;
  }

  /** Bytecode goes with its source: `__pycache__/name.<tag>.pyc` (PEP 3147). */
  #bytecode(path: string, names: ReadonlySet<string>, found: string[]): boolean {
    const listed = this.#owned.get(path);
    const inside: string[] = [];
    let isWhole = true;
    for (const entry of this.#list(path)) {
      const stem = /^(.+?)\.[^/]*\.pyc(?:\.\d+)?$/.exec(entry.name)?.[1];
      const isOurs =
        listed?.has(entry.name) === true || (stem !== undefined && names.has(`${stem}.py`));
      if (isOurs && !entry.isDirectory()) inside.push(`${path}/${entry.name}`);
      else isWhole = false;
    }
    // A folder like this in a shared one may be used by others as well, but empty it is nobody's.
    if (isWhole) found.push(path);
    else found.push(...inside);
    return isWhole;
  }

  #list(folder: string): Dirent[] {
    try {
      return readdirSync(join(this.#environment.root, folder), { withFileTypes: true });
    } catch {
      return [];
    }
  }
}

/** The whole text of a file, for comparisons; undefined where it cannot be read. */
export function contentOf(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
