import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { anchorFolders, type Environment, insideRoot } from "./environment.ts";
import type { InstalledDistribution } from "./installed.ts";
import { hashOf, type Layout } from "./layout.ts";
import { contentOf, filesOf } from "./uninstall.ts";

/** Two owners of one file, or a file in the way that nobody owns. */
export interface Conflict {
  /** Relative to the environment's root. */
  readonly path: string;
  /** Who would own it; one alone where an unowned file is in the way. */
  readonly owners: readonly string[];
}

/** How what was laid out gets into the environment, after the removal. */
export interface Placement {
  /** Files and whole folders to move in, relative to the root; none lies in another. */
  readonly places: readonly string[];
  /** The dist-info folders: they go last, so that nothing half looks whole. */
  readonly infos: readonly string[];
  /** What is in the way and has to be moved aside, if that is wished for. */
  readonly displaced: readonly string[];
  /** Targets, relative to the root, that are not to be staged for a layout. */
  readonly skips: ReadonlyMap<Layout, ReadonlySet<string>>;
  readonly notes: readonly string[];
}

/**
 * What becomes of files with two owners, or with none. `share`: of two packages' the later one
 * wins; `replace`: what belongs to nobody gives way as well. Both with a note.
 */
export type ConflictRule = "refuse" | "share" | "replace";

/** What is known when the places are chosen. */
export interface PlacementInput {
  readonly environment: Environment;
  readonly layouts: readonly Layout[];
  /** What will have been moved away by then. */
  readonly removed: ReadonlySet<string>;
  readonly staying: readonly InstalledDistribution[];
  readonly conflicts: ConflictRule;
}

/**
 * Chooses the moves that bring the new files in: whole folders wherever nothing is there yet.
 *
 * @throws {Fault} E_REFUSED where a file would have two owners, or one that nobody owns is in the
 *   way; files of the same content may be shared
 */
export function planPlacement(input: PlacementInput): Placement {
  return new Placer(input).plan();
}

/** A file to come: whose, and what it holds. */
interface Claim {
  readonly layout: Layout;
  /** Relative to the root. */
  readonly path: string;
  readonly hash: string;
}

const MANY = Symbol("several");

class Placer {
  readonly #input: PlacementInput;
  readonly #fold: (path: string) => string;
  readonly #conflicts: Conflict[] = [];
  readonly #skips = new Map<Layout, Set<string>>();
  readonly #notes: string[] = [];
  readonly #displaced = new Set<string>();
  /** Entries of folders that exist, by folded name. */
  readonly #listings = new Map<string, Map<string, Dirent>>();
  readonly #anchors: ReadonlySet<string>;
  #owners: Map<string, InstalledDistribution> | undefined;

  constructor(input: PlacementInput) {
    this.#input = input;
    this.#anchors = anchorFolders(input.environment);
    this.#fold = foldsCase(input.environment) ? fold : (path) => path;
  }

  plan(): Placement {
    const users = this.#folderUsers();
    this.#compareLayouts(users);
    const infos = new Set(
      this.#input.layouts.map(({ site, item }) => `${site}/${item.wheel.distInfo}`),
    );
    const existing = new Set([""]);
    const places: string[] = [];
    for (const folder of this.#folders()) {
      if (!existing.has(parentOf(folder))) continue;
      const state = this.#folderState(folder, infos.has(folder));
      if (state === "there") existing.add(folder);
      else places.push(folder);
    }
    const files = new Set<string>();
    for (const claim of this.#claims((folder) => existing.has(folder))) {
      if (this.#mayPlace(claim)) files.add(claim.path);
    }
    this.#settleConflicts();
    return {
      places: [...places.filter((path) => !infos.has(path)), ...files],
      infos: places.filter((path) => infos.has(path)),
      displaced: [...this.#displaced],
      skips: this.#skips,
      notes: this.#notes,
    };
  }

  *#folders(): Generator<string> {
    const seen = new Set<string>();
    for (const { folders } of this.#input.layouts) {
      for (const folder of folders) {
        if (seen.has(folder)) continue;
        seen.add(folder);
        yield folder;
      }
    }
  }

  /** Which layouts use a folder: one, or several. */
  #folderUsers(): Map<string, Layout | typeof MANY> {
    const users = new Map<string, Layout | typeof MANY>();
    for (const layout of this.#input.layouts) {
      for (const folder of layout.folders) {
        const key = this.#fold(folder);
        const user = users.get(key);
        if (user === undefined) users.set(key, layout);
        else if (user !== layout) users.set(key, MANY);
      }
    }
    return users;
  }

