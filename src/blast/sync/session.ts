/** What one run of blast works with: settings of all sources, and the engines that follow. */
import { rmSync } from "node:fs";
import { isAbsolute, join, resolve, sep } from "node:path";
import { xdgPaths } from "../../kit/config/paths.ts";
import { redactCredentials } from "../../kit/fault/redact.ts";
import type { Printer } from "../../kit/out/printer.ts";
import { beforeExit } from "../../kit/proc/exit-tasks.ts";
import type { BuildFlags } from "../build/flags.ts";
import type { BlastConfig } from "../config.ts";
import type { LinkMode } from "../env/link.ts";
import type { IndexClient } from "../index/client.ts";
import type { ConsultedPage } from "../index/consulted.ts";
import type { IndexOptions } from "../index/options.ts";
import type { PipConfig } from "../project/pip-config.ts";
import type { Interpreter } from "../python/probe.ts";
import type { WheelStore } from "../wheel/store.ts";
import { type Builder, lazyBuilder } from "./lazy-builder.ts";
import type { Project } from "./project.ts";

/** Flags that say where packages come from; absent ones were not given. */
export interface IndexFlags extends BuildFlags {
  readonly "index-url"?: string | undefined;
  readonly "extra-index-url"?: readonly string[];
  readonly "find-links"?: readonly string[];
  /** Of requirements files. */
  readonly "trusted-host"?: readonly string[];
  readonly index?: boolean;
  readonly offline?: boolean;
  readonly cache?: boolean;
  readonly refresh?: boolean;
}

/** One run. */
export class Session {
  readonly printer: Printer;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  #project: Project;
  #flags: IndexFlags;
  #pip: Promise<PipConfig> | undefined;
  #index: Promise<IndexClient> | undefined;
  #store: Promise<WheelStore> | undefined;
  #atExit: Disposable | undefined;
  #builder: Builder | undefined;

  constructor(parts: {
    readonly printer: Printer;
    readonly folder: string;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly project: Project;
    readonly flags: IndexFlags;
  }) {
    this.printer = parts.printer;
    this.folder = parts.folder;
    this.environment = parts.environment;
    this.#project = parts.project;
    this.#flags = parts.flags;
  }

  get project(): Project {
    return this.#project;
  }

  /** Reads the project's files again: something has changed them. */
  async reopenProject(): Promise<void> {
    const { openProject } = await import("./project.ts");
    this.#project = await openProject(this.#project.folder, this.environment, { exactly: true });
  }

  get flags(): IndexFlags {
    return this.#flags;
  }

