/** Names that the project records in another place than the one that is to lose them. */
import { Fault } from "../../kit/fault/fault.ts";
import type { PackageName } from "../pep/name.ts";
import { isSelected, type Project, type RequirementSet, selectionOf } from "./project.ts";
import { isRecorded, type RecordPlace } from "./record.ts";

/**
 * Refuses to uninstall what stays recorded elsewhere: the next sync would bring it back.
 *
 * @throws {Fault} E_REFUSED with the flag that names the right place
 */
export async function refuseElsewhere(
  project: Project,
  place: RecordPlace,
  names: readonly PackageName[],
): Promise<void> {
  const sets = await project.sets();
  for (const name of names) {
    const asking = sets.filter((set) => originIn(set, name) !== undefined);
    const [first] = asking;
    if (first === undefined || (await isRecorded(project, place, name))) continue;
    for (const set of asking) {
      // A group has what it includes as well: only the one that names it can lose it.
      if (await isRecorded(project, placeOf(set), name)) throw elsewhere(name, set);
    }
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot remove "${name}": ${originIn(first, name)} asks for it`,
      hint: "take it out of that file, and `blast sync` removes it",
    });
  }
}

/** What of the project's usual parts asks for a name; undefined: nothing does. */
export async function askerOf(project: Project, name: PackageName): Promise<string | undefined> {
  const sets = await project.sets();
  const selection = selectionOf(sets, {});
  const asking = sets.filter((set) => isSelected(set, selection));
  return asking.flatMap((set) => originIn(set, name) ?? [])[0];
}

/** Where its entry stands. Lists for pip are never edited: of those the user is told. */
function originIn({ requirements }: RequirementSet, name: PackageName): string | undefined {
  const found = requirements.find(
    (one) => one.name === name && /^(?:blast|pyproject)\.toml/.test(one.origin),
  );
  return found?.origin;
}

function placeOf({ kind, name }: RequirementSet): RecordPlace {
  if (kind === "base") return {};
  return kind === "group" ? { group: name } : { optional: name };
}

function elsewhere(name: PackageName, set: RequirementSet): Fault {
  const where = {
    base: "the project's dependencies",
    extra: `the extra "${set.name}"`,
    group: `the group "${set.name}"`,
  }[set.kind];
  const hint = {
    base: "without --group and --optional it is taken out of there",
    extra: `--optional ${set.name} takes it out of there`,
    group: `--group ${set.name} takes it out of there`,
  }[set.kind];
  return new Fault({
    code: "E_REFUSED",
    message: `Cannot remove "${name}": it is in ${where}`,
    hint,
  });
}
