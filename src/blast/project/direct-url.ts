/**
 * Distributions named by place: `name @ URL`, bare URLs and paths to the resolver's terms, and
 * direct_url.json (PEP 610) in both directions.
 */

import { type Stats, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { decodeUri } from "../../kit/text/decode-uri.ts";
import { fileUrlOf } from "../../kit/text/file-url.ts";
import { PepError, quote } from "../pep/error.ts";
import type { DirectSource, Hashes } from "../resolve/port.ts";

/** A URL or path as understood. */
export interface DirectReference {
  readonly source: DirectSource;
  /** Hashes of the URL's fragment (`#sha256=…`), by algorithm. */
  readonly hashes: Hashes;
  /** The requirement of `#egg=name[extra]`, as written. */
  readonly egg?: string;
}

/** What direct_url.json says (PEP 610). */
export interface DirectUrl {
  readonly url: string;
  readonly subdirectory?: string;
  readonly info:
    | { readonly kind: "archive"; readonly hashes: Hashes }
    | {
        readonly kind: "vcs";
        readonly vcs: string;
        readonly commit: string;
        readonly requestedRevision?: string;
      }
    | { readonly kind: "directory"; readonly editable: boolean };
}

/** Endings of archives that can be installed, wheels among them. */
const ARCHIVE_ENDINGS = [".whl", ".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz"];
const OLD_ENDINGS = [".tar", ".tar.lzma", ".tlz", ".tar.lz"];

/** Schemes of URLs that name a distribution; what else has a colon is no URL. */
const DIRECT_URL = /^(?:https?|ftp|file|(?:git|hg|svn|bzr)\+[a-z]+):/i;
const HASH_NAMES = /^(?:md5|sha1|sha224|sha256|sha384|sha512)$/;

/** True for what starts like a URL that names a distribution. */
export function isDirectUrl(text: string): boolean {
  return DIRECT_URL.test(text);
}

/** What lies at a path; undefined also for what the system does not take as a path. */
export function statOrNothing(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** True for a path or URL path that ends like an archive. */
export function hasArchiveEnding(path: string): boolean {
  const lower = path.toLowerCase();
  return [...ARCHIVE_ENDINGS, ...OLD_ENDINGS].some((ending) => lower.endsWith(ending));
}

/**
 * The place that a URL or path names.
 *
 * @param base folder that relative paths start from
 * @throws {PepError} what cannot be a distribution, and files and folders that are not there
 */
export function parseDirectReference(text: string, base: string): DirectSource {
  return readDirectReference(text, base).source;
}

/** As {@link parseDirectReference}, with what the URL's fragment says besides. */
export function readDirectReference(text: string, base: string): DirectReference {
  if (!isDirectUrl(text)) return localReference(resolve(base, text), text, {});
  const { address, fragment } = splitFragment(text);
  const extra = fragmentParts(fragment);
  const plus = address.indexOf("+");
  const colon = address.indexOf(":");
  if (plus >= 0 && plus < colon) return vcsReference(address, plus, extra);
  if (/^file:/i.test(address)) return localReference(pathOfFileUrl(address, base), text, extra);
  checkUrl(address, text);
  return withExtra(archiveSource(address, extra), extra);
}

function archiveSource(url: string, extra: FragmentParts): DirectSource {
  const { hashes } = extra;
  const checked = hashes === undefined ? {} : { hashes };
  return { kind: "archive", url, ...subdirectoryOf(extra), ...checked };
}

/** Parts of a URL's fragment. */
interface FragmentParts {
  readonly egg?: string;
  readonly subdirectory?: string;
  readonly hashes?: Hashes;
}

function splitFragment(url: string): { address: string; fragment: string } {
  const at = url.indexOf("#");
  return at < 0
    ? { address: url, fragment: "" }
    : { address: url.slice(0, at), fragment: url.slice(at + 1) };
}

/** `egg=x&subdirectory=y&sha256=z`; what else is there is no concern of ours. */
function fragmentParts(fragment: string): FragmentParts {
  const parts: { egg?: string; subdirectory?: string } = {};
  const hashes: Record<string, string> = {};
  for (const part of fragment.split("&")) {
    const equals = part.indexOf("=");
    if (equals < 0) continue;
    const key = part.slice(0, equals);
    const value = decodeUri(part.slice(equals + 1));
    if (key === "egg") parts.egg = value;
    else if (key === "subdirectory") parts.subdirectory = safeSubdirectory(value);
    else if (HASH_NAMES.test(key)) hashes[key] = value.toLowerCase();
  }
  return Object.keys(hashes).length > 0 ? { ...parts, hashes } : parts;
}

function safeSubdirectory(path: string): string {
  const steps = path.split("/").filter((step) => step !== "" && step !== ".");
  if (path.startsWith("/") || steps.includes("..")) {
    throw new PepError(`Cannot use the subdirectory ${quote(path)}: it leads out of the source`);
  }
  return steps.join("/");
}

function vcsReference(address: string, plus: number, extra: FragmentParts): DirectReference {
  const vcs = address.slice(0, plus).toLowerCase();
  if (vcs !== "git") {
    throw new PepError(`Cannot fetch from "${vcs}" repositories, only from git`);
  }
  const inner = address.slice(plus + 1);
  checkUrl(inner, address);
  // A revision follows the last "@" of the path; one before the path belongs to the credentials.
  const pathStart = inner.indexOf("/", inner.indexOf("://") + 3);
  const at = pathStart < 0 ? -1 : inner.indexOf("@", pathStart);
  const last = at < 0 ? -1 : inner.lastIndexOf("@");
  const revision = last < 0 ? undefined : decodeUri(inner.slice(last + 1));
  if (revision === "")
    throw new PepError(`Cannot use ${quote(address)}: nothing follows the last "@"`);
  const source: DirectSource = {
    kind: "git",
    url: last < 0 ? inner : inner.slice(0, last),
    ...(revision === undefined ? {} : { revision }),
    ...subdirectoryOf(extra),
  };
  return withExtra(source, extra);
}

function localReference(path: string, text: string, extra: FragmentParts): DirectReference {
  const stat = statOrNothing(path);
  if (stat === undefined) throw new PepError(`Cannot find ${quote(path)}`);
  if (stat.isDirectory()) {
    const inner = extra.subdirectory === undefined ? path : join(path, extra.subdirectory);
    return withExtra({ kind: "directory", path: inner, editable: false }, extra);
  }
  if (!hasArchiveEnding(path)) {
    throw new PepError(`Cannot install ${quote(path)}: it is neither wheel, archive nor folder`);
  }
  const url = /^file:\/\//i.test(text) ? splitFragment(text).address : fileUrlOf(path);
  return withExtra(archiveSource(url, extra), extra);
}

function withExtra(source: DirectSource, extra: FragmentParts): DirectReference {
  const egg = extra.egg === undefined ? {} : { egg: extra.egg };
  return { source, hashes: extra.hashes ?? {}, ...egg };
}

function subdirectoryOf({ subdirectory }: FragmentParts): { subdirectory?: string } {
  return subdirectory === undefined || subdirectory === "" ? {} : { subdirectory };
}

/** `file:///x`, `file://localhost/x`, `file:/x`, and with a base also `file:x` and `file:./x`. */
function pathOfFileUrl(url: string, base: string): string {
  const rest = url.slice("file:".length);
  if (!rest.startsWith("/")) return resolve(base, decodeUri(rest));
  try {
    return Bun.fileURLToPath(url);
  } catch (error) {
    throw new PepError(`Cannot find ${quote(url)} on this machine: ${(error as Error).message}`);
  }
}

function checkUrl(url: string, shown: string): void {
  if (!URL.canParse(url)) throw new PepError(`Cannot read the URL ${quote(shown)}`);
}

/**
 * direct_url.json to plain data.
 *
 * @throws {PepError} what PEP 610 does not allow
 */
export function parseDirectUrl(text: string): DirectUrl {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new PepError("Cannot read direct_url.json: it is no JSON");
  }
  const url = field(json, "url", "string");
  if (url === undefined) throw new PepError('Cannot use direct_url.json: it has no "url"');
  const infos = [archiveInfo(json), vcsInfo(json), directoryInfo(json, url)].filter(
    (info) => info !== undefined,
  );
  const [info] = infos;
  if (info === undefined || infos.length > 1) {
    throw new PepError(
      'Cannot use direct_url.json: it must have one of "vcs_info", "archive_info" and "dir_info"',
    );
  }
  const subdirectory = field(json, "subdirectory", "string");
  return { url, info, ...(subdirectory === undefined ? {} : { subdirectory }) };
}

type Info = DirectUrl["info"];

function archiveInfo(json: unknown): Info | undefined {
  const info = field(json, "archive_info", "object");
  if (info === undefined) return undefined;
  const hashes: Record<string, string> = {};
  for (const name of Object.keys(field(info, "hashes", "object") ?? {})) {
    hashes[name] = field(field(info, "hashes", "object"), name, "string") ?? "";
  }
  const [name, digest] = field(info, "hash", "string")?.split("=", 2) ?? [];
  if (name === undefined) return { kind: "archive", hashes };
  if (digest === undefined) {
    throw new PepError('Cannot use direct_url.json: "hash" must be "algorithm=digest"');
  }
  // The old form beside the new one may only repeat it.
  if (Object.keys(hashes).length > 0 && hashes[name] !== digest) {
    throw new PepError('Cannot use direct_url.json: "hash" and "hashes" do not agree');
  }
  return { kind: "archive", hashes: { ...hashes, [name]: digest } };
}

function vcsInfo(json: unknown): Info | undefined {
  const info = field(json, "vcs_info", "object");
  if (info === undefined) return undefined;
  const vcs = field(info, "vcs", "string");
  const commit = field(info, "commit_id", "string");
  if (vcs === undefined || commit === undefined) {
    throw new PepError('Cannot use direct_url.json: "vcs_info" needs "vcs" and "commit_id"');
  }
  const requestedRevision = field(info, "requested_revision", "string");
  return {
    kind: "vcs",
    vcs,
    commit,
    ...(requestedRevision === undefined ? {} : { requestedRevision }),
  };
}

function directoryInfo(json: unknown, url: string): Info | undefined {
  const info = field(json, "dir_info", "object");
  if (info === undefined) return undefined;
  if (!/^file:(?:\/\/[^/]*)?\//i.test(url)) {
    throw new PepError('Cannot use direct_url.json: "dir_info" needs the URL of a folder');
  }
  return { kind: "directory", editable: field(info, "editable", "boolean") ?? false };
}

interface FieldTypes {
  readonly string: string;
  readonly boolean: boolean;
  readonly object: object;
}

function field<Type extends keyof FieldTypes>(
  json: unknown,
  name: string,
  type: Type,
): FieldTypes[Type] | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new PepError("Cannot use direct_url.json: something in it should be a table");
  }
  const value = Object.hasOwn(json, name) ? (json as Record<string, unknown>)[name] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== type) {
    throw new PepError(`Cannot use direct_url.json: "${name}" must be a ${type}`);
  }
  return value as FieldTypes[Type];
}

