/**
 * One requirement as people write it: PEP 508, a URL, a path, an archive in the folder. The same
 * rules for lines of requirements files, entries of pyproject.toml and words of the command line.
 */
import { basename, resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { redactCredentials } from "../../kit/fault/redact.ts";
import { decodeUri } from "../../kit/text/decode-uri.ts";
import { PepError, quote } from "../pep/error.ts";
import { type Marker, parseMarker } from "../pep/marker.ts";
import type { ExtraName, PackageName } from "../pep/name.ts";
import { parsePackageName } from "../pep/name.ts";
import { parseRequirement, type Requirement } from "../pep/requirement.ts";
import { parseSpecifierSet } from "../pep/specifier.ts";
import { parseWheelName } from "../pep/wheel-name.ts";
import type { DirectSource, Hashes, RootRequirement } from "../resolve/port.ts";
import {
  type DirectReference,
  hasArchiveEnding,
  isDirectUrl,
  readDirectReference,
  statOrNothing,
} from "./direct-url.ts";

/** A requirement of the user's own. */
export interface ProjectRequirement {
  /** As written, without options. */
  readonly text: string;
  /** For messages: "requirements.txt:3". */
  readonly origin: string;
  /** Undefined: only the source itself can say it. */
  readonly name?: PackageName;
  readonly extras: readonly ExtraName[];
  readonly marker?: Marker;
  /** Undefined where the name is; a source's `url` is in it as written. */
  readonly requirement?: Requirement;
  /** For what is named by place. */
  readonly source?: DirectSource;
  /** `-e` was asked for; a git source can be editable too, its `DirectSource` does not say so. */
  readonly editable: boolean;
  /** `sha256:…`: any of them must match; empty: none were given. */
  readonly hashes: readonly string[];
}

/** Where a requirement stands. */
export interface RequirementPlace {
  /** May be a getter: it is asked for messages only. */
  readonly origin: string;
  /** Folder that relative paths start from. */
  readonly base: string;
  readonly editable?: boolean;
  /** `sha256:…` of `--hash`. */
  readonly hashes?: readonly string[];
}

/**
 * Reads a requirement in any form.
 *
 * @throws {Fault} E_CONFIG what is none, with its origin
 */
export function readRequirement(text: string, place: RequirementPlace): ProjectRequirement {
  return told(text, place, () => {
    if (place.editable === true) return editableRequirement(text, place);
    if (isDirectUrl(text)) return urlRequirement(text, place);
    return pathRequirement(text, place) ?? namedRequirement(text, place);
  });
}

/**
 * Reads a requirement of pyproject.toml or metadata: PEP 508 and nothing else.
 *
 * @throws {Fault} E_CONFIG what is none, with its origin
 */
export function readNamedRequirement(text: string, place: RequirementPlace): ProjectRequirement {
  return told(text, place, () => namedRequirement(text, place));
}

/**
 * The requirement in the resolver's terms.
 *
 * @param name what the source says of itself, for a requirement without one
 */
export function rootRequirement(
  entry: ProjectRequirement,
  name: PackageName | undefined = entry.name,
): RootRequirement {
  const { extras, marker, source } = entry;
  if (name === undefined) throw new Error(`no name for the requirement of ${entry.origin}`);
  return {
    requirement: entry.requirement ?? requirementOf(name, extras, marker),
    get origin() {
      return entry.origin;
    },
    ...(source === undefined ? {} : { source }),
  };
}

/** The place is asked only when somebody wants to know: finding it costs milliseconds. */
function withOrigin(
  fields: Omit<ProjectRequirement, "origin">,
  place: RequirementPlace,
): ProjectRequirement {
  return {
    ...fields,
    get origin() {
      return place.origin;
    },
  };
}

function told(
  text: string,
  place: RequirementPlace,
  read: () => ProjectRequirement,
): ProjectRequirement {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PepError)) throw error;
    const shown = redactCredentials(quote(text));
    throw new Fault({
      code: "E_CONFIG",
      message:
        place.origin === "the command line"
          ? `Cannot use ${shown}: it is no requirement`
          : `Cannot use ${quote(place.origin)}: ${shown} is no requirement`,
      cause: new Error(redactCredentials(error.message)),
      hint: hintFor(text),
      details: { origin: place.origin },
    });
  }
}

function hintFor(text: string): string | undefined {
  if (/^[\w.-]+\s*=[^=]/.test(text)) return 'did you mean "==" in place of "="?';
  if (/^[\w./-]+\.(txt|in)$/.test(text)) return `did you mean "-r ${text}"?`;
  return undefined;
}

function namedRequirement(text: string, place: RequirementPlace): ProjectRequirement {
  const requirement = parseRequirement(text);
  const { name, extras, marker, url } = requirement;
  const plain = { text, name, extras, requirement, editable: false };
  const withMarker = marker === undefined ? plain : { ...plain, marker };
  const hashes = place.hashes ?? [];
  if (url === undefined) return withOrigin({ ...withMarker, hashes }, place);
  const { source, hashes: own } = readDirectReference(url, place.base);
  return withOrigin({ ...withMarker, source, hashes: allHashes(hashes, own) }, place);
}

