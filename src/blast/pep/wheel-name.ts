import { PepError, quote } from "./error.ts";
import type { PackageName } from "./name.ts";
import { parsePackageName } from "./name.ts";
import type { WheelTag } from "./tag.ts";
import { parseTagTriples } from "./tag.ts";
import type { Version } from "./version.ts";
import { tryParseVersion } from "./version.ts";
import type { VersionNumber } from "./version-key.ts";
import { exact } from "./version-scan.ts";

/** The build number of a wheel: of two wheels that are otherwise alike the higher one wins. */
export interface BuildTag {
  readonly number: VersionNumber;
  /** What follows the digits; compared as text where the numbers are equal. */
  readonly suffix: string;
}

/** What the name of a wheel says (PEP 427). */
export interface WheelName {
  readonly name: PackageName;
  readonly version: Version;
  readonly build?: BuildTag;
  readonly tags: readonly WheelTag[];
}

/**
 * Reads the name of a wheel file: `name-version[-build]-python-abi-platform.whl`.
 *
 * @throws PepError when it breaks the rules, or its project's name is no name (PEP 508)
 */
export function parseWheelName(filename: string): WheelName {
  if (!filename.endsWith(".whl")) throw refusal(filename, "it does not end in .whl");
  const parts = filename.slice(0, -4).split("-");
  if (parts.length !== 5 && parts.length !== 6) {
    throw refusal(filename, `it has ${parts.length} parts in place of 5 or 6`);
  }
  const [project = "", versionText = "", third = ""] = parts;
  if (project.includes("__")) throw refusal(filename, 'the project has "__" in its name');
  const version = tryParseVersion(versionText);
  if (version === undefined) throw refusal(filename, `${quote(versionText)} is no version`);
  const name = parsePackageName(project);
  const tags = parseTagTriples(filename.slice(tagStart(filename), -4));
  if (parts.length === 5) return { name, version, tags };
  const build = parseBuild(third);
  if (build === undefined) throw refusal(filename, `${quote(third)} is no build number`);
  return { name, version, build, tags };
}

/** Negative, zero or positive; no build number comes before any. */
export function compareBuilds(left: BuildTag | undefined, right: BuildTag | undefined): number {
  if (left === undefined || right === undefined) {
    return Number(left !== undefined) - Number(right !== undefined);
  }
  if (left.number !== right.number) return left.number < right.number ? -1 : 1;
  if (left.suffix === right.suffix) return 0;
  return left.suffix < right.suffix ? -1 : 1;
}

/** Where the last three parts begin. */
function tagStart(filename: string): number {
  let at = filename.length;
  for (let part = 0; part < 3; part += 1) at = filename.lastIndexOf("-", at - 1);
  return at + 1;
}

function parseBuild(text: string): BuildTag | undefined {
  const digits = /^[0-9]{1,4300}/.exec(text)?.[0];
  if (digits === undefined) return undefined;
  return { number: exact(BigInt(digits)), suffix: text.slice(digits.length) };
}

function refusal(filename: string, why: string): PepError {
  return new PepError(`Cannot read wheel name ${quote(filename)}: ${why}`);
}
