/** A package as a database knows it. */
export interface PackageRecord {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** `local`, or the name of the repository. */
  readonly repository: string;
  /** Bytes when installed. */
  readonly installedBytes: number;
  readonly dependencies: readonly string[];
  readonly provides: readonly string[];
  readonly groups: readonly string[];
  /** Of an installed one: asked for by name, or pulled in. */
  readonly reason?: "explicit" | "dependency" | undefined;
}

/** One thing that a transaction does. */
export interface PackageChange {
  readonly kind: "install" | "upgrade" | "downgrade" | "reinstall" | "remove";
  readonly name: string;
  readonly oldVersion?: string | undefined;
  readonly newVersion?: string | undefined;
  readonly repository?: string | undefined;
  readonly downloadBytes: number;
  readonly installedBytes: number;
}

/** What a transaction would do, or has done. */
export interface TransactionPlan {
  readonly changes: readonly PackageChange[];
  /** Sentences: optional dependencies, .pacnew files, packages kept back. */
  readonly notes: readonly string[];
}

/** What is asked of a package manager, at once. */
export interface TransactionRequest {
  /** Names, groups, `name>=version`, provided names. */
  readonly install?: readonly string[];
  /** Files of packages (.pkg.tar.zst) that were built here. */
  readonly files?: readonly string[];
  readonly remove?: readonly string[];
  /** Brings everything up to date (-u). */
  readonly upgrade?: boolean;
  /** Leaves out what is installed in that version already (--needed). */
  readonly onlyNeeded?: boolean;
  readonly ignored?: readonly string[];
  /** Removes what nothing needs any more with what is removed (-s). */
  readonly recursive?: boolean;
  readonly asDependencies?: boolean;
  /** Removes installed packages that conflict with the new ones, in place of refusing. */
  readonly removeConflicting?: boolean;
}

/** What happens during a transaction, for progress. */
export type PackageEvent =
  | {
      readonly kind: "download";
      readonly file: string;
      readonly done: number;
      readonly total: number;
    }
  | { readonly kind: "change"; readonly name: string; readonly percent: number }
  | { readonly kind: "hook"; readonly name: string }
  | { readonly kind: "note"; readonly text: string };

/** How a plan is made. */
export interface PlanOptions {
  readonly refresh?: boolean;
}

/** A pacman-compatible package manager for one root folder. */
export interface PackageManager extends Disposable {
  readonly kind: "libalpm" | "pacman";
  /** Fetches the databases of the repositories (-Sy). */
  sync(onEvent?: (event: PackageEvent) => void): Promise<void>;
  /** Whether the databases of all repositories are there. */
  hasDatabases(): Promise<boolean>;
  installed(): Promise<readonly PackageRecord[]>;
  /** Packages of the repositories in which every word is found; without words all (-Ss). */
  search(words: readonly string[]): Promise<readonly PackageRecord[]>;
  /**
   * What `run` would do. Changes nothing in the root, not even its lock: also of a read-only one.
   *
   * @param options `refresh`: fetches the databases of the repositories, aside, and plans by them
   */
  plan(request: TransactionRequest, options?: PlanOptions): Promise<TransactionPlan>;
  /** Says of installed packages why they are there (-D --asdeps, --asexplicit). */
  mark(names: readonly string[], reason: "explicit" | "dependency"): Promise<void>;
  run(
    request: TransactionRequest,
    onEvent?: (event: PackageEvent) => void,
  ): Promise<TransactionPlan>;
}

/** A repository (pacman.conf(5)). */
export interface Repository {
  readonly name: string;
  readonly servers: readonly string[];
  /** `Required`, `Optional TrustAll`, `Never`; the default is `Required DatabaseOptional`. */
  readonly signatureLevel?: string | undefined;
}

/** Where a package manager works. */
export interface PackageRootOptions {
  /** The root folder: a subvolume or a plain folder. */
  readonly root: string;
  readonly repositories: readonly Repository[];
  /**
   * The folder with `local` and `sync`; default: /var/lib/pacman of the root. Of a snapshot, whose
   * var is a subvolume apart: that one's lib/pacman, for everything that does not change it.
   */
  readonly databaseFolder?: string | undefined;
  /** Downloaded packages; default: /var/cache/pacman/pkg of the root. */
  readonly cacheFolder?: string | undefined;
  /** GnuPG's folder with the keys that count; default: /etc/pacman.d/gnupg of the root. */
  readonly gpgFolder?: string | undefined;
  /** Default: that of this machine. */
  readonly architecture?: string | undefined;
  /** Groups whose packages are not upgraded (IgnoreGroup). */
  readonly ignoredGroups?: readonly string[] | undefined;
  /** Globs of files that an upgrade leaves alone; the new ones become `.pacnew` (NoUpgrade). */
  readonly keptFiles?: readonly string[] | undefined;
  /** Globs of files that are not unpacked (NoExtract). */
  readonly leftOutFiles?: readonly string[] | undefined;
  /** Who fetches, from libalpm 15 on (DownloadUser); default: who calls. */
  readonly downloadUser?: string | undefined;
  /** SigLevel of repositories that name none; default `Required DatabaseOptional`. */
  readonly signatureLevel?: string | undefined;
  /** SigLevel of package files given by path; default `Optional`. */
  readonly fileSignatureLevel?: string | undefined;
}
