/** Changes of the project's files: what is installed by name is written down. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseToml, type TomlFile } from "../../kit/config/toml.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { PackageName } from "../pep/name.ts";
import type { PyprojectList } from "../project/pyproject-edit.ts";
import type { Project } from "./project.ts";

/** Where in the project a requirement stands. */
export interface RecordPlace {
  readonly group?: string | undefined;
  /** An extra: [project.optional-dependencies]. */
  readonly optional?: string | undefined;
}

/** A file with the text that it is to get. */
export interface RecordEdit {
  readonly path: string;
  /** Null: there is no such file yet. */
  readonly before: string | null;
  readonly after: string;
}

const BLAST_LIST = ["packages", "dependencies"] as const;

/**
 * The project's file with requirements set. Comments and form stay.
 *
 * @throws {Fault} E_REFUSED where the file has no place for them
 */
export async function withRequirements(
  project: Project,
  place: RecordPlace,
  texts: readonly string[],
): Promise<RecordEdit> {
  const { file, before, path } = await recordFile(project, place);
  let edited = file;
  if (isPyproject(project)) {
    const { setPyprojectRequirement } = await import("../project/pyproject-edit.ts");
    for (const text of texts) edited = await setPyprojectRequirement(edited, listOf(place), text);
  } else {
    const { setRequirement } = await import("../project/requirement-edit.ts");
    for (const text of texts) edited = await setRequirement(edited, BLAST_LIST, text);
  }
  return { path, before, after: edited.text };
}

/** The project's file without these names; `missing` are those that it did not have. */
export async function withoutRequirements(
  project: Project,
  place: RecordPlace,
  names: readonly PackageName[],
): Promise<RecordEdit & { readonly missing: readonly PackageName[] }> {
  const { file, before, path } = await recordFile(project, place);
  const missing: PackageName[] = [];
  let edited = file;
  for (const name of names) {
    const { removePyprojectRequirement } = await import("../project/pyproject-edit.ts");
    const { removeRequirement } = await import("../project/requirement-edit.ts");
    const result = isPyproject(project)
      ? await removePyprojectRequirement(edited, listOf(place), name)
      : await removeRequirement(edited, BLAST_LIST, name);
    if (result.removed.length === 0) missing.push(name);
    edited = result.file;
  }
  return { path, before, after: edited.text, missing };
}

/** Whether a name stands in just this list of the project, where blast could take it out. */
export async function isRecorded(
  project: Project,
  place: RecordPlace,
  name: PackageName,
): Promise<boolean> {
  const { pyproject, files } = project;
  if (isPyproject(project) && pyproject !== undefined) {
    const { removePyprojectRequirement } = await import("../project/pyproject-edit.ts");
    const result = await removePyprojectRequirement(pyproject.file, listOf(place), name);
    return result.removed.length > 0;
  }
  const isBase = place.group === undefined && place.optional === undefined;
  if (!isBase || files.blastToml === undefined) return false;
  const { removeRequirement } = await import("../project/requirement-edit.ts");
  const { file } = await recordFile(project, place);
  return (await removeRequirement(file, BLAST_LIST, name)).removed.length > 0;
}

/** A pyproject.toml that only configures tools has no place for requirements, but for groups. */
function isPyproject(project: Project): boolean {
  return project.pyproject?.project !== undefined;
}

function listOf({ group, optional }: RecordPlace): PyprojectList {
  if (group !== undefined) return { kind: "group", name: group };
  if (optional !== undefined) return { kind: "extra", name: optional };
  return { kind: "dependencies" };
}

async function recordFile(
  project: Project,
  place: RecordPlace,
): Promise<{ readonly file: TomlFile; readonly before: string | null; readonly path: string }> {
  const { pyproject, folder, files } = project;
  if (isPyproject(project) && pyproject !== undefined) {
    const field = place.optional === undefined ? "dependencies" : "optional-dependencies";
    if (place.group === undefined && pyproject.project?.dynamic.has(field) === true) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot record in "${pyproject.path}": its ${field} are dynamic`,
        hint: "--no-record installs only; --group NAME records in a dependency group",
      });
    }
    return { file: pyproject.file, before: pyproject.file.text, path: pyproject.path };
  }
  if (place.group !== undefined || place.optional !== undefined) {
    throw new Fault({
      code: "E_REFUSED",
      message: "Cannot record in a group or extra: the project has no [project] in pyproject.toml",
      hint: "without the flag the requirement is recorded in blast.toml",
    });
  }
  const path = files.blastToml ?? join(folder, "blast.toml");
  const before = files.blastToml === undefined ? null : readFileSync(path, "utf8");
  return { file: await parseToml("blast.toml", before ?? ""), before, path };
}
