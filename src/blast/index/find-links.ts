/** Places with links to files of any project: folders and web pages (pip's --find-links). */

import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { reasonOf } from "../../kit/fault/reason.ts";
import { freshnessOf } from "../../kit/http/freshness.ts";
import type { Ticket } from "../../kit/http/limiter.ts";
import { fileUrlOf } from "../../kit/text/file-url.ts";
import type { PackageName } from "../pep/name.ts";
import type { MaybePromise, Project } from "../resolve/port.ts";
import { digestOf } from "./cache-names.ts";
import { decodePage, encodePage, pageInMemory } from "./digest.ts";
import { networkFault, offlineFault } from "./faults.ts";
import type { PageFile } from "./page-file.ts";
import { readPage } from "./page-reader.ts";
import type { PageContext } from "./page-store.ts";
import { groupByVersion, kindOf, projectNamesOf } from "./release-files.ts";

const PAGE_BYTES_MAX = 512 * 1024 * 1024;

/** One place. */
export class FindLinks {
  readonly #context: PageContext;
  /** A URL without credentials; of a folder with a slash at its end. */
  readonly place: string;
  #files: MaybePromise<ReadonlyMap<string, readonly PageFile[]>> | undefined;

  /** @param place a path, or a URL without credentials */
  constructor(place: string, context: PageContext) {
    this.#context = context;
    this.place = /^[a-z][a-z0-9+.-]+:\/\//i.test(place)
      ? place
      : fileUrlOf(resolve(expandHome(place, context)));
  }

  /** What the place has of a project; undefined if nothing. */
  project(name: PackageName, ticket: Ticket): MaybePromise<Project | undefined> {
    this.#files ??= this.#load(ticket);
    if (this.#files instanceof Promise) {
      return this.#files.then((files) => {
        // From now on it is at hand.
        this.#files = files;
        return this.#pick(files, name);
      });
    }
    return this.#pick(this.#files, name);
  }

  #pick(files: ReadonlyMap<string, readonly PageFile[]>, name: PackageName): Project | undefined {
    const releases = groupByVersion(name, files.get(name) ?? []);
    if (releases.length === 0) return undefined;
    const wanted = { index: this.place, name };
    return decodePage(pageInMemory(encodePage(wanted, releases)), wanted)?.project;
  }

  #load(ticket: Ticket): MaybePromise<ReadonlyMap<string, readonly PageFile[]>> {
    if (!this.place.startsWith("file:")) return this.#loadPage(ticket);
    const path = Bun.fileURLToPath(this.place);
    try {
      if (!statSync(path).isDirectory()) {
        const bytes = this.#context.cache.read(path)?.bytes ?? new Uint8Array();
        const answer = { url: this.place, contentType: "text/html", bytes };
        return byProject(readPage(answer, this.#context.warn).files);
      }
      return byProject(filesIn(path));
    } catch (error) {
      // As pip does it: a place that is gone is no reason to stop, its packages may be elsewhere.
      this.#context.warn(`Cannot look for packages in "${path}": ${reasonOf(error)}`);
      return new Map();
    }
  }

  async #loadPage(ticket: Ticket): Promise<ReadonlyMap<string, readonly PageFile[]>> {
    const { cache, http, noCache, now, offline, pageTtlSeconds, refresh } = this.#context;
    const path = cache.pathOf("links-v1", `${digestOf(this.place)}.json`);
    const entry = noCache ? undefined : cache.read(path);
    const kept = entry && parseKept(entry.bytes, this.place);
    const limitMs = kept?.freshMs ?? pageTtlSeconds * 1000;
    const isFresh = entry !== undefined && !refresh && now() - entry.writtenMs < limitMs;
    if (kept !== undefined && (offline || isFresh)) return byProject(kept.files);
    if (offline) throw offlineFault(`the page "${this.place}"`);
    const request = { url: this.place, headers: { Accept: "text/html, */*;q=0.1" } };
    try {
      return await http.perform(
        () => request,
        async (response) => {
          const bytes = await response.bytes(PAGE_BYTES_MAX);
          const contentType = response.headers.get("content-type");
          const { files } = readPage({ url: response.url, contentType, bytes }, this.#context.warn);
          const { freshMs, storable } = freshnessOf(response.headers);
          if (storable && !noCache) {
            const whole: KeptPage = { place: this.place, freshMs, files };
            cache.write(path, Buffer.from(JSON.stringify(whole)));
          }
          return byProject(files);
        },
        ticket,
      );
    } catch (error) {
      throw networkFault(error, `fetch the page "${this.place}"`);
    }
  }
}

interface KeptPage {
  readonly place: string;
  readonly freshMs?: number | undefined;
  readonly files: readonly PageFile[];
}

/** Written as a whole or not at all; a damaged one is fetched again. */
function parseKept(bytes: Buffer, place: string): KeptPage | undefined {
  try {
    const kept = JSON.parse(bytes.toString("utf8")) as KeptPage;
    return kept.place === place && Array.isArray(kept.files) ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** The wheels and sdists of a folder, by name; folders in it are not looked into. */
export function filesIn(folder: string): PageFile[] {
  const names = readdirSync(folder)
    .filter((name) => kindOf(name) !== undefined)
    .sort();
  return names.map((filename) => ({
    filename,
    url: fileUrlOf(join(folder, filename)),
    hashes: {},
    yanked: false,
  }));
}

function byProject(files: readonly PageFile[]): ReadonlyMap<string, readonly PageFile[]> {
  const projects = new Map<string, PageFile[]>();
  for (const file of files) {
    for (const name of projectNamesOf(file.filename)) {
      const known = projects.get(name);
      if (known === undefined) projects.set(name, [file]);
      else known.push(file);
    }
  }
  return projects;
}

function expandHome(place: string, context: PageContext): string {
  return place.startsWith("~/") ? `${context.home}${place.slice(1)}` : place;
}
