/** The difference between what is installed and what is wanted. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { InstalledDistribution } from "../env/installed.ts";
import type { Mark } from "../env/marks.ts";
import type { PackageName } from "../pep/name.ts";
import type { DirectUrl } from "../project/direct-url.ts";
import type { DirectSource } from "../resolve/port.ts";
import type { WantedPackage } from "./wanted.ts";

/** What has to happen to an environment. */
export interface SyncPlan {
  readonly install: readonly WantedPackage[];
  /** Also what an install replaces. */
  readonly remove: readonly InstalledDistribution[];
  readonly keep: readonly InstalledDistribution[];
  /** Of what is kept: what is asked for by name now, or not any more. */
  readonly mark: readonly Mark[];
}

/** How to compare. */
export interface PlanOptions {
  /** Remove what is not wanted. */
  readonly exact: boolean;
  /** Install these anew although they are there in this version. */
  readonly reinstall?: (name: PackageName) => boolean;
  /** Remove these, unless they are wanted. */
  readonly remove?: readonly InstalledDistribution[];
  /** Of what stays: what nobody asks for by name any more. */
  readonly unmark?: (name: PackageName) => boolean;
}

/** Tools that environments are made with; an exact sync leaves them alone. */
const SEEDS: ReadonlySet<string> = new Set(["pip", "setuptools", "wheel"]);

/** Compares what is there with what is wanted. */
export function planSync(
  installed: readonly InstalledDistribution[],
  wanted: readonly WantedPackage[],
  options: PlanOptions,
): SyncPlan {
  const present = new Map<PackageName, InstalledDistribution[]>();
  for (const distribution of installed) {
    const same = present.get(distribution.name);
    if (same === undefined) present.set(distribution.name, [distribution]);
    else same.push(distribution);
  }
  const install: WantedPackage[] = [];
  const remove: InstalledDistribution[] = [];
  const keep: InstalledDistribution[] = [];
  const names = new Set<PackageName>();
  for (const one of wanted) {
    names.add(one.name);
    const there = present.get(one.name) ?? [];
    const [only] = there;
    const isFine =
      only !== undefined &&
      there.length === 1 &&
      options.reinstall?.(one.name) !== true &&
      fits(only, one);
    if (isFine) {
      keep.push(only);
    } else {
      install.push(one);
      remove.push(...there);
    }
  }
  for (const distribution of installed) {
    if (names.has(distribution.name)) continue;
    const isNamed = options.remove?.some(({ path }) => path === distribution.path) === true;
    const stays = !isNamed && (!options.exact || SEEDS.has(distribution.name));
    (stays ? keep : remove).push(distribution);
  }
  return { install, remove, keep, mark: marksOf(keep, wanted, options) };
}

/** An exact change knows of everything that is asked for; others only add to it. */
function marksOf(
  keep: readonly InstalledDistribution[],
  wanted: readonly WantedPackage[],
  { exact, unmark }: PlanOptions,
): Mark[] {
  const byName = new Map(wanted.map((one) => [one.name, one]));
  return keep.flatMap((distribution) => {
    const requested = byName.get(distribution.name)?.requested;
    if (requested === undefined || requested === distribution.requested) return [];
    const isMeant = requested || exact || unmark?.(distribution.name) === true;
    return isMeant ? [{ distribution, requested }] : [];
  });
}

/** True if what is installed is what is wanted, of the same origin. */
function fits(installed: InstalledDistribution, wanted: WantedPackage): boolean {
  const { version } = wanted;
  if (version !== undefined && installed.version.key !== version.key) return false;
  if (installed.kind === "distutils") return false;
  const { directUrl } = installed;
  if (wanted.source === undefined) return directUrl === undefined;
  return directUrl !== undefined && isSameSource(directUrl, wanted.source, installed.path);
}

function isSameSource(installed: DirectUrl, wanted: DirectSource, distInfo: string): boolean {
  const { info } = installed;
  if (wanted.kind === "directory") {
    // A folder that is no editable install may have changed since.
    const isEditable = wanted.editable && info.kind === "directory" && info.editable;
    if (!isEditable || pathOf(installed.url) !== wanted.path.replace(/\/$/, "")) return false;
    return !isOlder(distInfo, wanted.path);
  }
  if (installed.url !== wanted.url) return false;
  if ((installed.subdirectory ?? "") !== (wanted.subdirectory ?? "")) return false;
  if (wanted.kind === "archive") {
    const { hashes = {} } = wanted;
    if (info.kind !== "archive") return false;
    return Object.entries(hashes).every(([name, value]) => (info.hashes[name] ?? value) === value);
  }
  return info.kind === "vcs" && info.commit === wanted.revision;
}

/** Files of a project that its version, scripts and requirements come from. */
const BUILD_FILES = ["pyproject.toml", "setup.py", "setup.cfg"] as const;

/**
 * True if what an editable install says of itself was made before its project said something else.
 * Modules come from the folder itself, scripts and metadata do not.
 */
function isOlder(distInfo: string, folder: string): boolean {
  const made = modified(join(distInfo, "direct_url.json"));
  return BUILD_FILES.some((name) => modified(join(folder, name)) > made);
}

/** 0n for what is not there. */
function modified(path: string): bigint {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs ?? 0n;
}

function pathOf(url: string): string | undefined {
  try {
    return Bun.fileURLToPath(url).replace(/\/$/, "");
  } catch {
    return undefined;
  }
}
