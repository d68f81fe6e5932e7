/** Requirements of the command line as they are written down in a project's file. */

import { Fault } from "../../kit/fault/fault.ts";
import { fileUrlOf } from "../../kit/text/file-url.ts";
import { markerToString } from "../pep/marker.ts";
import type { PackageName } from "../pep/name.ts";
import { type Requirement, requirementToString } from "../pep/requirement.ts";
import { parseSpecifierSet } from "../pep/specifier.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import type { DirectSource, PackageIndex, Resolution } from "../resolve/port.ts";

/** A requirement with its name. */
export type NamedRequirement = ProjectRequirement & { readonly name: PackageName };

/** The same, each with its name: what only its source can say is asked of the source. */
export async function withNames(
  entries: readonly ProjectRequirement[],
  index: () => Promise<PackageIndex>,
): Promise<NamedRequirement[]> {
  return Promise.all(
    entries.map(async (entry) => {
      const { name, source } = entry;
      if (name !== undefined) return { ...entry, name };
      if (source === undefined) throw new Error(`no name and no source: ${entry.origin}`);
      const { metadata } = await (await index()).direct(source);
      return { ...entry, name: metadata.name, requirement: requirementOf(entry, metadata.name) };
    }),
  );
}

/**
 * What is named twice, under the same marker, as one: a file of a project has one entry for it, and
 * the second would take the first one's place.
 *
 * @throws {Fault} E_USAGE for a name with more than one source
 */
export function together(entries: readonly NamedRequirement[]): NamedRequirement[] {
  const merged = new Map<string, NamedRequirement>();
  for (const entry of entries) {
    const { marker } = entry;
    const key = `${entry.name} ${marker === undefined ? "" : markerToString(marker)}`;
    const before = merged.get(key);
    merged.set(key, before === undefined ? entry : both(before, entry));
  }
  return [...merged.values()];
}

function both(one: NamedRequirement, other: NamedRequirement): NamedRequirement {
  const [first, second] = [one.requirement, other.requirement];
  const isPlain = one.source === undefined && other.source === undefined;
  if (!isPlain || first === undefined || second === undefined) {
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot record ${one.name} twice: "${one.text}" and "${other.text}"`,
      hint: "name it once",
    });
  }
  const specifiers = [first, second].map(({ specifier }) => specifier.toString());
  const specifier = parseSpecifierSet(specifiers.filter((text) => text !== "").join(","));
  const extras = [...new Set([...first.extras, ...second.extras])];
  const requirement = { ...first, extras, specifier };
  return { ...one, text: requirementToString(requirement), extras, requirement };
}

/**
 * As it goes into the file before its version is known.
 *
 * @throws {Fault} E_REFUSED what the file has no way to say
 */
export function recordedText(entry: NamedRequirement): string {
  const { source, requirement } = entry;
  if (entry.editable) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot record "-e ${entry.text}": a requirement cannot say that it is editable`,
      hint: "--no-record installs it without recording; without -e it is recorded",
    });
  }
  const plain = requirement ?? requirementOf(entry, entry.name);
  if (source === undefined) return requirementToString(plain);
  // A path as it was typed would mean something else in the file.
  const isTyped = plain.url !== undefined && !/^file:/i.test(plain.url);
  return requirementToString(isTyped ? plain : { ...plain, url: urlOf(source) });
}

/** A name alone gets the version that was found as its lower bound, so that it says something. */
export function boundedText(entry: NamedRequirement, resolution: Resolution | undefined): string {
  const { requirement } = entry;
  const text = recordedText(entry);
  if (requirement === undefined || entry.source !== undefined) return text;
  if (requirement.specifier.specifiers.length > 0) return text;
  const lowest = lowestVersion(resolution, requirement.name);
  if (lowest === undefined) return text;
  const [head = "", ...marker] = text.split(";");
  const tail = marker.length === 0 ? "" : ` ;${marker.join(";")}`;
  return `${head.trimEnd()}>=${lowest}${tail}`;
}

/** Forks of a universal answer may have several; the bound has to let all of them in. */
function lowestVersion(resolution: Resolution | undefined, name: PackageName): string | undefined {
  // Packages are sorted by name, then version.
  const version = resolution?.packages.find((one) => one.name === name)?.version;
  return version?.toString().replace(/\+.*$/, "");
}

function requirementOf({ extras, marker }: ProjectRequirement, name: PackageName): Requirement {
  const specifier = parseSpecifierSet("");
  return { name, extras, specifier, ...(marker === undefined ? {} : { marker }) };
}

/** The URL of a requirement from this source, with what the fragment has to say. */
export function urlOf(source: DirectSource): string {
  if (source.kind === "directory") return fileUrlOf(source.path);
  const parts = [
    ...(source.subdirectory === undefined ? [] : [`subdirectory=${source.subdirectory}`]),
    ...(source.kind === "git"
      ? []
      : Object.entries(source.hashes ?? {}).map((one) => one.join("="))),
  ];
  const fragment = parts.length === 0 ? "" : `#${parts.join("&")}`;
  if (source.kind === "archive") return source.url + fragment;
  const revision = source.revision === undefined ? "" : `@${source.revision}`;
  return `git+${source.url}${revision}${fragment}`;
}