/** The text of direct_url.json: keys in a fixed order, credentials taken out as PEP 610 asks. */
export function directUrlText(direct: DirectUrl): string {
  const { info, subdirectory } = direct;
  return JSON.stringify({
    url: withoutCredentials(direct.url),
    ...(subdirectory === undefined ? {} : { subdirectory }),
    ...infoJson(info),
  });
}

function infoJson(info: Info): object {
  switch (info.kind) {
    case "archive": {
      const sorted = Object.entries(info.hashes).sort(([a], [b]) => (a < b ? -1 : 1));
      const [first] = sorted;
      const old = first === undefined ? {} : { hash: `${first[0]}=${first[1]}` };
      return { archive_info: { ...old, hashes: Object.fromEntries(sorted) } };
    }
    case "vcs": {
      const revision =
        info.requestedRevision === undefined ? {} : { requested_revision: info.requestedRevision };
      return { vcs_info: { vcs: info.vcs, ...revision, commit_id: info.commit } };
    }
    case "directory":
      return { dir_info: info.editable ? { editable: true } : {} };
  }
}

const USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@/i;
/** Variables stand for secrets and are none themselves (PEP 610). */
const VARIABLES = /^\$\{[A-Za-z0-9_-]+\}(?::\$\{[A-Za-z0-9_-]+\})?$/;

/** The URL without user and password, except variables and the `git` of `ssh://git@host`. */
export function withoutCredentials(url: string): string {
  return url.replace(USER_INFO, (whole, scheme: string, user: string) =>
    user === "git" || VARIABLES.test(user) ? whole : scheme,
  );
}

/**
 * What direct_url.json has to say of an installed source.
 *
 * @param found the commit of a git source, the hashes of an archive
 */
export function directUrlOf(
  source: DirectSource,
  found: { readonly commit?: string; readonly hashes?: Hashes } = {},
): DirectUrl {
  switch (source.kind) {
    case "archive":
      return {
        url: source.url,
        info: { kind: "archive", hashes: found.hashes ?? {} },
        ...subdirectoryOf(source),
      };
    case "git":
      return {
        url: source.url,
        info: {
          kind: "vcs",
          vcs: "git",
          commit: found.commit ?? source.revision ?? "",
          ...(source.revision === undefined ? {} : { requestedRevision: source.revision }),
        },
        ...subdirectoryOf(source),
      };
    case "directory":
      return {
        url: fileUrlOf(source.path),
        info: { kind: "directory", editable: source.editable },
      };
  }
}