  /** The files to come whose folder is wanted. */
  *#claims(isWanted: (folder: string) => boolean): Generator<Claim> {
    for (const layout of this.#input.layouts) {
      const { site, plain, runs, moved, written, record } = layout;
      for (const { folder, start, end } of runs) {
        if (!isWanted(folder)) continue;
        for (const { path, sha256 } of plain.slice(start, end)) {
          yield { layout, path: `${site}/${path}`, hash: `sha256=${sha256}` };
        }
      }
      for (const { target, sha256 } of moved) {
        if (isWanted(parentOf(target))) yield { layout, path: target, hash: `sha256=${sha256}` };
      }
      for (const { target, content } of written) {
        if (!isWanted(parentOf(target))) continue;
        const bytes = typeof content === "string" ? Buffer.from(content) : content;
        yield { layout, path: target, hash: hashOf(bytes) };
      }
      // It lies in a folder of its own, and is like no other.
      if (isWanted(parentOf(record.target))) yield { layout, path: record.target, hash: "" };
    }
  }

  /** Files that several of the new packages bring. */
  #compareLayouts(users: ReadonlyMap<string, Layout | typeof MANY>): void {
    const claimed = new Map<string, Claim>();
    const isShared = (folder: string): boolean =>
      folder === "" || users.get(this.#fold(folder)) === MANY;
    for (const claim of this.#claims(isShared)) {
      const key = this.#fold(claim.path);
      const other = claimed.get(key) ?? this.#folderInTheWay(key, claim, users);
      claimed.set(key, claim);
      if (other === undefined) continue;
      const isSame = other.hash === claim.hash && other.path === claim.path;
      if (!isSame) this.#conflict(claim.path, [nameOf(other.layout), nameOf(claim.layout)]);
      this.#skip(other.layout, other.path);
    }
  }

  /** One package's file where another one has a folder. */
  #folderInTheWay(
    key: string,
    claim: Claim,
    users: ReadonlyMap<string, Layout | typeof MANY>,
  ): Claim | undefined {
    const user = users.get(key);
    if (user === undefined) return undefined;
    const layout = user === MANY ? claim.layout : user;
    const owners = [nameOf(layout), nameOf(claim.layout)];
    throw conflictFault([{ path: claim.path, owners }], "final");
  }

  #folderState(folder: string, isInfo: boolean): "there" | "free" {
    if (this.#input.removed.has(folder)) return "free";
    const entry = this.#listing(parentOf(folder)).get(this.#fold(nameIn(folder)));
    if (entry === undefined) return "free";
    const actual = join(parentOf(folder), entry.name);
    if (this.#input.removed.has(actual)) return "free";
    // The environment's own folders may be links.
    if (this.#anchors.has(folder) && entry.isSymbolicLink()) return "there";
    // A dist-info that does not count as installed is what somebody's crash has left.
    if (entry.isDirectory() && !isInfo) return "there";
    if (!isInfo) this.#conflict(folder, [this.#newOwner(folder)]);
    this.#notes.push(`replaced "${actual}", which was in the way`);
    this.#displaced.add(actual);
    return "free";
  }

  #newOwner(folder: string): string {
    const owner = this.#input.layouts.find(({ folders }) => folders.includes(folder));
    return owner === undefined ? "" : nameOf(owner);
  }

  /** Whether a file is to be moved in: not where the same is there already and stays. */
  #mayPlace({ layout, path, hash }: Claim): boolean {
    if (this.#skips.get(layout)?.has(path) === true) return false;
    const entry = this.#listing(parentOf(path)).get(this.#fold(nameIn(path)));
    if (entry === undefined) return true;
    const actual = join(parentOf(path), entry.name);
    if (this.#input.removed.has(actual)) return true;
    const bytes = entry.isFile()
      ? contentOf(join(this.#input.environment.root, actual))
      : undefined;
    if (bytes !== undefined && actual === path && hashOf(bytes) === hash) {
      this.#skip(layout, path);
      return false;
    }
    const owner = this.#ownerOf(actual);
    const owners = [...(owner === undefined ? [] : [nameOf(owner)]), nameOf(layout)];
    if (entry.isDirectory()) throw conflictFault([{ path, owners }], "final");
    this.#conflict(path, owners);
    this.#displaced.add(actual);
    return true;
  }

  #ownerOf(path: string): InstalledDistribution | undefined {
    this.#owners ??= this.#readOwners();
    return this.#owners.get(path);
  }

  #readOwners(): Map<string, InstalledDistribution> {
    const owners = new Map<string, InstalledDistribution>();
    const { environment, staying } = this.#input;
    for (const distribution of staying) {
      if (distribution.kind !== "dist-info" || distribution.record() === undefined) continue;
      for (const path of filesOf(environment, distribution, [])) owners.set(path, distribution);
      const info = insideRoot(environment, distribution.path);
      if (info !== undefined) owners.set(info, distribution);
    }
    return owners;
  }

  #listing(folder: string): Map<string, Dirent> {
    let listing = this.#listings.get(folder);
    if (listing !== undefined) return listing;
    listing = new Map();
    this.#listings.set(folder, listing);
    let entries: Dirent[] = [];
    try {
      const path = join(this.#input.environment.root, folder);
      entries = readdirSync(path, { withFileTypes: true });
    } catch {
      // It will be found missing when something is moved there.
    }
    for (const entry of entries) listing.set(this.#fold(entry.name), entry);
    return listing;
  }

  #skip(layout: Layout, path: string): void {
    const skips = this.#skips.get(layout) ?? new Set<string>();
    this.#skips.set(layout, skips.add(path));
  }

  #conflict(path: string, owners: readonly string[]): void {
    this.#conflicts.push({ path, owners });
  }

  #settleConflicts(): void {
    const { conflicts: rule } = this.#input;
    const refused =
      rule === "refuse"
        ? this.#conflicts
        : this.#conflicts.filter(({ owners }) => rule === "share" && owners.length < 2);
    if (refused.length > 0) throw conflictFault(refused, "settable");
    const byOwners = Map.groupBy(this.#conflicts, ({ owners }) => JSON.stringify(owners));
    for (const [first, ...others] of byOwners.values()) {
      if (first !== undefined) this.#notes.push(replacedNote(first, others.length));
    }
  }
}

