/** `--require-hashes`: nothing is installed that was not named by its hash. */
import { Fault } from "../../kit/fault/fault.ts";
import type { PackageName } from "../pep/name.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import type { WantedPackage } from "./wanted.ts";

/**
 * The same packages, each file bound to a hash that the user gave.
 *
 * @throws {Fault} E_INTEGRITY for a package without a given hash, or with another one
 */
export function withHashes(
  wanted: readonly WantedPackage[],
  requirements: readonly ProjectRequirement[],
): WantedPackage[] {
  const allowed = new Map<PackageName, ReadonlySet<string>>();
  for (const { name, hashes } of requirements) {
    if (name === undefined || hashes.length === 0) continue;
    allowed.set(name, new Set([...(allowed.get(name) ?? []), ...hashes]));
  }
  return wanted.map((one) => {
    const hashes = allowed.get(one.name);
    if (hashes === undefined) {
      throw new Fault({
        code: "E_INTEGRITY",
        message: `Cannot install "${one.name}==${one.version}": no hash of it was given`,
        hint: "with --require-hashes every package, also what others need, needs --hash",
      });
    }
    return bound(one, hashes);
  });
}

function bound(wanted: WantedPackage, allowed: ReadonlySet<string>): WantedPackage {
  const { file, source } = wanted;
  if (source !== undefined && source.kind !== "archive") {
    throw new Fault({
      code: "E_INTEGRITY",
      message: `Cannot install "${wanted.name}": a folder or repository has no hash`,
      hint: "name an archive or a version, or leave --require-hashes away",
    });
  }
  const offered = Object.entries(file?.hashes ?? {}).map(([name, value]) => `${name}:${value}`);
  // What nobody has told is computed from the file that is fetched.
  if (offered.length === 0) return { ...wanted, allowedHashes: allowed };
  if (offered.some((hash) => allowed.has(hash))) return wanted;
  throw new Fault({
    code: "E_INTEGRITY",
    message: `Cannot install "${file?.filename}": its hash is none of those that were given`,
    hint: `the index says ${offered.join(", ")}`,
  });
}
