/** blast.toml: its requirements, and changes of them with comments and format kept. */
import { dirname, resolve } from "node:path";
import { readTomlFile, type TomlFile } from "../../kit/config/toml.ts";
import type { PackageName } from "../pep/name.ts";
import { changeTomlFile, removeRequirement, setRequirement } from "./requirement-edit.ts";
import { type ProjectRequirement, readRequirement } from "./requirement-line.ts";
import { rootTable, tableAt, textsAt } from "./toml-table.ts";

/** A blast.toml as read; its settings are config.ts's business. */
export interface BlastToml {
  readonly file: TomlFile;
  /** Absolute. */
  readonly path: string;
  readonly dependencies: readonly ProjectRequirement[];
  readonly constraints: readonly ProjectRequirement[];
  readonly overrides: readonly ProjectRequirement[];
}

const DEPENDENCIES = ["packages", "dependencies"] as const;

/**
 * Reads a blast.toml.
 *
 * @param shown its name for messages, if that is not the path
 * @returns undefined when there is none
 * @throws {Fault} E_CONFIG with file and line of what is wrong
 */
export async function readBlastToml(path: string, shown = path): Promise<BlastToml | undefined> {
  const file = await readTomlFile(path, shown);
  if (file === undefined) return undefined;
  return { file, path: resolve(path), ...packagesOf(file, [], dirname(resolve(path))) };
}

/**
 * The requirements of `[packages]`, also that of `[tool.blast]`.
 *
 * @param above keys of the table that holds the settings
 */
export function packagesOf(
  file: TomlFile,
  above: readonly string[],
  base: string,
): Pick<BlastToml, "dependencies" | "constraints" | "overrides"> {
  let table = rootTable(file);
  for (const key of [...above, "packages"]) {
    const inner = tableAt(table, key);
    if (inner === undefined) return { dependencies: [], constraints: [], overrides: [] };
    table = inner;
  }
  const read = (key: string): readonly ProjectRequirement[] =>
    (textsAt(table, key) ?? []).map((text, index) =>
      readRequirement(text, {
        get origin() {
          return table.originOf([key, index]);
        },
        base,
      }),
    );
  return {
    dependencies: read("dependencies"),
    constraints: read("constraints"),
    overrides: read("overrides"),
  };
}

/** Sets a requirement in `[packages] dependencies`; the file is made if it is not there. */
export async function setBlastRequirement(path: string, text: string): Promise<boolean> {
  return changeTomlFile(path, (file) => setRequirement(file, DEPENDENCIES, text));
}

/** Takes a name out of `[packages] dependencies`; the result holds what was there. */
export async function removeBlastRequirement(
  path: string,
  name: PackageName,
): Promise<readonly string[]> {
  let removed: readonly string[] = [];
  await changeTomlFile(path, async (file) => {
    const result = await removeRequirement(file, DEPENDENCIES, name);
    removed = result.removed;
    return result.file;
  });
  return removed;
}
