/** What files say of themselves, by the cheapest way that the server offers. */
import { Fault } from "../../kit/fault/fault.ts";
import { HttpFailure } from "../../kit/http/failure.ts";
import type { Ticket } from "../../kit/http/limiter.ts";
import { PepError } from "../pep/error.ts";
import { parseCoreMetadata } from "../pep/metadata.ts";
import { compareVersions, tryParseVersion } from "../pep/version.ts";
import type { CoreMetadata, IndexFile, MaybePromise } from "../resolve/port.ts";
import { digestOf } from "./cache-names.ts";
import type { Downloads, WantedFile } from "./downloads.ts";
import { hashFault, networkFault, offlineFault } from "./faults.ts";
import { mismatchOf } from "./file-hashes.ts";
import { MetadataCache, metadataVersionOf, reduceMetadata } from "./metadata-cache.ts";
import type { MetadataBuilder } from "./options.ts";
import type { PageContext } from "./page-store.ts";
import { projectNamesOf, versionTextOf } from "./release-files.ts";

/** Tries; more is no accident. */
const ATTEMPTS_MAX = 5;

const METADATA_BYTES_MAX = 64 * 1024 * 1024;

/** @see PEP 658, 714, 427, 643 */
export class MetadataStore {
  readonly #context: PageContext;
  readonly #downloads: Downloads;
  readonly #builder: MetadataBuilder | undefined;
  readonly #caches = new Map<string, MetadataCache>();
  /** Servers that are not worth asking for ranges, by origin. */
  readonly #rangeless = new Set<string>();
  /** What this run has read, by the keys of files. */
  readonly #told = new Map<string, string>();

  constructor(context: PageContext, downloads: Downloads, builder: MetadataBuilder | undefined) {
    this.#context = context;
    this.#downloads = downloads;
    this.#builder = builder;
  }

  /**
   * @throws {Fault} E_NETWORK; E_INTEGRITY for what has another hash, name or version than was
   *   said, or is of no use (`details.metadata` is true then); E_BUILD
   */
  metadata(file: IndexFile, ticket: Ticket): MaybePromise<CoreMetadata> {
    const kept = this.#kept(file);
    return kept === undefined ? this.#fetch(file, ticket) : readMetadata(kept, file);
  }

  /** What the index says of a file, as the resolver has read it; undefined if it was not asked. */
  told(file: IndexFile): string | undefined {
    const key = keyOf(file);
    const fresh = this.#told.get(key);
    if (fresh !== undefined) return fresh;
    return this.#context.noCache ? undefined : this.#cache(file).get(projectOf(file), key)?.text;
  }

  #kept(file: IndexFile): string | undefined {
    if (this.#context.noCache || file.url.startsWith("file:")) return undefined;
    const cache = this.#cache(file);
    const name = projectOf(file);
    const found = cache.get(name, keyOf(file)) ?? this.#keptBuild(cache, name, file);
    if (found === undefined) return undefined;
    // Without a hash, the file may be another one by now.
    const { now, offline, pageTtlSeconds } = this.#context;
    const isFresh = now() - found.writtenMs < pageTtlSeconds * 1000;
    return isImmutable(file) || offline || isFresh ? found.text : undefined;
  }

