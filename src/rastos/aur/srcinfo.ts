import { Fault } from "../../kit/fault/fault.ts";
import { isPackageName } from "./names.ts";

/** What a .SRCINFO says of one architecture: what holds for all, then what holds for it alone. */
export interface SourcePackage {
  readonly name: string;
  readonly description: string;
  readonly depends: readonly string[];
  readonly optdepends: readonly string[];
  readonly provides: readonly string[];
  readonly conflicts: readonly string[];
  readonly replaces: readonly string[];
  readonly groups: readonly string[];
}

/** A package base: what one PKGBUILD builds. */
export interface SourceBase {
  readonly base: string;
  /** `[epoch:]pkgver-pkgrel`. */
  readonly version: string;
  readonly architectures: readonly string[];
  readonly makedepends: readonly string[];
  readonly checkdepends: readonly string[];
  readonly validPgpKeys: readonly string[];
  /** `name::url`, `url`, or a file of the base itself. */
  readonly sources: readonly string[];
  readonly packages: readonly SourcePackage[];
}

interface Section {
  readonly name: string;
  readonly fields: Map<string, string[]>;
}

/** No base of the AUR comes near; more is no description but an attack on our memory. */
const CHARACTERS_MAX = 4 * 1024 * 1024;

/**
 * Reads a .SRCINFO (makepkg --printsrcinfo): split packages take from the base what they do not
 * say themselves; fields of an architecture (`depends_x86_64`) are added to those of all.
 *
 * @param architecture `x86_64`
 * @param file its name for messages
 * @throws {Fault} E_CONFIG
 */
export function parseSourceInfo(text: string, architecture: string, file: string): SourceBase {
  if (text.length > CHARACTERS_MAX) throw problem(file, "it is too long");
  const [base, ...sections] = readSections(text, file);
  if (base === undefined) throw problem(file, "it names no package base");
  if (sections.length === 0) throw problem(file, "it names no package");
  const list = listReader(base, architecture);
  const one = (name: string): string => base.fields.get(name)?.at(-1) ?? "";
  const [version, release] = [one("pkgver"), one("pkgrel")];
  if (version === "" || release === "") throw problem(file, "it has no pkgver or no pkgrel");
  const epoch = one("epoch");
  const isPlain = epoch === "" || epoch === "0";
  return {
    base: base.name,
    version: `${isPlain ? "" : `${epoch}:`}${version}-${release}`,
    architectures: base.fields.get("arch") ?? [],
    makedepends: list("makedepends"),
    checkdepends: list("checkdepends"),
    validPgpKeys: base.fields.get("validpgpkeys") ?? [],
    sources: list("source"),
    packages: sections.map((section) => packageOf(section, base, architecture)),
  };
}

function packageOf(section: Section, base: Section, architecture: string): SourcePackage {
  const list = listReader(section, architecture, base);
  return {
    name: section.name,
    description: (section.fields.get("pkgdesc") ?? base.fields.get("pkgdesc"))?.at(-1) ?? "",
    depends: list("depends"),
    optdepends: list("optdepends"),
    provides: list("provides"),
    conflicts: list("conflicts"),
    replaces: list("replaces"),
    groups: list("groups"),
  };
}

/** A package that says `depends =` with nothing behind it has none, whatever the base says. */
function listReader(section: Section, architecture: string, base?: Section) {
  const listed = (name: string): readonly string[] => {
    const own = section.fields.get(name);
    return (own ?? base?.fields.get(name) ?? []).filter((value) => value !== "");
  };
  return (name: string): readonly string[] => [
    ...new Set([...listed(name), ...listed(`${name}_${architecture}`)]),
  ];
}

function readSections(text: string, file: string): Section[] {
  const sections: Section[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const [, name, value] = /^([a-z][a-z0-9_]*)\s*=\s?(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw problem(`${file}:${index + 1}`, "the line is no field");
    }
    const isBase = name === "pkgbase";
    if (isBase || name === "pkgname") {
      if (isBase === sections.length > 0) {
        throw problem(`${file}:${index + 1}`, "a package base stands first, and only there");
      }
      if (!isPackageName(value)) {
        throw problem(`${file}:${index + 1}`, `"${value.slice(0, 80)}" is no name of a package`);
      }
      sections.push({ name: value, fields: new Map() });
      continue;
    }
    const fields = sections.at(-1)?.fields;
    if (fields === undefined) throw problem(`${file}:${index + 1}`, "a package base stands first");
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  return sections;
}

function problem(place: string, reason: string): Fault {
  return new Fault({
    code: "E_CONFIG",
    message: `Cannot read "${place}": ${reason}`,
    hint: 'its maintainer makes it by "makepkg --printsrcinfo"; tell them',
  });
}
