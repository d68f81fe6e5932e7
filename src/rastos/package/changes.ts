import type { PackageChange } from "./types.ts";

/**
 * By name, what goes before what comes; nothing twice. One name may be both: replaced by another
 * package, and upgraded in the same transaction. Pure.
 */
export function sortedChanges(changes: readonly PackageChange[]): readonly PackageChange[] {
  const keyOf = ({ name, kind }: PackageChange): string => `${name} ${kind === "remove" ? 0 : 1}`;
  const unique = new Map(changes.map((change) => [keyOf(change), change]));
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
}