  /** Adds what requirements files say; the flags of the command line go before it. */
  addFlags(more: IndexFlags): void {
    const own = this.#flags;
    this.#flags = {
      ...more,
      ...own,
      ...(own["index-url"] === undefined && more["index-url"] !== undefined
        ? { "index-url": more["index-url"] }
        : {}),
      "extra-index-url": [...(own["extra-index-url"] ?? []), ...(more["extra-index-url"] ?? [])],
      "find-links": [...(own["find-links"] ?? []), ...(more["find-links"] ?? [])],
      "trusted-host": [...(own["trusted-host"] ?? []), ...(more["trusted-host"] ?? [])],
      index: own.index !== false && more.index !== false,
    };
  }

  get config(): BlastConfig {
    return this.project.config;
  }

  /** BLAST_CACHE_DIR, [cache] cache_dir, `$XDG_CACHE_HOME/blast`. */
  get cacheFolder(): string {
    const variable = this.environment["BLAST_CACHE_DIR"];
    if (variable !== undefined && isAbsolute(variable)) return variable;
    const configured = this.config.values.cache.cache_dir;
    if (configured !== "") return resolve(this.project.folder, configured);
    return join(xdgPaths(this.environment).cache, "blast");
  }

  /** [install] link_mode; undefined: the fastest that works. */
  get linkMode(): LinkMode | undefined {
    const mode = this.config.values.install.link_mode;
    return mode === "auto" ? undefined : (mode as LinkMode);
  }

  /** [install] file_conflicts, which is about what packages own, and nobody else. */
  get fileConflicts(): "refuse" | "share" {
    return this.config.values.install.file_conflicts === "replace" ? "share" : "refuse";
  }

  /** Builds from sources, for this interpreter. */
  builder(interpreter: Interpreter): Builder {
    this.#builder ??= lazyBuilder(this, interpreter);
    return this.#builder;
  }

  /** Removes an archive that was downloaded into the cache; any other file stays. */
  discardDownload(path: string): void {
    if (path.startsWith(join(this.cacheFolder, "files-v1") + sep)) rmSync(path, { force: true });
  }

  get offline(): boolean {
    return this.flags.offline === true;
  }

  /** pip's configuration, as far as it is in files and variables. */
  pip(): Promise<PipConfig> {
    this.#pip ??= import("../project/pip-config.ts").then(({ readPipConfig }) =>
      readPipConfig({ environment: this.environment }),
    );
    return this.#pip;
  }

  /** The store of unpacked wheels. */
  store(): Promise<WheelStore> {
    this.#store ??= import("../wheel/store.ts").then(({ openStore }) =>
      openStore(this.cacheFolder),
    );
    return this.#store;
  }

  /** The indexes, as this interpreter's pip would find them. */
  index(interpreter: Interpreter): Promise<IndexClient> {
    this.#index ??= this.#openIndex(interpreter);
    return this.#index;
  }

  /** The pages that were read in this run, if they are all that was asked. */
  async consulted(): Promise<readonly ConsultedPage[] | undefined> {
    return (await this.#index)?.consulted();
  }

  /** Whether nothing cached may be used or kept: --no-cache, or pip's no-cache-dir if online. */
  async avoidsCache(): Promise<boolean> {
    if (this.flags.cache === false || this.offline) return this.flags.cache === false;
    return (await this.pip()).noCache === true;
  }

  /** Addresses of the indexes, in their order, without credentials; places with links too. */
  async indexPlaces(interpreter: Interpreter): Promise<readonly string[]> {
    const { indexes, findLinks } = await this.#places(interpreter);
    return [...indexes, ...findLinks].map((place) => redactCredentials(place));
  }

  async #openIndex(interpreter: Interpreter): Promise<IndexClient> {
    const [{ openIndex }, options] = await Promise.all([
      import("../index/client.ts"),
      this.#indexOptions(interpreter),
    ]);
    this.#closeAtExit();
    return openIndex({ ...options, builder: this.builder(interpreter) });
  }

  async #places(interpreter: Interpreter): Promise<{
    readonly indexes: readonly string[];
    readonly findLinks: readonly string[];
  }> {
    const { resolver } = this.config.values;
    const pip = await this.pip();
    const noIndex = this.flags.index === false || resolver.no_index || pip.noIndex === true;
    const extra = [
      ...(this.flags["extra-index-url"] ?? []),
      ...resolver.extra_index_urls,
      ...(pip.extraIndexUrls ?? []),
    ];
    const main =
      this.flags["index-url"] ?? (resolver.index_url === "" ? undefined : resolver.index_url);
    return {
      indexes: noIndex
        ? []
        : [...extra, main ?? pip.indexUrl ?? (await this.#pipDefault(interpreter))],
      findLinks: [
        ...(this.flags["find-links"] ?? []),
        ...resolver.find_links.map((place) => this.#placeOf(place)),
        ...(pip.findLinks ?? []),
      ],
    };
  }

  async #indexOptions(interpreter: Interpreter): Promise<IndexOptions> {
    const { resolver, cache } = this.config.values;
    const pip = await this.pip();
    const { indexes, findLinks } = await this.#places(interpreter);
    return {
      indexes: indexes.map((url) => ({ url })),
      findLinks,
      cacheFolder: this.cacheFolder,
      offline: this.offline,
      concurrency: resolver.max_concurrent_requests,
      timeoutMs: (pip.timeoutSeconds ?? resolver.request_timeout) * 1000,
      retries: pip.retries ?? resolver.retries,
      ...(pip.cert === undefined ? {} : { ca: pip.cert }),
      ...(pip.clientCert === undefined ? {} : { clientCert: pip.clientCert }),
      ...(pip.proxy === undefined ? {} : { proxy: pip.proxy }),
      verifySsl: resolver.verify_ssl,
      trustedHosts: [
        ...(this.flags["trusted-host"] ?? []),
        ...resolver.trusted_hosts,
        ...(pip.trustedHosts ?? []),
      ],
      noCache: await this.avoidsCache(),
      refresh: this.flags.refresh === true,
      pageTtlSeconds: cache.ttl,
      keyring:
        pip.keyringProvider === "subprocess"
          ? "subprocess"
          : (resolver.keyring as "disabled" | "subprocess"),
      environment: this.environment,
      onWarning: (text, hint) => this.printer.warn(text, hint),
    };
  }

  #closeAtExit(): void {
    this.#atExit ??= beforeExit(() => this.close());
  }

  /** Ends what the engines still have open, when what they were given is written. */
  async close(): Promise<void> {
    this.#atExit?.[Symbol.dispose]();
    await (await this.#index)?.close();
    await (await this.#store)?.close();
  }

  async #pipDefault(interpreter: Interpreter): Promise<string> {
    const { defaultIndexUrl } = await import("./default-index.ts");
    return defaultIndexUrl(interpreter, this.cacheFolder);
  }

  /** Folders in blast.toml are relative to it. */
  #placeOf(place: string): string {
    return /^[a-z][a-z0-9+.-]*:/i.test(place) ? place : resolve(this.project.folder, place);
  }
}
