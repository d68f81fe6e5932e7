import { readdirSync } from "node:fs";
import { join } from "node:path";

/** A package that two snapshots do not have in common, or not in the same version. */
export interface PackageDifference {
  readonly name: string;
  /** Undefined: not installed. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** The packages in two /var folders, as pacman's database has them, that differ. */
export function diffPackages(fromVar: string, toVar: string): PackageDifference[] {
  const [from, to] = [installedIn(fromVar), installedIn(toVar)];
  const names = [...new Set([...from.keys(), ...to.keys()])].sort();
  return names
    .map((name) => ({ name, from: from.get(name), to: to.get(name) }))
    .filter((each) => each.from !== each.to);
}

/** Versions by name. The names of the database's folders say it all: `NAME-VERSION-RELEASE`. */
function installedIn(variable: string): ReadonlyMap<string, string> {
  let names: string[];
  try {
    names = readdirSync(join(variable, "lib/pacman/local"));
  } catch {
    // No packages at all.
    return new Map();
  }
  return new Map(
    names.flatMap((folder): [string, string][] => {
      const [, name, version] = /^(.+)-([^-]+-[^-]+)$/.exec(folder) ?? [];
      return name === undefined || version === undefined ? [] : [[name, version]];
    }),
  );
}
