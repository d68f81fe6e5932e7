/** The pages of one index: from the cache while they are fresh, else from the server. */
import type { HttpResponse } from "../../kit/http/body.ts";
import type { HttpClient } from "../../kit/http/client.ts";
import type { Freshness } from "../../kit/http/freshness.ts";
import { freshnessOf } from "../../kit/http/freshness.ts";
import type { Ticket } from "../../kit/http/limiter.ts";
import type { PackageName } from "../pep/name.ts";
import type { MaybePromise, Project } from "../resolve/port.ts";
import type { CacheFolder } from "./cache-folder.ts";
import { digestOf, fileNameOf } from "./cache-names.ts";
import { type ConsultedPage, isYoung } from "./consulted.ts";
import type { DecodedPage, PageBytes, PageHead } from "./digest.ts";
import { decodePage, pageInMemory, replaceHead } from "./digest.ts";
import { networkFault, offlineFault } from "./faults.ts";
import type { PageDesk } from "./page-desk.ts";
import { PAGE_ACCEPT, type PageAnswer } from "./page-reader.ts";

/** What the stores of one client share. */
export interface PageContext {
  readonly http: HttpClient;
  readonly cache: CacheFolder;
  readonly desk: PageDesk;
  readonly offline: boolean;
  readonly noCache: boolean;
  readonly refresh: boolean;
  readonly pageTtlSeconds: number;
  readonly now: () => number;
  readonly warn: (text: string, hint?: string) => void;
  /** Of the user. */
  readonly home: string;
}

const PAGE_BYTES_MAX = 512 * 1024 * 1024;
/** That a name is unknown is forgotten sooner than what is known: somebody may just upload it. */
const MISSING_TTL_SECONDS_MAX = 600;

interface Kept extends DecodedPage {
  readonly bytes: PageBytes;
  readonly writtenMs: number;
  readonly stamp: string;
}

/** @see PEP 503 for the addresses, PEP 691 for the forms */
export class PageStore {
  readonly #context: PageContext;
  /** With a slash at its end, without credentials. */
  readonly index: string;
  readonly #folder: string;
  readonly #consulted = new Map<PackageName, ConsultedPage | undefined>();

  constructor(index: string, context: PageContext) {
    this.index = index;
    this.#context = context;
    this.#folder = context.cache.pathOf("pages-v1", digestOf(index));
  }

  /**
   * A project's page; undefined if the index does not know the name.
   *
   * @throws {Fault} E_NETWORK
   */
  project(name: PackageName, ticket: Ticket): MaybePromise<Project | undefined> {
    const { noCache, offline } = this.#context;
    const kept = noCache ? undefined : this.#read(name);
    if (kept !== undefined && (offline || this.#isFresh(kept))) {
      this.#note(name, kept.head, kept.stamp);
      return projectIn(kept);
    }
    if (offline) throw offlineFault(`the page of "${name}"`);
    return this.#fetch(name, kept, ticket);
  }

  #read(name: PackageName): Kept | undefined {
    const bytes = this.#context.cache.open(this.#path(name));
    if (bytes === undefined) return undefined;
    const page = decodePage(bytes, { index: this.index, name });
    if (page === undefined) return undefined;
    return { ...page, bytes, writtenMs: bytes.writtenMs, stamp: bytes.stamp };
  }

  /** The pages that were read until now; undefined if one of them is not in the cache. */
  consulted(): readonly ConsultedPage[] | undefined {
    const pages = [...this.#consulted.values()];
    return pages.every((page) => page !== undefined) ? pages : undefined;
  }

  #note(name: PackageName, head: PageHead, stamp: string | undefined): void {
    const limitMs = this.#limitMs(head);
    const path = this.#path(name);
    this.#consulted.set(name, stamp === undefined ? undefined : { path, limitMs, stamp });
  }

  #isFresh({ head, writtenMs }: Kept): boolean {
    const { now, refresh } = this.#context;
    return !refresh && isYoung(now() - writtenMs, this.#limitMs(head));
  }

  #limitMs(head: PageHead): number {
    const ttlMs = head.freshMs ?? this.#context.pageTtlSeconds * 1000;
    return head.missing ? Math.min(ttlMs, MISSING_TTL_SECONDS_MAX * 1000) : ttlMs;
  }

  async #fetch(
    name: PackageName,
    kept: Kept | undefined,
    ticket: Ticket,
  ): Promise<Project | undefined> {
    const { desk, http } = this.#context;
    const request = {
      url: `${this.index}${name}/`,
      headers: { Accept: PAGE_ACCEPT, ...validators(kept?.head) },
      accept: kept === undefined ? [404, 410] : [304, 404, 410],
    };
    try {
      return await http.perform(
        () => request,
        async (response) => {
          const freshness = freshnessOf(response.headers);
          if (response.status === 304 && kept !== undefined) {
            await response.discard();
            return this.#confirm(name, kept, freshness);
          }
          const isMissing = response.status === 404 || response.status === 410;
          if (isMissing) await response.discard();
          const answer = isMissing ? undefined : await answerOf(response);
          const head = this.#head(name, freshness, isMissing);
          const path = this.#isKept(freshness) ? this.#path(name) : undefined;
          const { bytes, stamp } = await desk.make({ head, answer, path });
          this.#note(name, head, stamp);
          const page = pageInMemory(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
          return projectIn(decodePage(page, { index: this.index, name }));
        },
        ticket,
      );
    } catch (error) {
      throw networkFault(error, `fetch the page of "${name}"`);
    }
  }

  /** The server says that nothing has changed. */
  #confirm(name: PackageName, kept: Kept, freshness: Freshness): Project | undefined {
    const { cache, noCache, now } = this.#context;
    // Mostly the same time once more, and then the file need not be written again.
    const { freshMs } = freshness;
    if (freshMs === undefined || freshMs === kept.head.freshMs) {
      if (!noCache) cache.touch(this.#path(name), now());
      this.#note(name, kept.head, kept.stamp);
    } else {
      const whole = replaceHead(kept.bytes.read(0, kept.bytes.sizeBytes), { freshMs });
      const isKept = this.#isKept(freshness);
      const stamp = isKept ? cache.write(this.#path(name), whole) : undefined;
      this.#note(name, { ...kept.head, freshMs }, stamp);
    }
    return projectIn(kept);
  }

  #head(name: PackageName, freshness: Freshness, isMissing: boolean): PageHead {
    const { etag, freshMs, lastModified } = freshness;
    return {
      index: this.index,
      name,
      ...(freshMs === undefined ? {} : { freshMs }),
      ...(etag === undefined ? {} : { etag }),
      ...(lastModified === undefined ? {} : { lastModified }),
      ...(isMissing ? { missing: true } : {}),
    };
  }

  #isKept({ storable }: Freshness): boolean {
    return storable && !this.#context.noCache;
  }

  #path(name: PackageName): string {
    return `${this.#folder}/${fileNameOf(name)}.page`;
  }
}

async function answerOf(response: HttpResponse): Promise<PageAnswer> {
  const bytes = await response.bytes(PAGE_BYTES_MAX);
  return { url: response.url, contentType: response.headers.get("content-type"), bytes };
}

function validators(head: PageHead | undefined): Record<string, string> {
  return {
    ...(head?.etag === undefined ? {} : { "If-None-Match": head.etag }),
    ...(head?.lastModified === undefined ? {} : { "If-Modified-Since": head.lastModified }),
  };
}

function projectIn(page: DecodedPage | undefined): Project | undefined {
  return page?.head.missing === true ? undefined : page?.project;
}
