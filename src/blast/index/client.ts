/** The door to package indexes: pages, metadata and files, as the resolver and installer ask. */
import { homedir } from "node:os";
import { Fault } from "../../kit/fault/fault.ts";
import { HttpClient } from "../../kit/http/client.ts";
import type { Ticket } from "../../kit/http/limiter.ts";
import { Trust } from "../../kit/http/trust.ts";
import { versionInfo } from "../../kit/version.ts";
import type { PackageName } from "../pep/name.ts";
import { ports } from "../ports.ts";
import type {
  CoreMetadata,
  DirectSource,
  IndexFile,
  MaybePromise,
  PackageIndex,
  Project,
} from "../resolve/port.ts";
import { CacheFolder } from "./cache-folder.ts";
import type { ConsultedPage } from "./consulted.ts";
import { Credentials, splitCredentials } from "./credentials.ts";
import type { DirectAnswer } from "./direct.ts";
import type { Download, OnBytes, WantedFile } from "./downloads.ts";
import { Downloads } from "./downloads.ts";
import { FindLinks } from "./find-links.ts";
import { FolderIndex } from "./folder-index.ts";
import { mergeProjects } from "./merged-project.ts";
import { MetadataStore } from "./metadata-store.ts";
import type { IndexOptions } from "./options.ts";
import { PageDesk } from "./page-desk.ts";
import type { PageContext } from "./page-store.ts";
import { PageStore } from "./page-store.ts";

/** Indexes and find-links places, as one. */
export interface IndexClient extends PackageIndex {
  /**
   * A file, checked against its hashes; local files stay where they are.
   *
   * @throws {Fault} E_NETWORK, E_INTEGRITY, E_NO_SPACE, E_IO, E_NOT_FOUND
   */
  download(file: WantedFile, options?: { readonly onBytes?: OnBytes }): Promise<Download>;
  /**
   * The header fields of a file's METADATA that decide a resolution, as the index tells them apart
   * from the file (PEP 658): the file's own have to be the same.
   */
  metadataText(file: IndexFile): string | undefined;
  /**
   * The pages that all answers until now came from; undefined where something else was asked as
   * well, or nothing is kept: then nobody can tell whether the answers would be the same again.
   */
  consulted(): readonly ConsultedPage[] | undefined;
  /** Breaks off what is still going on. The client cannot be used afterwards. */
  close(): Promise<void>;
}

/** Opens the indexes; nothing is read or asked before something is wanted. */
export function openIndex(options: IndexOptions): IndexClient {
  return new Client(options);
}

/** Something that was asked for, and perhaps has come. */
interface Asked<T> {
  readonly ticket: Ticket;
  value: MaybePromise<T>;
}

class Client implements IndexClient {
  readonly #http: HttpClient;
  readonly #indexes: readonly (PageStore | FolderIndex)[];
  readonly #findLinks: readonly FindLinks[];
  readonly #downloads: Downloads;
  readonly #metadata: MetadataStore;
  readonly #credentials: Credentials;
  readonly #cache: CacheFolder;
  readonly #desk: PageDesk;
  readonly #options: IndexOptions;
  readonly #projects = new Map<PackageName, Asked<Project | undefined>>();
  readonly #asked = new Map<string, Asked<CoreMetadata>>();
  readonly #directs = new Map<string, Promise<DirectAnswer>>();

