/** What of a lock file goes into one environment, by the installation steps of PEP 751. */

import { join, resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { fileUrlOf } from "../../kit/text/file-url.ts";
import { evaluateMarker, parseMarker } from "../pep/marker.ts";
import type { MarkerEnvironment } from "../pep/marker-environment.ts";
import type { PackageName } from "../pep/name.ts";
import { parseSpecifierSet } from "../pep/specifier.ts";
import type { TagSet } from "../pep/tag.ts";
import { tryParseVersion } from "../pep/version.ts";
import { type BuildTag, compareBuilds, parseWheelName } from "../pep/wheel-name.ts";
import type { DirectSource, IndexFile } from "../resolve/port.ts";
import type { LockedFile, LockedPackage, LockedSource, Pylock } from "./pylock.ts";

/** For what a lock file is asked. */
export interface PylockTarget {
  readonly markers: MarkerEnvironment;
  readonly tags: TagSet;
  /** In normal form; none by default. */
  readonly extras?: ReadonlySet<string>;
  /** The lock file's default groups by default. */
  readonly groups?: ReadonlySet<string>;
  /** Names that come from sources. */
  readonly noBinary?: (name: PackageName) => boolean;
  /** Names that come from wheels. */
  readonly onlyBinary?: (name: PackageName) => boolean;
}

/** A package to install, and from what. */
export interface SelectedPackage {
  readonly locked: LockedPackage;
  readonly from:
    | { readonly kind: "file"; readonly file: IndexFile }
    | {
        readonly kind: "direct";
        /** A git source has its commit as the revision. */
        readonly source: DirectSource;
        /** What was asked for in place of the commit. */
        readonly requestedRevision?: string;
        /** Of an archive: one of them has to match. */
        readonly hashes: LockedFile["hashes"];
      };
}

/**
 * Chooses the packages that the environment needs.
 *
 * @throws {Fault} E_UNSATISFIABLE the lock file is not for this environment, or a package has no
 *   file for it; E_INTEGRITY a file without a hash that can be trusted; E_CONFIG two entries of one
 *   package hold at the same time
 */
export function selectForEnvironment(lock: Pylock, target: PylockTarget): SelectedPackage[] {
  return neededPackages(lock, target).map((locked) => ({
    locked,
    from: chosenFrom(lock, locked, target),
  }));
}

/**
 * The first half of {@link selectForEnvironment}: which entries hold, without a look at files. It
 * is enough to see whether an environment is up to date.
 *
 * @throws {Fault} E_UNSATISFIABLE, E_CONFIG
 */
export function neededPackages(lock: Pylock, target: PylockTarget): LockedPackage[] {
  checkEnvironment(lock, target);
  const extras = target.extras ?? new Set<string>();
  const groups = target.groups ?? new Set(lock.defaultGroups);
  const found = new Map<PackageName, LockedPackage>();
  for (const one of lock.packages) {
    const { name, marker } = one;
    const holds =
      marker === undefined || evaluateMarker(parseMarker(marker), target.markers, extras, groups);
    if (!holds) continue;
    checkPython(one.requiresPython, target, `"${name}" of "${lock.shown}"`);
    const other = found.get(name);
    if (other !== undefined) throw ambiguous(lock, other, one);
    found.set(name, one);
  }
  return [...found.values()];
}

function checkEnvironment(lock: Pylock, target: PylockTarget): void {
  checkPython(lock.requiresPython, target, `"${lock.shown}"`);
  const { environments } = lock;
  if (environments.length === 0) return;
  if (environments.some((text) => evaluateMarker(parseMarker(text), target.markers))) return;
  throw new Fault({
    code: "E_UNSATISFIABLE",
    message: `Cannot use "${lock.shown}" here: it is locked for other environments`,
    hint: `it holds where ${environments.join(" or ")}`,
  });
}

function checkPython(wanted: string | undefined, target: PylockTarget, what: string): void {
  if (wanted === undefined) return;
  const full = target.markers.python_full_version;
  // A build from between two releases calls itself "3.12.1+".
  const version = tryParseVersion(full.replace(/\+$/, "+local"));
  const options = { prereleases: true };
  if (version === undefined || parseSpecifierSet(wanted).contains(version, options)) return;
  throw new Fault({
    code: "E_UNSATISFIABLE",
    message: `Cannot use ${what}: it needs Python ${wanted}, this is Python ${full}`,
    hint: "remove the environment and make it with a Python that fits: `blast start --python`",
  });
}

function ambiguous(lock: Pylock, left: LockedPackage, right: LockedPackage): Fault {
  const text = ({ version, marker }: LockedPackage): string =>
    `${version ?? "one"}${marker === undefined ? "" : ` where ${marker}`}`;
  return new Fault({
    code: "E_CONFIG",
    message: `Cannot use "${lock.shown}": two entries of "${left.name}" hold at the same time`,
    hint: `${text(left)}, and ${text(right)}`,
  });
}

function chosenFrom(
  lock: Pylock,
  locked: LockedPackage,
  target: PylockTarget,
): SelectedPackage["from"] {
  const { source } = locked;
  if (source.kind !== "files") {
    const hashes = source.kind === "archive" ? source.hashes : {};
    if (source.kind === "archive") checkHashes(lock, locked, hashes);
    const revision = source.kind === "vcs" ? source.requestedRevision : undefined;
    return {
      kind: "direct",
      source: directSourceOf(source, lock.folder),
      ...(revision === undefined ? {} : { requestedRevision: revision }),
      hashes,
    };
  }
  const noBinary = target.noBinary?.(locked.name) === true && source.sdist !== undefined;
  const wheel = noBinary ? undefined : bestWheel(source.wheels, target.tags);
  const sdist = target.onlyBinary?.(locked.name) === true ? undefined : source.sdist;
  const file = wheel ?? sdist;
  if (file === undefined) throw noFile(lock, locked, source.wheels);
  checkHashes(lock, locked, file.hashes);
  return { kind: "file", file: indexFileOf(file, locked, lock.folder) };
}

/** The wheel that the interpreter likes best; of equal ones that with the highest build. */
function bestWheel(wheels: readonly LockedFile[], tags: TagSet): LockedFile | undefined {
  let best: { wheel: LockedFile; priority: number; build: BuildTag | undefined } | undefined;
  for (const wheel of wheels) {
    const { tags: own, build } = parseWheelName(wheel.name);
    const priority = tags.priority(own);
    if (priority === undefined) continue;
    const order = best === undefined ? -1 : priority - best.priority;
    const isBetter = order < 0 || (order === 0 && compareBuilds(build, best?.build) > 0);
    if (isBetter) best = { wheel, priority, build };
  }
  return best?.wheel;
}

const STRONG = ["sha256", "sha384", "sha512"];

function checkHashes(lock: Pylock, { name }: LockedPackage, hashes: LockedFile["hashes"]): void {
  if (STRONG.some((algorithm) => Object.hasOwn(hashes, algorithm))) return;
  throw new Fault({
    code: "E_INTEGRITY",
    message: `Cannot install "${name}" of "${lock.shown}": its file has no hash to be trusted`,
    hint: `one of ${STRONG.join(", ")} is needed; lock again`,
  });
}

function noFile(lock: Pylock, locked: LockedPackage, wheels: readonly LockedFile[]): Fault {
  const shown = wheels.slice(0, 3).map((wheel) => wheel.name);
  const pin = [locked.name, ...(locked.version === undefined ? [] : [locked.version])].join("==");
  const more = wheels.length > shown.length ? ` and ${wheels.length - shown.length} more` : "";
  return new Fault({
    code: "E_UNSATISFIABLE",
    message: `Cannot install "${pin}" of "${lock.shown}": no file of it fits this interpreter`,
    hint: shown.length === 0 ? "it has no wheel" : `it comes as ${shown.join(", ")}${more}`,
  });
}

/** A locked file as an index would offer it; a path becomes a `file:` URL. */
export function indexFileOf(file: LockedFile, locked: LockedPackage, folder: string): IndexFile {
  const { name: filename, size, uploadTime, hashes } = file;
  return {
    kind: filename.endsWith(".whl") ? "wheel" : "sdist",
    filename,
    url: addressOf(file, folder),
    hashes,
    ...(size === undefined ? {} : { size }),
    ...(locked.requiresPython === undefined ? {} : { requiresPython: locked.requiresPython }),
    yanked: false,
    ...(uploadTime === undefined ? {} : { uploadTime }),
    index: locked.index ?? "",
  };
}

/** A locked source in the resolver's terms. */
export function directSourceOf(
  source: Exclude<LockedSource, { kind: "files" }>,
  folder: string,
): DirectSource {
  const { subdirectory } = source;
  const inner = subdirectory === undefined ? {} : { subdirectory };
  switch (source.kind) {
    case "vcs":
      if (source.type !== "git") {
        throw new Fault({
          code: "E_UNSATISFIABLE",
          message: `Cannot fetch from "${source.type}" repositories, only from git`,
        });
      }
      return { kind: "git", url: addressOf(source, folder), revision: source.commit, ...inner };
    case "directory":
      return {
        kind: "directory",
        path: join(resolve(folder, source.path), subdirectory ?? ""),
        editable: source.editable,
      };
    case "archive":
      return { kind: "archive", url: addressOf(source, folder), ...inner };
  }
}

/** The path comes first where there are both: it needs no network (PEP 751 leaves the choice). */
function addressOf(
  place: { readonly url?: string; readonly path?: string },
  folder: string,
): string {
  if (place.path === undefined) return place.url ?? "";
  return fileUrlOf(resolve(folder, place.path));
}
