import { isNormalized } from "../pep/name.ts";
import type { Version } from "../pep/version.ts";
import { compareVersions, tryParseVersion } from "../pep/version.ts";
import type { PageFile } from "./page-file.ts";

/** The files of one version, in the order of the page. */
export interface Release {
  readonly version: Version;
  readonly files: PageFile[];
}

/**
 * Sorts the files of a page by version, newest first. What is no wheel or sdist of this project
 * is left out, and so are versions that PEP 440 does not know.
 *
 * @param name normalised
 */
export function groupByVersion(name: string, files: Iterable<PageFile>): Release[] {
  const releases = new Map<string, Release>();
  // A version has some files, often dozens: each spelling is read once.
  const bySpelling = new Map<string, Release | undefined>();
  for (const file of files) {
    const spelling = versionTextOf(file.filename, name);
    if (spelling === undefined) continue;
    let release = bySpelling.get(spelling);
    if (release === undefined && !bySpelling.has(spelling)) {
      const version = tryParseVersion(spelling);
      if (version !== undefined) {
        release = releases.get(version.key) ?? { version, files: [] };
        releases.set(version.key, release);
      }
      bySpelling.set(spelling, release);
    }
    release?.files.push(file);
  }
  return [...releases.values()].sort((a, b) => compareVersions(b.version, a.version));
}

const SDIST = /\.(?:tar\.gz|zip|tgz|tar\.bz2|tar\.xz|tar)$/i;

/** `wheel` or `sdist` by the end of the name; undefined for anything else. */
export function kindOf(filename: string): "wheel" | "sdist" | undefined {
  if (filename.endsWith(".whl")) return "wheel";
  return SDIST.test(filename) ? "sdist" : undefined;
}

/**
 * The version that a file name tells, unread; undefined when the file is none of this project.
 * Only cut out, not judged: a wheel's tags are read by whoever wants to use it (PEP 427, 625).
 */
export function versionTextOf(filename: string, name: string): string | undefined {
  if (filename.endsWith(".whl")) return wheelVersion(filename, name);
  const end = filename.search(SDIST);
  if (end === -1) return undefined;
  const stem = filename.slice(0, end);
  // Old sdists have dashes in their names and, some, in their versions: the name decides.
  for (let dash = stem.indexOf("-"); dash !== -1; dash = stem.indexOf("-", dash + 1)) {
    if (sameName(stem.slice(0, dash), name)) return stem.slice(dash + 1);
  }
  return undefined;
}

/** Without taking the name apart: pages have thousands. */
function wheelVersion(filename: string, name: string): string | undefined {
  const nameEnd = filename.indexOf("-");
  const versionEnd = filename.indexOf("-", nameEnd + 1);
  let dashes = 0;
  for (let at = versionEnd; at !== -1; at = filename.indexOf("-", at + 1)) dashes += 1;
  // Python, ABI and platform; before them perhaps a build number.
  const isBuild = dashes === 4 && isDigit(filename.charCodeAt(versionEnd + 1));
  if (nameEnd === -1 || (dashes !== 3 && !isBuild)) return undefined;
  if (!sameName(filename.slice(0, nameEnd), name)) return undefined;
  const version = filename.slice(nameEnd + 1, versionEnd);
  // An underscore stands for the dash of "1.0-1", as old builders wrote it.
  return version.includes("_") ? version.replaceAll("_", "-") : version;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function sameName(text: string, name: string): boolean {
  return text === name || normalise(text) === name;
}

/** PEP 503, without judging. */
function normalise(text: string): string {
  return isNormalized(text) ? text : text.toLowerCase().replace(/[-_.]+/g, "-");
}

/** The project's name that a file name begins with, normalised; for find-links and caches. */
export function projectNamesOf(filename: string): string[] {
  const kind = kindOf(filename);
  if (kind === "wheel") return [normalise(filename.slice(0, Math.max(0, filename.indexOf("-"))))];
  if (kind === undefined) return [];
  const stem = filename.slice(0, filename.search(SDIST));
  const names: string[] = [];
  for (let dash = stem.indexOf("-"); dash > 0; dash = stem.indexOf("-", dash + 1)) {
    // What follows a name is a version, and that begins with a digit (or an epoch, or "v").
    if (/^v?\d/i.test(stem.slice(dash + 1))) names.push(normalise(stem.slice(0, dash)));
  }
  return names;
}
