/** The parts of pylock.toml (PEP 751): its head and the entries of its packages. */
import { parseMarker } from "../pep/marker.ts";
import { isNormalized } from "../pep/name.ts";
import { parseSpecifierSet } from "../pep/specifier.ts";
import { parseVersion } from "../pep/version.ts";
import type { LockedPackage, LockedSource, Pylock } from "./pylock.ts";
import { readSource } from "./pylock-source.ts";
import {
  parsedAt,
  requiredText,
  type TomlTable,
  tableAt,
  tablesAt,
  textAt,
  textsAt,
  wrongValue,
} from "./toml-table.ts";

/** Everything but the packages. */
export function headOf(root: TomlTable): Omit<Pylock, "packages" | "folder" | "notes"> {
  const requiresPython = specifierAt(root, "requires-python");
  const environments = textsAt(root, "environments") ?? [];
  for (const [index, text] of environments.entries()) {
    parsedAt(root, ["environments", index], () => parseMarker(text));
  }
  const extras = textsAt(root, "extras") ?? [];
  for (const [index, extra] of extras.entries()) {
    if (!isNormalized(extra)) throw notNormal(root, ["extras", index], extra);
  }
  const tool = tableAt(root, "tool")?.values;
  return {
    shown: root.file.file,
    lockVersion: requiredText(root, "lock-version"),
    createdBy: requiredText(root, "created-by"),
    environments,
    ...(requiresPython === undefined ? {} : { requiresPython }),
    extras,
    dependencyGroups: textsAt(root, "dependency-groups") ?? [],
    defaultGroups: textsAt(root, "default-groups") ?? [],
    ...(tool === undefined ? {} : { tool }),
  };
}

/** Of another major version nothing can be said, of a later minor one nearly everything. */
export function versionOf(root: TomlTable): Pick<Pylock, "lockVersion" | "notes"> {
  const lockVersion = requiredText(root, "lock-version");
  const { release } = parsedAt(root, ["lock-version"], () => parseVersion(lockVersion));
  if (release[0] !== 1) {
    throw wrongValue(root, ["lock-version"], `version "${lockVersion}" is not known, only "1.0"`);
  }
  const isLater = release.slice(1).some((part) => part !== 0);
  const note = `"${root.file.file}" has the format "${lockVersion}", of which only "1.0" is known`;
  return { lockVersion, notes: isLater ? [note] : [] };
}

/**
 * One entry of [[packages]].
 *
 * @param whole the same table with the sources in it, where `table` may lack them
 */
export function packageOf(table: TomlTable, whole: () => TomlTable = () => table): LockedPackage {
  const name = requiredText(table, "name");
  if (!isNormalized(name)) throw notNormal(table, ["name"], name);
  const versionText = textAt(table, "version");
  const version =
    versionText === undefined
      ? undefined
      : parsedAt(table, ["version"], () => parseVersion(versionText));
  const marker = textAt(table, "marker");
  if (marker !== undefined) parsedAt(table, ["marker"], () => parseMarker(marker));
  const requiresPython = specifierAt(table, "requires-python");
  const index = textAt(table, "index");
  const tool = tableAt(table, "tool")?.values;
  let source: LockedSource | undefined;
  return {
    name,
    ...(version === undefined ? {} : { version }),
    ...(marker === undefined ? {} : { marker }),
    ...(requiresPython === undefined ? {} : { requiresPython }),
    dependencies: (tablesAt(table, "dependencies") ?? []).map(({ values }) => values),
    ...(index === undefined ? {} : { index }),
    ...(tool === undefined ? {} : { tool }),
    get source() {
      source ??= readSource(whole(), name, version);
      return source;
    },
  };
}

function specifierAt(table: TomlTable, key: string): string | undefined {
  const text = textAt(table, key);
  if (text !== undefined) parsedAt(table, [key], () => parseSpecifierSet(text));
  return text;
}

function notNormal(
  table: TomlTable,
  path: readonly (string | number)[],
  name: string,
): ReturnType<typeof wrongValue> {
  return wrongValue(table, path, `"${name}" is not in its normal form (lower case, "-")`);
}
