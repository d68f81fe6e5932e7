import type { CoreMetadata, DirectSource, IndexFile } from "../resolve/port.ts";

/** A package index. */
export interface IndexPlace {
  /** The folder of the project pages: `https://…/simple/`; may hold credentials; also `file:`. */
  readonly url: string;
  /** For BLAST_INDEX_<NAME>_USERNAME and _PASSWORD. */
  readonly name?: string;
}

/** How packages are found and fetched. */
export interface IndexOptions {
  /**
   * In the order of priority: extra indexes first, the default one last. The first that knows a
   * name answers for it alone. None: only find-links.
   */
  readonly indexes: readonly IndexPlace[];
  /** Folders, `file:` URLs, and web pages with links to files. */
  readonly findLinks: readonly string[];
  /** Need not exist. */
  readonly cacheFolder: string;
  /** Only what is cached, however old. */
  readonly offline: boolean;
  /** Requests at a time. */
  readonly concurrency: number;
  /** Of silence, in milliseconds. */
  readonly timeoutMs: number;
  readonly retries: number;
  /** PEM file or folder of certificate authorities. */
  readonly ca?: string;
  /** PEM file with a certificate and its key. */
  readonly clientCert?: string;
  readonly verifySsl: boolean;
  readonly trustedHosts: readonly string[];
  readonly proxy?: string;
  /** Nothing that an earlier run has kept is used. */
  readonly noCache: boolean;
  /** Every page is asked for again, if only by its ETag. */
  readonly refresh?: boolean;
  /** How long a page is taken as fresh if the server does not say. */
  readonly pageTtlSeconds: number;
  readonly keyring: "disabled" | "subprocess";
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told once each. */
  readonly onWarning?: (text: string, hint?: string) => void;
  readonly builder?: MetadataBuilder;
  /** Replaced in tests. */
  readonly now?: () => number;
  /** Replaced in tests. */
  readonly sleep?: (delayMs: number) => Promise<void>;
}

/** Who can tell what a source needs by building it, or by fetching it in its own way. */
export interface MetadataBuilder {
  /**
   * The METADATA of an sdist.
   *
   * @param archivePath the sdist, fetched and checked
   */
  buildMetadata(file: IndexFile, archivePath: string): Promise<string>;
  /**
   * The METADATA of an archive without PKG-INFO that could be trusted, of a folder or of a
   * repository; a git revision becomes a commit.
   *
   * @param archivePath of an archive, fetched
   */
  buildDirect(
    source: DirectSource,
    archivePath: string | undefined,
  ): Promise<{ metadata: CoreMetadata; source: DirectSource }>;
  /** What its answers depend on, such as the Python version; part of the cache key. */
  readonly cacheKey: string;
}
