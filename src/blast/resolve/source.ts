import { redactCredentials } from "../../kit/fault/redact.ts";
import type { DirectSource, Hashes } from "./port.ts";

/** Version control that pip knows and this does not read. */
const VERSION_CONTROL = /^(?:git|hg|svn|bzr)\+/i;
const HASH_NAMES = /^(?:md5|sha1|sha224|sha256|sha384|sha512)$/;

/**
 * The source that the URL of a requirement names (PEP 508, and pip's `git+https://…@revision`);
 * undefined where it is none that can be read.
 */
export function sourceOfUrl(url: string): DirectSource | undefined {
  const hash = url.indexOf("#");
  const place = hash === -1 ? url : url.slice(0, hash);
  const fragment = new URLSearchParams(hash === -1 ? "" : url.slice(hash + 1));
  const folder = fragment.get("subdirectory");
  const subdirectory = folder === null ? {} : { subdirectory: folder };
  const control = VERSION_CONTROL.exec(place);
  if (control === null) {
    const isUrl = /^[a-z][a-z0-9+.-]*:/i.test(place);
    const hashes = hashesOf(fragment);
    return isUrl ? { kind: "archive", url: place, ...subdirectory, ...hashes } : undefined;
  }
  if (control[0].toLowerCase() !== "git+") return undefined;
  const bare = place.slice(control[0].length);
  // What follows the authority: a user's "@" in it is no revision.
  const path = bare.indexOf("/", bare.indexOf("://") + 3);
  const mark = bare.lastIndexOf("@");
  if (path === -1 || mark < path) return { kind: "git", url: bare, ...subdirectory };
  const revision = bare.slice(mark + 1);
  return { kind: "git", url: bare.slice(0, mark), revision, ...subdirectory };
}

function hashesOf(fragment: URLSearchParams): { readonly hashes?: Hashes } {
  const found = [...fragment].filter(([name]) => HASH_NAMES.test(name));
  if (found.length === 0) return {};
  return {
    hashes: Object.fromEntries(found.map(([name, digest]) => [name, digest.toLowerCase()])),
  };
}

/** Equal for sources that are the same thing. */
export function sourceKey(source: DirectSource): string {
  switch (source.kind) {
    case "archive":
      return `${source.url}#${source.subdirectory ?? ""}`;
    case "git":
      return `${source.url}@${source.revision ?? ""}#${source.subdirectory ?? ""}`;
    case "directory":
      return source.path;
  }
}

/** For messages: without credentials. */
export function sourceText(source: DirectSource): string {
  if (source.kind === "directory") return source.path;
  const place = redactCredentials(source.url);
  return source.kind === "git" && source.revision !== undefined
    ? `${place}@${source.revision}`
    : place;
}
