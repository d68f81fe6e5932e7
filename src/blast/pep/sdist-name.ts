import { PepError, quote } from "./error.ts";
import type { PackageName } from "./name.ts";
import { parsePackageName } from "./name.ts";
import type { Version } from "./version.ts";
import { tryParseVersion } from "./version.ts";

/** What the name of a source distribution says (PEP 625, and the older ways). */
export interface SdistName {
  readonly name: PackageName;
  readonly version: Version;
  readonly extension: ".tar.gz" | ".zip";
}

/**
 * Reads the name of a source distribution: `name-version.tar.gz`, or `.zip` from before PEP 625.
 * Names from before it can have dashes in both parts, so that only who knows the project can tell
 * `foo-1-1.tar.gz` (foo 1.post1, or foo-1 of version 1).
 *
 * @param expectedName the project that the file belongs to; without it the last dash counts
 * @throws PepError when it is none, or one of another project
 */
export function parseSdistName(filename: string, expectedName?: PackageName): SdistName {
  const extension = filename.endsWith(".tar.gz") ? ".tar.gz" : ".zip";
  if (!filename.endsWith(extension)) throw refusal(filename, "it ends in neither .tar.gz nor .zip");
  const stem = filename.slice(0, -extension.length);
  if (expectedName === undefined) return { ...splitAtLastDash(filename, stem), extension };
  for (let dash = stem.indexOf("-"); dash >= 0; dash = stem.indexOf("-", dash + 1)) {
    if (!isSpelling(stem.slice(0, dash), expectedName)) continue;
    const version = tryParseVersion(stem.slice(dash + 1));
    if (version !== undefined) return { name: expectedName, version, extension };
  }
  throw refusal(filename, `it is no version of ${quote(expectedName)}`);
}

function splitAtLastDash(filename: string, stem: string): { name: PackageName; version: Version } {
  const dash = stem.lastIndexOf("-");
  if (dash < 0) throw refusal(filename, "it has no version");
  const version = tryParseVersion(stem.slice(dash + 1));
  if (version === undefined) {
    throw refusal(filename, `${quote(stem.slice(dash + 1))} is no version`);
  }
  return { name: parsePackageName(stem.slice(0, dash)), version };
}

function isSpelling(text: string, name: PackageName): boolean {
  return text.toLowerCase().replace(/[-_.]+/g, "-") === name;
}

function refusal(filename: string, why: string): PepError {
  return new PepError(`Cannot read sdist name ${quote(filename)}: ${why}`);
}
