import { evaluateMarker, type Marker } from "../../src/blast/pep/marker.ts";
import type { MarkerEnvironment } from "../../src/blast/pep/marker-environment.ts";
import { parseCoreMetadata } from "../../src/blast/pep/metadata.ts";
import type { PackageName } from "../../src/blast/pep/name.ts";
import { parseRequirement, type Requirement } from "../../src/blast/pep/requirement.ts";
import { parseSpecifierSet } from "../../src/blast/pep/specifier.ts";
import { parseVersion, type Version } from "../../src/blast/pep/version.ts";
import type { MemoryVersion, Universe } from "./memory-index.ts";
import { metadataText } from "./metadata-text.ts";

/** A package of an answer, and where it counts. */
export interface Pin {
  readonly name: PackageName;
  readonly version: Version;
  readonly marker?: Marker | undefined;
}

/** The environments for which universal answers are checked, as ../shared/tools has them. */
export function* environmentGrid(requiresPython: string): Generator<MarkerEnvironment> {
  const pythons = parseSpecifierSet(requiresPython);
  for (let minor = 8; minor < 16; minor += 1) {
    for (const [platform, os, system, machine] of PLATFORMS) {
      for (const [implementation, name] of IMPLEMENTATIONS) {
        for (const patch of [0, 5]) {
          const full = `3.${minor}.${patch}`;
          if (!pythons.contains(parseVersion(full))) continue;
          yield {
            python_version: `3.${minor}`,
            python_full_version: full,
            sys_platform: platform,
            os_name: os,
            platform_system: system,
            platform_machine: machine,
            implementation_name: implementation,
            platform_python_implementation: name,
            implementation_version: full,
            platform_release: "",
            platform_version: "",
          };
        }
      }
    }
  }
}

const PLATFORMS = [
  ["linux", "posix", "Linux", "x86_64"],
  ["darwin", "posix", "Darwin", "arm64"],
  ["win32", "nt", "Windows", "AMD64"],
  ["linux", "posix", "Linux", "aarch64"],
] as const;
const IMPLEMENTATIONS = [
  ["cpython", "CPython"],
  ["pypy", "PyPy"],
] as const;

/**
 * Whether a set of packages holds everything that the requirements need in an environment, each
 * once and at a version that fits. Knows nothing of the resolver.
 *
 * @param exact tells packages that nobody needs, too
 * @returns what is wrong, or undefined
 */
export function flawIn(
  pins: readonly Pin[],
  requires: readonly string[],
  universe: Universe,
  environment: MarkerEnvironment,
  exact: boolean,
): string | undefined {
  const where = `${environment.sys_platform} ${environment.python_full_version}`;
  const have = new Map<string, Version>();
  for (const { name, version, marker } of pins) {
    if (marker !== undefined && !evaluateMarker(marker, environment)) continue;
    if (have.has(name)) return `two versions of ${name} for ${where}`;
    have.set(name, version);
  }
  const open: [Requirement, string][] = requires.map((text) => [parseRequirement(text), ""]);
  const seen = new Set<string>();
  const needed = new Set<string>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [requirement, extra] = next;
    const { name, marker, specifier } = requirement;
    const extras = new Set(extra === "" ? [] : [extra]);
    if (marker !== undefined && !evaluateMarker(marker, environment, extras)) continue;
    const version = have.get(name);
    if (version === undefined) return `${name} is not answered for ${where}`;
    if (!specifier.contains(version)) return `${name}==${version} is outside ${specifier}`;
    const requiresDist = requirementsOf(universe, name, version);
    if (requiresDist === undefined) return `${name}==${version} does not exist`;
    needed.add(name);
    for (const wanted of ["", ...requirement.extras]) {
      if (seen.has(`${name}[${wanted}]`)) continue;
      seen.add(`${name}[${wanted}]`);
      open.push(...requiresDist.map((item): [Requirement, string] => [item, wanted]));
    }
  }
  const extra = [...have.keys()].filter((name) => !needed.has(name));
  return exact && extra.length > 0 ? `without need: ${extra}` : undefined;
}

const read = new WeakMap<MemoryVersion, readonly Requirement[]>();

function requirementsOf(
  universe: Universe,
  name: string,
  version: Version,
): readonly Requirement[] | undefined {
  const versions = Object.entries(universe).find(([key]) => parseRequirement(key).name === name);
  const found = Object.entries(versions?.[1] ?? {}).find(
    ([text]) => parseVersion(text).key === version.key,
  );
  if (found === undefined) return undefined;
  let requirements = read.get(found[1]);
  if (requirements === undefined) {
    requirements = parseCoreMetadata(metadataText(name, found[0], found[1])).requiresDist;
    read.set(found[1], requirements);
  }
  return requirements;
}
