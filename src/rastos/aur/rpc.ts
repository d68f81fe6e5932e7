import { z } from "zod";
import { Fault } from "../../kit/fault/fault.ts";
import { sanitise } from "../../kit/fault/redact.ts";
import { HttpClient } from "../../kit/http/client.ts";
import { HttpFailure } from "../../kit/http/failure.ts";
import { Trust } from "../../kit/http/trust.ts";
import { versionInfo } from "../../kit/version.ts";
import { isPackageName } from "./names.ts";

const texts = z.array(z.string()).default([]);

/** A package as the AUR describes it (RPC version 5). Search leaves the lists empty. */
const aurPackage = z
  .object({
    Name: z.string().refine(isPackageName),
    PackageBase: z.string().refine(isPackageName),
    Version: z.string(),
    Description: z.string().nullish(),
    URL: z.string().nullish(),
    NumVotes: z.number().default(0),
    Popularity: z.number().default(0),
    OutOfDate: z.number().nullish(),
    Maintainer: z.string().nullish(),
    LastModified: z.number().default(0),
    Depends: texts,
    MakeDepends: texts,
    CheckDepends: texts,
    OptDepends: texts,
    Provides: texts,
    Conflicts: texts,
    License: texts,
    Keywords: texts,
  })
  .transform((raw) => ({
    name: raw.Name,
    base: raw.PackageBase,
    version: raw.Version,
    description: raw.Description ?? "",
    url: raw.URL ?? "",
    votes: raw.NumVotes,
    popularity: raw.Popularity,
    /** Seconds since 1970, where somebody has flagged it. */
    outOfDate: raw.OutOfDate ?? undefined,
    /** Undefined: nobody looks after it. */
    maintainer: raw.Maintainer ?? undefined,
    /** Seconds since 1970. */
    lastModified: raw.LastModified,
    depends: raw.Depends,
    makedepends: raw.MakeDepends,
    checkdepends: raw.CheckDepends,
    optdepends: raw.OptDepends,
    provides: raw.Provides,
    conflicts: raw.Conflicts,
    licenses: raw.License,
    keywords: raw.Keywords,
  }));

/** @see {@link aurPackage} */
export type AurPackage = Readonly<z.output<typeof aurPackage>>;

const answer = z.object({
  type: z.string(),
  error: z.string().optional(),
  results: z.array(z.unknown()).default([]),
});

/** By what a search goes; `provides` finds what stands in for a name. */
export const SEARCH_FIELDS = [
  "name-desc",
  "name",
  "maintainer",
  "depends",
  "makedepends",
  "provides",
  "keywords",
] as const;

/** @see {@link SEARCH_FIELDS} */
export type SearchField = (typeof SEARCH_FIELDS)[number];

/** The server takes addresses up to some 8,000 characters; proxies on the way may take fewer. */
const URL_CHARACTERS_MAX = 4000;
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** Asks the AUR what it has. */
export class AurRpc {
  readonly #address: string;
  readonly #http: HttpClient;

  /** @param address without a slash at its end: `https://aur.archlinux.org` */
  constructor(address: string, environment: Readonly<Record<string, string | undefined>>) {
    this.#address = address;
    this.#http = new HttpClient({
      concurrency: 4,
      retries: 3,
      timeoutMs: 30_000,
      environment,
      userAgent: `triad/${versionInfo().version} (rastos)`,
      trust: new Trust({ verifySsl: true, trustedHosts: [], environment }),
    });
  }

  /**
   * What is known of these names; those that do not exist are left out.
   *
   * @throws {Fault} E_NETWORK
   */
  async info(names: readonly string[]): Promise<AurPackage[]> {
    const found: AurPackage[] = [];
    for (const batch of batches(names)) {
      found.push(...(await this.#ask(`/rpc/v5/info?${batch}`)));
    }
    return found;
  }

  /**
   * Packages by a word of at least two characters.
   *
   * @throws {Fault} E_NETWORK, also when the server finds too many
   */
  async search(word: string, by: SearchField = "name-desc"): Promise<AurPackage[]> {
    return await this.#ask(`/rpc/v5/search/${encodeURIComponent(word)}?by=${by}`);
  }

  /** Names that begin like this, at most 20. @throws {Fault} E_NETWORK */
  async suggest(prefix: string): Promise<string[]> {
    const path = `/rpc/v5/suggest/${encodeURIComponent(prefix)}`;
    const names = z.array(z.string()).safeParse(await this.#get(path));
    if (!names.success) throw this.#strange();
    return names.data.filter(isPackageName);
  }

  async #ask(path: string): Promise<AurPackage[]> {
    const parsed = answer.safeParse(await this.#get(path));
    if (!parsed.success) throw this.#strange();
    const { type, error, results } = parsed.data;
    if (type === "error") {
      throw new Fault({
        code: "E_NETWORK",
        message: `The AUR refuses to answer: ${sanitise(error ?? "it does not say why")}`,
      });
    }
    const packages = z.array(aurPackage).safeParse(results);
    if (!packages.success) throw this.#strange();
    return packages.data;
  }

  async #get(path: string): Promise<unknown> {
    const request = { url: this.#address + path, accept: [400, 404, 429] };
    let bytes: Uint8Array;
    try {
      bytes = await this.#http.perform(
        () => request,
        (response) => response.bytes(ANSWER_BYTES_MAX),
      );
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      throw new Fault({
        code: "E_NETWORK",
        message: `Cannot ask the AUR at "${this.#address}": ${error.message}`,
        hint: "check the network; TRIAD_AUR_URL names another address",
      });
    }
    try {
      return JSON.parse(Buffer.from(bytes).toString("utf8"));
    } catch {
      throw this.#strange();
    }
  }

  #strange(): Fault {
    return new Fault({
      code: "E_NETWORK",
      message: `Cannot understand the answer of the AUR at "${this.#address}"`,
      hint: "a proxy or a login page may have answered in its place",
    });
  }
}

/** `arg[]=a&arg[]=b`, in as few pieces as fit. */
function batches(names: readonly string[]): string[] {
  const all: string[] = [];
  for (const name of names) {
    const part = `arg%5B%5D=${encodeURIComponent(name)}`;
    const last = all.at(-1);
    if (last !== undefined && last.length + part.length < URL_CHARACTERS_MAX) {
      all[all.length - 1] = `${last}&${part}`;
    } else all.push(part);
  }
  return all;
}
