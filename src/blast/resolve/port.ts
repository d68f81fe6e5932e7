/**
 * What the resolver is asked, what it answers, and what it needs from outside. Plain data: the
 * resolver itself does no I/O, an index (src/blast/index) or a test plugs in.
 */
import type { MarkerSet } from "../pep/marker-algebra.ts";
import type { MarkerEnvironment } from "../pep/marker-environment.ts";
import type { ExtraName, PackageName } from "../pep/name.ts";
import type { VersionRange } from "../pep/range.ts";
import type { Requirement } from "../pep/requirement.ts";
import type { TagSet } from "../pep/tag.ts";
import type { Version } from "../pep/version.ts";

/** At hand, or to be waited for: what is cached must not cost a turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>;

/** Digests by algorithm name (`sha256`), in lower-case hexadecimal. */
export type Hashes = Readonly<Record<string, string>>;

/** A file that an index offers (PEP 503, 592, 691, 700, 714). */
export interface IndexFile {
  readonly kind: "wheel" | "sdist";
  readonly filename: string;
  /** Absolute, without credentials. */
  readonly url: string;
  readonly hashes: Hashes;
  /** In bytes. */
  readonly size?: number;
  readonly requiresPython?: string;
  /** False, or why it was withdrawn (possibly empty). */
  readonly yanked: false | string;
  /** RFC 3339. */
  readonly uploadTime?: string;
  /** The METADATA file can be had on its own (PEP 658); with its hashes, if they are known. */
  readonly metadata?: Hashes | true;
  /** The index or find-links place that offers it, without credentials. */
  readonly index: string;
}

/** One version of a project, with what may be had of it. */
export interface ProjectVersion {
  readonly version: Version;
  /** Read when it is asked for: most versions of a page are never looked at. */
  files(): readonly IndexFile[];
}

/** A project's page. */
export interface Project {
  readonly name: PackageName;
  /** Newest first; versions that PEP 440 does not know are left out. */
  readonly versions: readonly ProjectVersion[];
}

/** The part of a distribution's metadata that resolving needs. */
export interface CoreMetadata {
  readonly name: PackageName;
  readonly version: Version;
  readonly requiresPython?: string;
  readonly requiresDist: readonly Requirement[];
  readonly providesExtra: readonly ExtraName[];
  /** Fields that a build may still change (PEP 643), in lower case. */
  readonly dynamic: readonly string[];
}

/** A distribution that is named by place and not by version (PEP 508 URLs, PEP 610). */
export type DirectSource =
  | {
      readonly kind: "archive";
      readonly url: string;
      readonly subdirectory?: string;
      /** Of the URL's fragment (`#sha256=…`): what is fetched must have them. */
      readonly hashes?: Hashes;
    }
  | {
      readonly kind: "git";
      readonly url: string;
      /** What was asked for: a branch, tag or commit. */
      readonly revision?: string;
      readonly subdirectory?: string;
    }
  | { readonly kind: "directory"; readonly path: string; readonly editable: boolean };

/** What the resolver asks the world. */
export interface PackageIndex {
  /** Undefined: no index knows the name. */
  project(name: PackageName): MaybePromise<Project | undefined>;
  /** Of the best file to ask; of an sdist, what its build says if it does not say it itself. */
  metadata(file: IndexFile): MaybePromise<CoreMetadata>;
  /** Fetches and reads what the source says of itself; a git revision becomes a commit. */
  direct(source: DirectSource): MaybePromise<{ metadata: CoreMetadata; source: DirectSource }>;
  /** These pages will be asked for soon. */
  prefetch(names: readonly PackageName[]): void;
  /** This file's metadata will probably be asked for soon. */
  prefetchMetadata(file: IndexFile): void;
}

/** A requirement of the user's own, and where it stands. */
export interface RootRequirement {
  readonly requirement: Requirement;
  /** For messages: "requirements.txt:3", "the command line". */
  readonly origin: string;
  /** For what is named by place, in place of a version. */
  readonly source?: DirectSource;
}

/** Where the answer has to hold. */
export type Target =
  /** In one environment. */
  | {
      readonly kind: "environment";
      readonly markers: MarkerEnvironment;
      /** Undefined takes every wheel as usable. */
      readonly tags?: TagSet;
    }
  /** On every platform, for these Pythons: versions get markers where they differ. */
  | {
      readonly kind: "universal";
      readonly requiresPython: VersionRange;
      /** Of the interpreter at hand: its minor version is the one that must at least work. */
      readonly python?: string;
      readonly within?: MarkerSet;
    };

/** The names for which something holds: all of them, or these. */
export type NameChoice = "all" | ReadonlySet<PackageName>;

/** A question to the resolver. */
export interface ResolveRequest {
  readonly target: Target;
  readonly requirements: readonly RootRequirement[];
  /** Narrow what is taken, without asking for it. */
  readonly constraints: readonly RootRequirement[];
  /** Replace whatever anybody requires of these names. */
  readonly overrides: readonly RootRequirement[];
  /** Which versions to try first. `lowest-direct`: lowest for what the user named. */
  readonly strategy: "highest" | "lowest" | "lowest-direct";
  /**
   * `if-necessary`: where a specifier names one, or nothing else fits (PEP 440).
   * @see https://peps.python.org/pep-0440/#handling-of-pre-releases
   */
  readonly preReleases: "if-necessary" | "allow" | "disallow";
  /** Versions to take if they still fit, best first: from a lock file or an environment. */
  readonly preferences: ReadonlyMap<PackageName, readonly Version[]>;
  /** Never from wheels. */
  readonly noBinary: NameChoice;
  /** Never from sources. */
  readonly onlyBinary: NameChoice;
  /** Files uploaded later than this do not exist; milliseconds since 1970. */
  readonly excludeNewerMs?: number;
}

/** One package of the answer. */
export interface ResolvedPackage {
  readonly name: PackageName;
  readonly version: Version;
  /** The extras that anybody asked for, sorted. */
  readonly extras: readonly ExtraName[];
  /** Where it is needed; undefined: everywhere in the target. */
  readonly marker?: MarkerSet;
  /** Every file of the version that the target may use, best first; empty for a direct source. */
  readonly files: readonly IndexFile[];
  readonly source?: DirectSource;
  readonly metadata: CoreMetadata;
  /** Edges of the graph: what it needs in the target, with extras, and where. */
  readonly dependencies: readonly {
    readonly name: PackageName;
    readonly version: Version;
    readonly extras: readonly ExtraName[];
    readonly marker?: MarkerSet;
  }[];
  /** True for what the user named. */
  readonly direct: boolean;
}

/** The resolver's answer. */
export interface Resolution {
  /** By name, then version. */
  readonly packages: readonly ResolvedPackage[];
  /** Things worth telling: a yanked version that was pinned, an extra that does not exist. */
  readonly warnings: readonly string[];
}
