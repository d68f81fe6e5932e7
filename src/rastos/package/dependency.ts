import type { PackageRecord } from "./types.ts";
import { compareVersions } from "./version.ts";

/** `name`, `name>=version`, `name: what for`. */
export interface Dependency {
  readonly name: string;
  readonly operator: "" | "=" | "<" | ">" | "<=" | ">=";
  readonly version: string;
}

/** Takes a dependency apart, as libalpm does. Pure. */
export function dependencyOf(text: string): Dependency {
  const plain = text.replace(/: .*$/s, "");
  const found = /^(.*?)(<=|>=|=|<|>)(.*)$/s.exec(plain);
  if (found === null) return { name: plain, operator: "", version: "" };
  const operator = (found[2] ?? "") as Dependency["operator"];
  return { name: found[1] ?? "", operator, version: found[3] ?? "" };
}

/** Whether a package fulfils a dependency, by its name or by what it provides. Pure. */
export function satisfies(
  record: Pick<PackageRecord, "name" | "version" | "provides">,
  dependency: Dependency,
): boolean {
  if (record.name === dependency.name && isAllowed(record.version, dependency)) return true;
  return record.provides.some((text) => {
    const provision = dependencyOf(text);
    if (provision.name !== dependency.name) return false;
    if (dependency.operator === "") return true;
    // What provides no version fulfils no wish for one.
    return provision.operator === "=" && isAllowed(provision.version, dependency);
  });
}

function isAllowed(version: string, { operator, version: wanted }: Dependency): boolean {
  const order = compareVersions(version, wanted);
  switch (operator) {
    case "":
      return true;
    case "=":
      return order === 0;
    case "<":
      return order < 0;
    case ">":
      return order > 0;
    case "<=":
      return order <= 0;
    case ">=":
      return order >= 0;
  }
}