/** `-e PATH`, `-e VCS-URL#egg=name`, `-e name @ URL`, each with extras and a marker. */
function editableRequirement(text: string, place: RequirementPlace): ProjectRequirement {
  const [body, marker] = splitMarker(text, / ;|; /);
  const named = /^[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*@\s*/.test(body) && !isDirectUrl(body);
  if (named) return asEditable(namedRequirement(text, place));
  const { path, extras } = splitExtras(body);
  const isUrl = isDirectUrl(body);
  const reference = readDirectReference(isUrl && !/^file:/i.test(body) ? body : path, place.base);
  if (reference.source.kind === "archive") {
    throw new PepError(`Cannot install ${quote(body)} as editable: it is no folder`);
  }
  return asEditable(directRequirement(text, place, reference, marker, extras));
}

function asEditable(entry: ProjectRequirement): ProjectRequirement {
  const { source } = entry;
  if (source?.kind !== "directory") return { ...entry, editable: true };
  return { ...entry, editable: true, source: { ...source, editable: true } };
}

function urlRequirement(text: string, place: RequirementPlace): ProjectRequirement {
  const [url, marker] = splitMarker(text, /; | ;/);
  const { path, extras } = splitExtras(url);
  return directRequirement(text, place, readDirectReference(path, place.base), marker, extras);
}

/** Undefined for what does not look like a path and is no archive of the folder. */
function pathRequirement(text: string, place: RequirementPlace): ProjectRequirement | undefined {
  const [body, marker] = splitMarker(text, /;/);
  const { path, extras } = splitExtras(body);
  const looksLikePath = path.includes("/") || path.startsWith(".");
  const at = path.indexOf("@");
  const named = at > 0 && !/^[./]|\//.test(path.slice(0, at));
  const exists = () => statOrNothing(resolve(place.base, path));
  if (named && exists() === undefined) return undefined;
  const isFile = () => exists()?.isFile() === true;
  if (/^[\w.-]+\.(?:txt|in)$/.test(path) && isFile()) {
    throw new PepError(`Cannot install ${quote(path)}: it is a file of this folder`);
  }
  if (!looksLikePath && !(hasArchiveEnding(path) && isFile())) return undefined;
  if (exists() === undefined) throw new PepError(`Cannot find ${quote(path)}`);
  return directRequirement(text, place, readDirectReference(path, place.base), marker, extras);
}

/** A place, with the name that it tells: that of the wheel, or of `#egg=`. */
function directRequirement(
  text: string,
  place: RequirementPlace,
  reference: DirectReference,
  marker: Marker | undefined,
  extras: readonly ExtraName[],
): ProjectRequirement {
  const { source, egg } = reference;
  const hashes = allHashes(place.hashes ?? [], reference.hashes);
  const common = { text, source, editable: false, hashes };
  const known = egg === undefined ? wheelName(source) : parseRequirement(egg);
  const all = egg === undefined || known === undefined ? extras : [...known.extras, ...extras];
  const withMarker = marker === undefined ? {} : { marker };
  if (known === undefined) return withOrigin({ ...common, extras: all, ...withMarker }, place);
  const { name } = known;
  const requirement = requirementOf(name, all, marker);
  return withOrigin({ ...common, name, extras: all, ...withMarker, requirement }, place);
}

function wheelName(source: DirectSource): Pick<Requirement, "name" | "extras"> | undefined {
  if (source.kind !== "archive") return undefined;
  const filename = decodeUri(basename(new URL(source.url).pathname));
  if (!filename.endsWith(".whl")) return undefined;
  return { name: parsePackageName(parseWheelName(filename).name), extras: [] };
}

function requirementOf(
  name: PackageName,
  extras: readonly ExtraName[],
  marker: Marker | undefined,
): Requirement {
  const specifier = parseSpecifierSet("");
  return { name, extras, specifier, ...(marker === undefined ? {} : { marker }) };
}

function allHashes(given: readonly string[], own: Hashes): readonly string[] {
  return [...given, ...Object.entries(own).map(([name, digest]) => `${name}:${digest}`)];
}

function splitMarker(text: string, separator: RegExp): [body: string, marker: Marker | undefined] {
  const at = text.search(separator);
  if (at < 0) return [text.trim(), undefined];
  const marker = text.slice(at).replace(/^[\s;]+/, "");
  return [text.slice(0, at).trim(), marker.trim() === "" ? undefined : parseMarker(marker)];
}

/** `./folder[extra]`: brackets at the end hold extras. */
function splitExtras(text: string): { path: string; extras: readonly ExtraName[] } {
  const match = /^(.+?)\s*(\[[^\][]*\])$/.exec(text);
  if (match?.[1] === undefined) return { path: text, extras: [] };
  return { path: match[1], extras: parseRequirement(`placeholder${match[2]}`).extras };
}