/** @param kind "settable": where several own it, a setting has the later one win */
function conflictFault(conflicts: readonly Conflict[], kind: "settable" | "final"): Fault {
  const [first] = conflicts;
  const { path = "", owners = [] } = first ?? {};
  const [old = "", fresh] = owners;
  const others = andOthers(conflicts.length - 1);
  const message =
    fresh === undefined
      ? `Cannot install "${old}": "${path}" is in the way and belongs to no package`
      : `Cannot install "${fresh}": "${path}" belongs to "${old}" as well${others}`;
  const setting =
    kind === "settable"
      ? ', or have the later one win: file_conflicts = "replace" in [install] of blast.toml'
      : "";
  return new Fault({
    code: "E_REFUSED",
    message,
    hint:
      fresh === undefined ? "move the file away" : `leave one of the two packages out${setting}`,
    details: { conflicts: conflicts.slice(0, 100) },
  });
}

function replacedNote({ path, owners: [old, fresh] }: Conflict, more: number): string {
  if (fresh !== undefined) {
    const owners = `belongs to "${old}" and to "${fresh}"${andOthers(more)}`;
    return `"${path}" ${owners}: took what "${fresh}" has`;
  }
  const rest = more === 0 ? "" : ` and ${more === 1 ? "one more file" : `${more} more files`}`;
  return `replaced "${path}"${rest}, which belonged to no package, by what "${old}" has`;
}

/** To be said behind the first of several files. */
function andOthers(more: number): string {
  if (more === 0) return "";
  return `, and so ${more === 1 ? "does one more file" : `do ${more} more files`}`;
}

function nameOf(owner: Layout | InstalledDistribution): string {
  return "item" in owner ? owner.item.wheel.name : owner.name;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** As case-insensitive file systems compare names, near enough. */
function fold(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

/** Whether the environment's file system takes "A" and "a" for the same name. */
function foldsCase(environment: Environment): boolean {
  if (environment.kind !== "venv") return process.platform !== "linux";
  return statSync(join(environment.root, "PYVENV.CFG"), { throwIfNoEntry: false }) !== undefined;
}