  constructor(options: IndexOptions) {
    this.#options = options;
    const warn = warnOnce(options.onWarning);
    this.#credentials = new Credentials(options.environment, options.keyring);
    this.#http = httpClient(options, this.#credentials);
    this.#cache = new CacheFolder(options.cacheFolder, warn);
    const { cacheFolder } = options;
    const { createPageWorker: createWorker } = ports;
    this.#desk = new PageDesk({ cache: this.#cache, cacheFolder, warn, createWorker });
    const context: PageContext = {
      http: this.#http,
      warn,
      cache: this.#cache,
      desk: this.#desk,
      offline: options.offline,
      noCache: options.noCache,
      refresh: options.refresh ?? false,
      pageTtlSeconds: options.pageTtlSeconds,
      now: options.now ?? Date.now,
      home: options.environment["HOME"] || homedir(),
    };
    this.#indexes = options.indexes.map(({ name, url }) => {
      const place = folderUrl(this.#credentials.add(url, name));
      return place.startsWith("file:")
        ? new FolderIndex(place, context)
        : new PageStore(place, context);
    });
    this.#findLinks = options.findLinks.map((place) => {
      return new FindLinks(this.#credentials.add(place), context);
    });
    this.#downloads = new Downloads(context);
    this.#metadata = new MetadataStore(context, this.#downloads, options.builder);
  }

  project(name: PackageName): MaybePromise<Project | undefined> {
    const asked = this.#projects.get(name) ?? this.#askProject(name, { urgent: true });
    asked.ticket.urgent = true;
    return asked.value;
  }

  metadata(file: IndexFile): MaybePromise<CoreMetadata> {
    const asked = this.#asked.get(keyOf(file)) ?? this.#askMetadata(file, { urgent: true });
    asked.ticket.urgent = true;
    return asked.value;
  }

  prefetch(names: readonly PackageName[]): void {
    for (const name of names) {
      if (!this.#projects.has(name)) attempt(() => this.#askProject(name, { urgent: false }));
    }
  }

  prefetchMetadata(file: IndexFile): void {
    if (this.#asked.has(keyOf(file))) return;
    attempt(() => this.#askMetadata(file, { urgent: false }));
  }

  direct(source: DirectSource): Promise<DirectAnswer> {
    const key = JSON.stringify(source);
    let answer = this.#directs.get(key);
    if (answer === undefined) {
      answer = this.#direct(source);
      this.#directs.set(key, answer);
    }
    return answer;
  }

  download(file: WantedFile, options: { readonly onBytes?: OnBytes } = {}): Promise<Download> {
    // Without credentials of its own, those of the index that it belongs to are the right ones.
    const split = splitCredentials(file.url);
    const isOpen = split.username === undefined && split.password === undefined;
    const url = isOpen ? split.url : this.#credentials.add(file.url);
    return this.#downloads.fetch({ ...file, url }, { urgent: true }, options.onBytes);
  }

  metadataText(file: IndexFile): string | undefined {
    return this.#metadata.told(file);
  }

  consulted(): readonly ConsultedPage[] | undefined {
    const { noCache, refresh } = this.#options;
    if (noCache || refresh === true || this.#findLinks.length > 0) return undefined;
    if (this.#directs.size > 0) return undefined;
    const all: ConsultedPage[] = [];
    for (const index of this.#indexes) {
      const pages = index instanceof PageStore ? index.consulted() : undefined;
      if (pages === undefined) return undefined;
      all.push(...pages);
    }
    return all;
  }

  async close(): Promise<void> {
    this.#http.close();
    this.#downloads.close();
    await this.#desk.close();
    this.#cache.close();
  }

  async #direct(source: DirectSource): Promise<DirectAnswer> {
    const { askDirect } = await import("./direct.ts");
    return await askDirect(source, {
      download: (file) => this.download(file),
      builder: this.#options.builder,
    });
  }

  #askProject(name: PackageName, ticket: Ticket): Asked<Project | undefined> {
    return remember(this.#projects, name, ticket, this.#findProject(name, ticket));
  }

  #askMetadata(file: IndexFile, ticket: Ticket): Asked<CoreMetadata> {
    return remember(this.#asked, keyOf(file), ticket, this.#metadata.metadata(file, ticket));
  }

  /** Find-links places add to what the first index has that knows the name. */
  #findProject(name: PackageName, ticket: Ticket): MaybePromise<Project | undefined> {
    const found: MaybePromise<Project | undefined>[] = [];
    for (const place of this.#findLinks) found.push(place.project(name, ticket));
    found.push(this.#firstIndex(name, 0, ticket));
    const isHere = !found.some((value) => value instanceof Promise);
    return isHere
      ? mergeProjects((found as (Project | undefined)[]).filter(isThere))
      : Promise.all(found).then((all) => mergeProjects(all.filter(isThere)));
  }

  /**
   * The answer of the first index that knows the name. The next one is not even asked before the
   * one before has said no: an index that refuses or fails may have the name, and a private name
   * is nobody else's business.
   */
  #firstIndex(name: PackageName, from: number, ticket: Ticket): MaybePromise<Project | undefined> {
    for (let index = from; index < this.#indexes.length; index += 1) {
      const answer = this.#indexes[index]?.project(name, ticket);
      if (answer instanceof Promise) {
        return answer.then((project) => project ?? this.#firstIndex(name, index + 1, ticket));
      }
      if (answer !== undefined) return answer;
    }
    return undefined;
  }
}

function remember<Key, T>(
  all: Map<Key, Asked<T>>,
  key: Key,
  ticket: Ticket,
  value: MaybePromise<T>,
): Asked<T> {
  const asked: Asked<T> = { ticket, value };
  all.set(key, asked);
  if (value instanceof Promise) {
    // Once it is there, it is there at once. A failure is told to whoever asks.
    value.then(
      (there) => {
        asked.value = there;
      },
      () => undefined,
    );
  }
  return asked;
}

function keyOf(file: IndexFile): string {
  return file.url;
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** What fails when it is only fetched ahead fails again, and aloud, when it is wanted. */
function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
}

function folderUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^(https?|file):$/.test(url.protocol)) {
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot use "${text}" as an index: it is no http, https or file URL`,
    });
  }
  url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url.href;
}

function warnOnce(tell: IndexOptions["onWarning"]): PageContext["warn"] {
  const told = new Set<string>();
  return (text, hint) => {
    if (told.has(text)) return;
    told.add(text);
    tell?.(text, hint);
  };
}

function httpClient(options: IndexOptions, authority: Credentials): HttpClient {
  const { ca, clientCert, environment, proxy, sleep, trustedHosts, verifySsl } = options;
  const { concurrency, retries, timeoutMs } = options;
  return new HttpClient({
    concurrency,
    retries,
    timeoutMs,
    environment,
    authority,
    userAgent: `triad/${versionInfo().version} (blast)`,
    trust: new Trust({ ca, clientCert, verifySsl, trustedHosts, environment }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(sleep === undefined ? {} : { sleep }),
  });
}
