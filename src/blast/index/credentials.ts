/**
 * Who may see what: credentials from URLs, the environment, netrc and keyring. They are kept here,
 * and only here; addresses everywhere else are without them.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import type { Authority } from "../../kit/http/client.ts";
import type { Login } from "../../kit/http/netrc.ts";
import { Netrc } from "../../kit/http/netrc.ts";
import { askKeyring } from "./keyring.ts";

type Environment = Readonly<Record<string, string | undefined>>;

interface Realm {
  readonly url: URL;
  readonly username: string | undefined;
  password: string | undefined;
  /** The keyring has been asked. */
  isAsked: boolean;
}

/** A URL, and what it said about its user. */
export interface SplitUrl {
  readonly url: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Takes the credentials out of a URL; a text that is no URL comes back as it is. */
export function splitCredentials(text: string): SplitUrl {
  const url = URL.parse(text);
  if (url === null) return { url: text, username: undefined, password: undefined };
  const username = decode(url.username);
  const password = decode(url.password);
  if (username === undefined && password === undefined)
    return { url: url.href, username, password };
  url.username = "";
  url.password = "";
  return { url: url.href, username, password };
}

function decode(text: string): string | undefined {
  if (text === "") return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @see {@link Authority} */
export class Credentials implements Authority {
  readonly #environment: Environment;
  readonly #usesKeyring: boolean;
  readonly #realms: Realm[] = [];
  #netrc: Netrc | undefined;

  constructor(environment: Environment, keyring: "disabled" | "subprocess") {
    this.#environment = environment;
    this.#usesKeyring = keyring === "subprocess";
  }

  /** Learns what a URL and the environment know of a place. @returns the URL without credentials */
  add(text: string, name?: string): string {
    const { url, username, password } = splitCredentials(text);
    const parsed = URL.parse(url);
    if (parsed === null || !/^https?:$/.test(parsed.protocol)) return url;
    const told = name === undefined ? undefined : this.#fromEnvironment(name);
    const realm = {
      url: parsed,
      username: username ?? told?.username,
      password: password ?? (username === undefined ? told?.password : undefined),
      isAsked: false,
    };
    const isKnown = this.#realms.some((known) => known.url.href === url && known.username);
    if (!isKnown || realm.username !== undefined) this.#realms.push(realm);
    return url;
  }

  authorize(url: URL): string | undefined {
    const realm = this.#realmOf(url);
    const login = this.#login(realm, url.hostname);
    if (login === undefined) return undefined;
    const bytes = Buffer.from(`${login.username}:${login.password}`);
    return `Basic ${bytes.toString("base64")}`;
  }

  async challenged(url: URL): Promise<boolean> {
    if (!this.#usesKeyring) return false;
    let realm = this.#realmOf(url);
    if (realm === undefined) {
      // Files may lie on another host than the page: asked for by that host's name.
      realm = {
        url: new URL(url.origin),
        username: undefined,
        password: undefined,
        isAsked: false,
      };
      this.#realms.push(realm);
    }
    if (realm.isAsked || realm.password !== undefined) return false;
    realm.isAsked = true;
    const places = [realm.url.href, realm.url.host];
    for (const place of places) {
      const login = await askKeyring(place, realm.username, this.#environment);
      if (login !== undefined) {
        const index = this.#realms.indexOf(realm);
        this.#realms[index] = { ...realm, ...login };
        return true;
      }
    }
    return false;
  }

  #login(realm: Realm | undefined, host: string): Login | undefined {
    if (realm?.username !== undefined && realm.password !== undefined) return loginOf(realm);
    const found = this.#readNetrc().find(host, realm?.username);
    if (found !== undefined) return found;
    // A token is often given as a user without password.
    if (realm?.username !== undefined || realm?.password !== undefined) return loginOf(realm);
    return undefined;
  }

  /** The realm of the same server with the longest path in common: one host may serve many. */
  #realmOf(url: URL): Realm | undefined {
    let best: Realm | undefined;
    let bestLength = -1;
    for (const realm of this.#realms) {
      if (!isSameServer(realm.url, url)) continue;
      const length = sharedSegments(realm.url.pathname, url.pathname);
      const isBetter =
        length > bestLength || (length === bestLength && best?.username === undefined);
      if (isBetter) {
        best = realm;
        bestLength = length;
      }
    }
    return best;
  }

  #fromEnvironment(name: string): Partial<Login> {
    const key = name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
    const read = (what: string): string | undefined =>
      this.#environment[`BLAST_INDEX_${key}_${what}`] ??
      this.#environment[`UV_INDEX_${key}_${what}`];
    const [username, password] = [read("USERNAME"), read("PASSWORD")];
    return {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    };
  }

  #readNetrc(): Netrc {
    this.#netrc ??= new Netrc(readFirst(netrcPlaces(this.#environment)));
    return this.#netrc;
  }
}

function loginOf(realm: Realm): Login {
  return { username: realm.username ?? "", password: realm.password ?? "" };
}

function netrcPlaces(environment: Environment): string[] {
  const named = environment["NETRC"];
  if (named !== undefined && named !== "") return [named];
  const home = environment["HOME"] || environment["USERPROFILE"] || homedir();
  return [join(home, ".netrc"), join(home, "_netrc")];
}

function readFirst(places: readonly string[]): string {
  for (const place of places) {
    try {
      return readFileSync(place, "utf8");
    } catch {
      // Most people have none.
    }
  }
  return "";
}

/** The same origin, or the step up from http to https on the usual ports. */
function isSameServer(realm: URL, url: URL): boolean {
  if (realm.origin === url.origin) return true;
  const isUpgrade = realm.protocol === "http:" && url.protocol === "https:";
  return isUpgrade && realm.hostname === url.hostname && realm.port === "" && url.port === "";
}

function sharedSegments(a: string, b: string): number {
  const [left, right] = [a.split("/"), b.split("/")];
  let count = 0;
  while (count < left.length && left[count] === right[count]) count += 1;
  return count;
}
