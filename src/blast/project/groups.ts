/**
 * [dependency-groups] of pyproject.toml (PEP 735): names normalised, includes followed, circles
 * refused.
 */
import { Fault } from "../../kit/fault/fault.ts";
import { normalizeGroup } from "./group-name.ts";
import { type ProjectRequirement, readNamedRequirement } from "./requirement-line.ts";
import { listAt, type TomlTable, wrongValue } from "./toml-table.ts";

/** The groups of a project, read one by one as they are asked for. */
export interface DependencyGroups {
  /** In the order of the file, in their normal form. */
  readonly names: readonly string[];
  /**
   * What a group asks for, included groups too, in order.
   *
   * @throws {Fault} E_NOT_FOUND no such group; E_CONFIG a circle, a wrong entry, a double name
   */
  requirements(name: string): readonly ProjectRequirement[];
}

/**
 * Reads the table.
 *
 * @param base folder that relative paths start from
 * @throws {Fault} E_CONFIG two names that are the same in their normal form
 */
export function readGroups(table: TomlTable | undefined, base: string): DependencyGroups {
  const keys = new Map<string, string>();
  for (const key of table === undefined ? [] : Object.keys(table.values)) {
    const name = normalizeGroup(key);
    const other = keys.get(name);
    if (table !== undefined && other !== undefined) {
      throw wrongValue(table, [key], `the groups "${other}" and "${key}" are the same`);
    }
    keys.set(name, key);
  }
  const done = new Map<string, readonly ProjectRequirement[]>();
  const read = (name: string, above: readonly string[]): readonly ProjectRequirement[] => {
    const known = done.get(name);
    if (known !== undefined) return known;
    const key = keys.get(name);
    if (table === undefined || key === undefined) throw noSuchGroup(name, keys);
    const found = listAt(table, [key], isEntry, "a requirement or { include-group }").flatMap(
      (entry, index) => {
        if (typeof entry === "string") {
          const place = {
            get origin() {
              return table.originOf([key, index]);
            },
            base,
          };
          return [readNamedRequirement(entry, place)];
        }
        const include = normalizeGroup(entry["include-group"]);
        const path = [...above, name];
        if (!keys.has(include)) {
          throw wrongValue(table, [key, index], `there is no group "${include}"`);
        }
        if (path.includes(include)) {
          const circle = [...path.slice(path.indexOf(include)), include].join(" > ");
          throw wrongValue(table, [key, index], `the groups include each other: ${circle}`);
        }
        return read(include, path);
      },
    );
    done.set(name, found);
    return found;
  };
  return { names: [...keys.keys()], requirements: (name) => read(normalizeGroup(name), []) };
}

type Entry = string | { readonly "include-group": string };

function isEntry(value: unknown): value is Entry {
  if (typeof value === "string") return true;
  if (typeof value !== "object" || value === null) return false;
  const entries = Object.entries(value);
  return (
    entries.length === 1 && entries[0]?.[0] === "include-group" && typeof entries[0][1] === "string"
  );
}

function noSuchGroup(name: string, keys: ReadonlyMap<string, string>): Fault {
  const known = [...keys.values()].map((key) => `"${key}"`).join(", ");
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot find the dependency group "${name}"`,
    hint: known === "" ? "pyproject.toml has no [dependency-groups]" : `there are ${known}`,
  });
}
