/** Changes of the requirement lists of pyproject.toml (PEP 621, PEP 735). */
import type { SettingsTable } from "../../kit/config/layer.ts";
import type { TomlFile } from "../../kit/config/toml.ts";
import type { PackageName } from "../pep/name.ts";
import { parseExtraName } from "../pep/name.ts";
import { normalizeGroup } from "./group-name.ts";
import { removeRequirement, setRequirement } from "./requirement-edit.ts";
import type { ListPath } from "./toml-edit.ts";

/** A list of requirements of pyproject.toml. */
export type PyprojectList =
  | { readonly kind: "dependencies" }
  | { readonly kind: "extra"; readonly name: string }
  | { readonly kind: "group"; readonly name: string };

/** {@link setRequirement} in a list of pyproject.toml; the list is made if it is not there. */
export async function setPyprojectRequirement(
  file: TomlFile,
  list: PyprojectList,
  text: string,
): Promise<TomlFile> {
  return setRequirement(file, listPath(file, list), text);
}

/** {@link removeRequirement} from a list of pyproject.toml. */
export async function removePyprojectRequirement(
  file: TomlFile,
  list: PyprojectList,
  name: PackageName,
): Promise<{ readonly file: TomlFile; readonly removed: readonly string[] }> {
  return removeRequirement(file, listPath(file, list), name);
}

/** The keys of the list: a name that is there in another spelling is the same list. */
function listPath({ values }: TomlFile, list: PyprojectList): ListPath {
  switch (list.kind) {
    case "dependencies":
      return ["project", "dependencies"];
    case "extra": {
      const project = values["project"] as SettingsTable | undefined;
      const known = project?.["optional-dependencies"];
      const name = keyLike(known, parseExtraName, parseExtraName(list.name));
      return ["project", "optional-dependencies", name];
    }
    case "group": {
      const name = keyLike(values["dependency-groups"], normalizeGroup, normalizeGroup(list.name));
      return ["dependency-groups", name];
    }
  }
}

function keyLike(table: unknown, normalize: (name: string) => string, wanted: string): string {
  const keys = typeof table === "object" && table !== null ? Object.keys(table) : [];
  return keys.find((key) => normalize(key) === wanted) ?? wanted;
}
