import type { Hashes } from "../resolve/port.ts";

/** A link of an index page, not yet looked into. */
export interface PageFile {
  readonly filename: string;
  /** Absolute, without credentials and fragment. */
  readonly url: string;
  readonly hashes: Hashes;
  readonly size?: number | undefined;
  readonly requiresPython?: string | undefined;
  readonly yanked: false | string;
  readonly uploadTime?: string | undefined;
  readonly metadata?: Hashes | true | undefined;
}

/** What a page says, in either of its forms. */
export interface ParsedPage {
  /** `1.1`; undefined where the page does not say. */
  readonly apiVersion: string | undefined;
  readonly files: readonly PageFile[];
}

const HASH_NAMES = new Set(["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b"]);

/** True for `sha256` and a text of hexadecimal digits. */
export function isHash(name: string, value: unknown): value is string {
  return HASH_NAMES.has(name) && typeof value === "string" && /^[0-9a-fA-F]{32,128}$/.test(value);
}

/** `sha256=abc…` as in fragments and attributes (PEP 503, PEP 658); {} if it is nothing such. */
export function parseHash(text: string): Hashes {
  if (text === "") return NO_HASHES;
  if (SHA256.test(text)) return { sha256: text.slice(7) };
  const split = text.indexOf("=");
  const name = text.slice(0, split).toLowerCase();
  const value = text.slice(split + 1);
  return split > 0 && isHash(name, value) ? { [name]: value.toLowerCase() } : {};
}

const NO_HASHES: Hashes = {};
const SHA256 = /^sha256=[0-9a-f]{64}$/;

/** An address of a page made absolute, in parts. */
export interface Link {
  /** Without credentials and fragment. */
  readonly url: string;
  /** Without `#`, percent-encoded as it stands. */
  readonly fragment: string;
}

/** Resolves the links of one page. */
export class LinkResolver {
  readonly #base: string;
  readonly #origin: string;
  readonly #isFile: boolean;

  /** @param base URL of the page, or what its base element says */
  constructor(base: string) {
    const url = new URL(base);
    this.#base = url.href;
    this.#origin = url.origin;
    this.#isFile = url.protocol === "file:";
  }

  /** A base element's address, seen from this page. */
  rebased(href: string): LinkResolver {
    const url = URL.parse(href, this.#base);
    return url !== null && this.#isAllowed(url) ? new LinkResolver(clean(url)) : this;
  }

  /** Undefined for what is no web address; a web page may not point into the file system. */
  resolve(href: string): Link | undefined {
    const hash = href.indexOf("#");
    const address = hash === -1 ? href : href.slice(0, hash);
    const fragment = hash === -1 ? "" : href.slice(hash + 1);
    // The two usual forms need no parser; pages have thousands of links.
    if (!address.includes("/.")) {
      if (PLAIN_ABSOLUTE.test(address)) return { url: address, fragment };
      if (!this.#isFile && PLAIN_ROOTED.test(address)) {
        return { url: this.#origin + address, fragment };
      }
    }
    const url = URL.parse(address, this.#base);
    return url !== null && this.#isAllowed(url) ? { url: clean(url), fragment } : undefined;
  }

  #isAllowed(url: URL): boolean {
    return /^https?:$/.test(url.protocol) || (this.#isFile && url.protocol === "file:");
  }
}

const PLAIN_ABSOLUTE = /^https?:\/\/[a-z0-9.-]+(?::\d+)?\/[\w.%+~!=/-]+$/;
const PLAIN_ROOTED = /^\/[\w.%+~!=-][\w.%+~!=/-]*$/;

function clean(url: URL): string {
  url.username = "";
  url.password = "";
  url.hash = "";
  return url.href;
}

/** The last part of a URL's path, decoded: the name of the file. */
export function filenameOf(url: string): string {
  const query = url.indexOf("?");
  const hash = url.indexOf("#");
  const end = query === -1 || (hash !== -1 && hash < query) ? hash : query;
  const path = end === -1 ? url : url.slice(0, end);
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!name.includes("%")) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** A file of this name can only be a wheel or an sdist of some version. */
export function isDistribution(filename: string): boolean {
  return (
    filename.endsWith(".whl") ||
    filename.endsWith(".tar.gz") ||
    /\.(whl|tar\.gz|zip|tgz|tar\.bz2|tar\.xz|tar)$/i.test(filename)
  );
}
