/** How long an answer may be used without asking again (RFC 9111, as a private cache). No I/O. */

/** What the headers of an answer say about keeping it. */
export interface Freshness {
  /** False: not to be written down at all. */
  readonly storable: boolean;
  /** Milliseconds from its arrival; undefined when the server says nothing. */
  readonly freshMs?: number;
  readonly etag?: string;
  readonly lastModified?: string;
}

/** Reads Cache-Control, Expires, Age, ETag and Last-Modified. */
export function freshnessOf(headers: Headers): Freshness {
  const directives = new Map<string, string>();
  for (const part of (headers.get("cache-control") ?? "").toLowerCase().split(",")) {
    const [name = "", value = ""] = part.split("=", 2);
    if (name.trim() !== "") directives.set(name.trim(), value.trim().replaceAll('"', ""));
  }
  const etag = headers.get("etag");
  const lastModified = headers.get("last-modified");
  const freshMs = lifetimeMs(directives, headers);
  return {
    storable: !directives.has("no-store"),
    ...(freshMs === undefined ? {} : { freshMs }),
    ...(etag === null ? {} : { etag }),
    ...(lastModified === null ? {} : { lastModified }),
  };
}

function lifetimeMs(directives: ReadonlyMap<string, string>, headers: Headers): number | undefined {
  if (directives.has("no-cache")) return 0;
  const maxAge = directives.get("max-age");
  if (maxAge !== undefined && /^\d+$/.test(maxAge)) {
    const age = headers.get("age") ?? "";
    const spent = /^\d+$/.test(age) ? Number(age) : 0;
    return Math.max(0, Number(maxAge) - spent) * 1000;
  }
  const expires = headers.get("expires");
  if (expires === null) return undefined;
  const expiresMs = Date.parse(expires);
  const dateMs = Date.parse(headers.get("date") ?? "");
  // An unreadable date means "already expired", as the RFC has it; "0" is the usual one.
  if (Number.isNaN(expiresMs)) return 0;
  return Math.max(0, expiresMs - (Number.isNaN(dateMs) ? Date.now() : dateMs));
}
