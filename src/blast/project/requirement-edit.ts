/** Requirements in a list of a TOML file: set, removed, with the file's form kept. */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { parseToml, readTomlFile, type TomlFile } from "../../kit/config/toml.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { PepError } from "../pep/error.ts";
import { markerToString } from "../pep/marker.ts";
import type { PackageName } from "../pep/name.ts";
import { parseRequirement, type Requirement } from "../pep/requirement.ts";
import { editTomlList, type ListPath } from "./toml-edit.ts";

/** A list of requirements as it stands, entry by entry. */
interface Entry {
  readonly index: number;
  readonly text: string;
  readonly requirement: Requirement;
}

/**
 * Sets a requirement: in place of the entry of the same name and marker, or at the end.
 *
 * @param text PEP 508
 * @throws {Fault} E_CONFIG when the file cannot be changed safely
 */
export async function setRequirement(
  file: TomlFile,
  path: ListPath,
  text: string,
): Promise<TomlFile> {
  const wanted = parseRequirement(text);
  const same = entriesOf(file, path).find(
    ({ requirement }) =>
      requirement.name === wanted.name && markerText(requirement) === markerText(wanted),
  );
  if (same === undefined) return editTomlList(file, path, { kind: "append", value: text });
  if (same.text === text) return file;
  return editTomlList(file, path, { kind: "replace", index: same.index, value: text });
}

/** Takes every entry of a name out; `removed` holds their texts. */
export async function removeRequirement(
  file: TomlFile,
  path: ListPath,
  name: PackageName,
): Promise<{ readonly file: TomlFile; readonly removed: readonly string[] }> {
  const found = entriesOf(file, path).filter(({ requirement }) => requirement.name === name);
  let result = file;
  for (const { index } of found.toReversed()) {
    result = await editTomlList(result, path, { kind: "remove", index });
  }
  return { file: result, removed: found.map(({ text }) => text) };
}

/**
 * Changes a file as a whole: read, changed, written by rename with its mode kept. A symbolic link
 * stays one.
 *
 * @param start text of a file that is not there yet
 * @returns whether anything changed
 */
export async function changeTomlFile(
  path: string,
  change: (file: TomlFile) => Promise<TomlFile>,
  start = "",
): Promise<boolean> {
  const before = await readTomlFile(path);
  const after = await change(before ?? (await parseToml(path, start)));
  if (after.text === before?.text) return false;
  const target = before === undefined ? path : realpathSync(path);
  if (before !== undefined && readFileSync(target, "utf8") !== before.text) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot change "${path}": it was changed by something else at the same time`,
      hint: "run the command again",
    });
  }
  const mode = before === undefined ? 0o644 : statSync(target).mode & 0o777;
  writeFileAtomic({ path: target, content: after.text, mode });
  return true;
}

/** Entries that are requirements: includes and what cannot be read are left alone. */
function entriesOf(file: TomlFile, path: ListPath): readonly Entry[] {
  let list: unknown = file.values;
  for (const key of path) {
    const isTable = typeof list === "object" && list !== null && Object.hasOwn(list, key);
    list = isTable ? (list as Record<string, unknown>)[key] : undefined;
  }
  if (!Array.isArray(list)) return [];
  return list.flatMap((text: unknown, index) => {
    if (typeof text !== "string") return [];
    try {
      return [{ index, text, requirement: parseRequirement(text) }];
    } catch (error) {
      if (error instanceof PepError) return [];
      throw error;
    }
  });
}

function markerText({ marker }: Requirement): string {
  return marker === undefined ? "" : markerToString(marker);
}
