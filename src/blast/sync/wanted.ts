/** What an environment is to hold: from a resolution or a lock file to files to fetch. */
import { Fault } from "../../kit/fault/fault.ts";
import type { PackageName } from "../pep/name.ts";
import type { TagSet } from "../pep/tag.ts";
import type { Version } from "../pep/version.ts";
import { parseWheelName } from "../pep/wheel-name.ts";
import type {
  DirectSource,
  Hashes,
  IndexFile,
  Resolution,
  ResolvedPackage,
} from "../resolve/port.ts";

/** A package that the environment is to hold. */
export interface WantedPackage {
  readonly name: PackageName;
  /** Undefined: only the build of a direct source can tell it. */
  readonly version?: Version;
  /** What to install: a wheel, or sources to build one from. Undefined for a direct source. */
  readonly file?: IndexFile;
  readonly source?: DirectSource;
  /** Of a direct source's archive, where a lock file names them. */
  readonly hashes?: Hashes;
  /** `sha256:…` of which what is fetched must have one; undefined: `hashes` say it. */
  readonly allowedHashes?: ReadonlySet<string>;
  /** The branch or tag that was asked for, where `source` has a commit. */
  readonly requestedRevision?: string;
  /** True if the user asked for it by name (PEP 376's REQUESTED). */
  readonly requested: boolean;
}

/** What decides which file of a version is taken. */
export interface FileChoice {
  readonly tags: TagSet;
  readonly noBinary: (name: PackageName) => boolean;
  readonly onlyBinary: (name: PackageName) => boolean;
}

/** How packages of a resolution become wanted ones. */
export interface WantedOptions {
  readonly choice: FileChoice;
  readonly requested: ReadonlySet<PackageName>;
  /** The files to choose from, if not all of a version. */
  readonly filesOf?: (resolved: ResolvedPackage) => readonly IndexFile[];
}

/**
 * The packages of a resolution for one environment, each with the file to install.
 *
 * @throws {Fault} E_UNSATISFIABLE when a version has no file that can be used
 */
export function wantedOf(resolution: Resolution, options: WantedOptions): WantedPackage[] {
  return resolution.packages.map((resolved) => wantedPackage(resolved, options));
}

function wantedPackage(resolved: ResolvedPackage, options: WantedOptions): WantedPackage {
  const { name, version, source } = resolved;
  const requested = options.requested.has(name);
  if (source !== undefined) return { name, version, source, requested };
  const files = options.filesOf?.(resolved) ?? resolved.files;
  return { name, version, file: bestFile({ name, version, files }, options.choice), requested };
}

/** The wheel that the interpreter likes best, else the sdist. */
export function bestFile(
  of: {
    readonly name: PackageName;
    readonly version: Version;
    readonly files: readonly IndexFile[];
  },
  choice: FileChoice,
): IndexFile {
  let best: IndexFile | undefined;
  let bestPriority = Number.POSITIVE_INFINITY;
  let sdist: IndexFile | undefined;
  for (const file of of.files) {
    if (file.kind === "sdist") {
      // .tar.gz is the one format that the standard still knows (PEP 625).
      if (sdist === undefined || file.filename.endsWith(".tar.gz")) sdist = file;
      continue;
    }
    if (choice.noBinary(of.name)) continue;
    const priority = choice.tags.priority(parseWheelName(file.filename).tags);
    if (priority !== undefined && priority < bestPriority) {
      best = file;
      bestPriority = priority;
    }
  }
  const found = best ?? (choice.onlyBinary(of.name) ? undefined : sdist);
  if (found !== undefined) return found;
  throw new Fault({
    code: "E_UNSATISFIABLE",
    message: `Cannot install "${of.name}==${of.version}": no file of it fits this interpreter`,
    hint: hintFor(of.files),
  });
}

function hintFor(files: readonly IndexFile[]): string {
  const names = files.map((file) => file.filename);
  if (names.length === 0) return "the version has no files at all";
  const shown = names.slice(0, 3).join(", ");
  return `it comes as ${shown}${names.length > 3 ? ` and ${names.length - 3} more` : ""}`;
}
