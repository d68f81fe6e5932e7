/** `--require-hashes`: nothing is installed that was not named by its hash (pip's rule). */
import { Fault } from "../../kit/fault/fault.ts";
import type { PackageName } from "../pep/name.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import type { IndexFile, ResolvedPackage } from "../resolve/port.ts";
import type { WantedPackage } from "./wanted.ts";

/** `algorithm:digest` by package: what is fetched of it must have one of them. */
export type GivenHashes = ReadonlyMap<PackageName, ReadonlySet<string>>;

/** The hashes that requirements give; several lines of one name add up. */
export function givenHashes(requirements: readonly ProjectRequirement[]): GivenHashes {
  const given = new Map<PackageName, ReadonlySet<string>>();
  for (const { name, hashes } of requirements) {
    if (name === undefined || hashes.length === 0) continue;
    given.set(name, new Set([...(given.get(name) ?? []), ...hashes]));
  }
  return given;
}

/**
 * Those of a package's files that can have a given hash, as pip chooses among them; all, where none
 * has: what is wrong with them is told afterwards.
 */
export function filesGiven(
  { name, files }: Pick<ResolvedPackage, "name" | "files">,
  given: GivenHashes,
): readonly IndexFile[] {
  const hashes = given.get(name);
  if (hashes === undefined) return files;
  const found = files.filter((file) => {
    const offered = offeredBy(file);
    return offered.length === 0 || offered.some((hash) => hashes.has(hash));
  });
  return found.length === 0 ? files : found;
}

function offeredBy(file: IndexFile | undefined): string[] {
  return Object.entries(file?.hashes ?? {}).map(([name, value]) => `${name}:${value}`);
}

/** What these names bring, however far down, and they themselves. */
export function broughtBy(
  names: readonly PackageName[],
  packages: readonly ResolvedPackage[],
): ReadonlySet<PackageName> {
  const needs = new Map<PackageName, PackageName[]>();
  for (const { name, dependencies } of packages) {
    const below = dependencies.map((one) => one.name);
    needs.set(name, [...(needs.get(name) ?? []), ...below]);
  }
  const found = new Set<PackageName>();
  const visit = (name: PackageName): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const below of needs.get(name) ?? []) visit(below);
  };
  for (const name of names) visit(name);
  return found;
}

/**
 * The same packages, each file bound to a hash that the user gave.
 *
 * @param isNeeded who needs a hash: one that was given counts for the others as well
 * @throws {Fault} E_INTEGRITY for a package without a given hash, or with another one
 */
export function withHashes(
  wanted: readonly WantedPackage[],
  given: GivenHashes,
  isNeeded: (name: PackageName) => boolean,
): WantedPackage[] {
  return wanted.map((one) => {
    const hashes = given.get(one.name);
    if (hashes !== undefined) return bound(one, hashes);
    if (isNeeded(one.name)) throw noHash("install", one.name, one.version?.toString());
    return one;
  });
}

/** Of a package that has no hash and needs one. */
export function noHash(action: string, name: PackageName, version: string | undefined): Fault {
  const shown = version === undefined ? name : `${name}==${version}`;
  return new Fault({
    code: "E_INTEGRITY",
    message: `Cannot ${action} "${shown}": no hash of it was given`,
    hint: "with --require-hashes every package, also what others need, needs --hash",
  });
}

/** Of a folder or repository where hashes are a must. */
export function unhashable(action: string, name: PackageName): Fault {
  return new Fault({
    code: "E_INTEGRITY",
    message: `Cannot ${action} "${name}": a folder or repository has no hash`,
    hint: "name an archive or a version, or leave --require-hashes away",
  });
}

function bound(wanted: WantedPackage, allowed: ReadonlySet<string>): WantedPackage {
  const { file, source } = wanted;
  if (source !== undefined && source.kind !== "archive") {
    throw unhashable("install", wanted.name);
  }
  const offered = offeredBy(file);
  // What nobody has told is computed from the file that is fetched.
  if (offered.length === 0) return { ...wanted, allowedHashes: allowed };
  if (offered.some((hash) => allowed.has(hash))) return wanted;
  throw new Fault({
    code: "E_INTEGRITY",
    message: `Cannot install "${file?.filename}": its hash is none of those that were given`,
    hint: `the index says ${offered.join(", ")}`,
  });
}