  #keptBuild(
    cache: MetadataCache,
    name: string,
    file: IndexFile,
  ): ReturnType<MetadataCache["get"]> {
    if (file.kind === "wheel" || this.#builder === undefined) return undefined;
    return cache.get(name, `${keyOf(file)}+${digestOf(this.#builder.cacheKey)}`);
  }

  async #fetch(file: IndexFile, ticket: Ticket): Promise<CoreMetadata> {
    const { text, isBuilt } = await this.#text(file, ticket);
    const reduced = reduceMetadata(text);
    const metadata = readMetadata(reduced, file);
    this.#told.set(keyOf(file), reduced);
    if (!this.#context.noCache && !file.url.startsWith("file:")) {
      const suffix = isBuilt ? `+${digestOf(this.#builder?.cacheKey ?? "")}` : "";
      const key = keyOf(file) + suffix;
      this.#cache(file).add(projectOf(file), key, reduced, this.#context.now());
    }
    return metadata;
  }

  async #text(file: IndexFile, ticket: Ticket): Promise<{ text: string; isBuilt: boolean }> {
    const isLocal = file.url.startsWith("file:");
    if (!isLocal && this.#downloads.find(file) === undefined) {
      if (this.#context.offline) throw offlineFault(`the metadata of "${file.filename}"`);
      const own = file.metadata === undefined ? undefined : await this.#ownFile(file, ticket);
      const text = own ?? (await this.#byRanges(file, ticket));
      if (text !== undefined) return { text, isBuilt: false };
    }
    const { path, text } = await this.#fromWhole(file, ticket);
    if (text !== undefined) return { text, isBuilt: false };
    if (this.#builder === undefined) throw buildFault(file);
    return { text: await this.#builder.buildMetadata(file, path), isBuilt: true };
  }

  /** Out of the whole file. Another process may let go of it first: then it is fetched again. */
  async #fromWhole(
    file: IndexFile,
    ticket: Ticket,
  ): Promise<{ readonly path: string; readonly text: string | undefined }> {
    for (let attempt = 1; ; attempt += 1) {
      const { path } = await this.#downloads.fetch(file, ticket);
      try {
        return { path, text: await readArchive(path, file) };
      } catch (error) {
        const isLost = (error as NodeJS.ErrnoException).code === "ENOENT";
        if (!isLost || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** The file beside the file; undefined when it is not there after all. */
  async #ownFile(file: IndexFile, ticket: Ticket): Promise<string | undefined> {
    const url = new URL(file.url);
    url.pathname += ".metadata";
    const request = { url: url.href, accept: [404, 410] };
    try {
      return await this.#context.http.perform(
        () => request,
        async (response) => {
          if (response.status === 404 || response.status === 410) {
            await response.discard();
            return undefined;
          }
          const bytes = await response.bytes(METADATA_BYTES_MAX);
          const expected = file.metadata === true ? undefined : file.metadata;
          const wrong = expected === undefined ? undefined : mismatchOf(bytes, expected);
          if (wrong !== undefined) {
            const what = `the metadata of "${file.filename}"`;
            throw hashFault(what, wrong.name, wrong.expected, wrong.got, url.host);
          }
          return new TextDecoder().decode(bytes);
        },
        ticket,
      );
    } catch (error) {
      throw networkFault(error, `fetch the metadata of "${file.filename}"`);
    }
  }

  /** Out of the wheel on the server; undefined when that is not to be had. */
  async #byRanges(file: IndexFile, ticket: Ticket): Promise<string | undefined> {
    const { origin } = new URL(file.url);
    if (file.kind !== "wheel" || this.#rangeless.has(origin)) return undefined;
    const { NoRanges, RemoteArchive } = await import("./remote-wheel.ts");
    const { openRemoteZip, readRemoteMember } = await import("../wheel/zip.ts");
    const { filename, size, url } = file;
    try {
      const place = { url, filename, ...(size === undefined ? {} : { sizeBytes: size }) };
      const archive = await RemoteArchive.open(this.#context.http, place, ticket);
      const { members } = await openRemoteZip(archive);
      const wanted = members.find(({ path }) => isMetadataOf(path, file));
      if (wanted === undefined) return undefined;
      return new TextDecoder().decode(await readRemoteMember(archive, wanted));
    } catch (error) {
      // Whatever is wrong, the whole file tells it best; a server without ranges is remembered.
      if (error instanceof NoRanges) this.#rangeless.add(origin);
      else if (!(error instanceof Fault || isRefusal(error))) {
        throw networkFault(error, `fetch the metadata of "${filename}"`);
      }
      return undefined;
    }
  }

  #cache(file: IndexFile): MetadataCache {
    let cache = this.#caches.get(file.index);
    if (cache === undefined) {
      const folder = this.#context.cache.pathOf("metadata-v1", digestOf(file.index));
      const { cache: files, desk } = this.#context;
      cache = new MetadataCache(files, folder, (path, text) => desk.append(path, text));
      this.#caches.set(file.index, cache);
    }
    return cache;
  }
}

/**
 * The METADATA of a wheel or, where it may be relied on, the PKG-INFO of an sdist.
 *
 * @returns undefined for an sdist that has to be built
 * @throws {Fault} E_INTEGRITY
 */
export async function readArchive(
  path: string,
  file: Pick<WantedFile, "filename"> & { readonly kind: "wheel" | "sdist" },
): Promise<string | undefined> {
  const { readSdistInfo, readZipMember } = await import("./sdist-info.ts");
  if (file.kind === "sdist") {
    const text = await readSdistInfo(path, file.filename);
    return text !== undefined && isStatic(text) ? text : undefined;
  }
  const text = await readZipMember(path, file.filename, (name) => isMetadataOf(name, file));
  if (text === undefined) throw metadataFault(file.filename, "there is no METADATA in it");
  return text;
}

/** PEP 643: from version 2.2 on, what is not named as dynamic is what a build will say. */
function isStatic(text: string): boolean {
  const reduced = reduceMetadata(text);
  if (metadataVersionOf(reduced) < 2.02) return false;
  return !/^dynamic[ \t]*:[ \t]*(requires-dist|requires-python|provides-extra)[ \t]*$/im.test(
    reduced,
  );
}

/** `Foo_Bar-1.0.dist-info/METADATA` in the wheel of foo-bar 1.0 (PEP 427), however it is spelt. */
function isMetadataOf(path: string, file: Pick<WantedFile, "filename">): boolean {
  const match = /^([^/]+)\.dist-info\/METADATA$/.exec(path);
  if (match === null) return false;
  const [name = "", version = ""] = file.filename.split("-");
  const [ownName = "", ownVersion = ""] = (match[1] ?? "").split("-");
  const fold = (text: string): string => text.toLowerCase().replace(/[-_.]+/g, "-");
  if (fold(name) !== fold(ownName)) return false;
  const [a, b] = [tryParseVersion(version), tryParseVersion(ownVersion)];
  return a === undefined || b === undefined ? version === ownVersion : compareVersions(a, b) === 0;
}

/** Reads it, and compares it with what the name of the file promises. */
function readMetadata(text: string, file: IndexFile): CoreMetadata {
  let metadata: CoreMetadata;
  try {
    metadata = parseCoreMetadata(text);
  } catch (error) {
    if (error instanceof PepError) throw metadataFault(file.filename, error.message);
    throw error;
  }
  const promised = versionTextOf(file.filename, metadata.name);
  if (promised === undefined) {
    throw metadataFault(file.filename, `it is of "${metadata.name}"`);
  }
  const version = tryParseVersion(promised);
  if (version !== undefined && compareVersions(version, metadata.version) !== 0) {
    throw metadataFault(file.filename, `it is of version "${metadata.version}"`);
  }
  return metadata;
}

function projectOf(file: IndexFile): string {
  return projectNamesOf(file.filename)[0] ?? "unnamed";
}

/** Of the content where a hash tells it, else of the place. */
function keyOf(file: IndexFile): string {
  for (const name of ["sha256", "sha512", "sha384"]) {
    const hash = file.hashes[name];
    if (hash !== undefined) return `${name}:${hash}`;
  }
  const parts = [file.url, file.size, file.uploadTime, JSON.stringify(file.hashes)];
  return `url:${digestOf(parts.join(" "))}`;
}

function isImmutable(file: IndexFile): boolean {
  return Object.keys(file.hashes).some((name) => name !== "md5" && name !== "sha1");
}

/** The server has something against the request, not against who makes it. */
function isRefusal(error: unknown): boolean {
  return error instanceof HttpFailure && error.kind === "status";
}

function metadataFault(filename: string, reason: string): Fault {
  return new Fault({
    code: "E_INTEGRITY",
    message: `Cannot use the metadata of "${filename}": ${reason}`,
    details: { metadata: true, filename, reason },
  });
}

function buildFault(file: IndexFile): Fault {
  return new Fault({
    code: "E_BUILD",
    message: `Cannot tell what "${file.filename}" requires without building it`,
    details: { filename: file.filename },
  });
}
