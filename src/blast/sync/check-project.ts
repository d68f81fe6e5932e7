/** Whether an environment holds what the project itself asks for. */
import type { Finding } from "../env/finding.ts";
import { evaluateMarker } from "../pep/marker.ts";
import { requirementToString } from "../pep/requirement.ts";
import type { Place } from "./place.ts";
import { isSelected, selectionOf } from "./project.ts";
import type { Session } from "./session.ts";

/**
 * Compares what the project asks for by name, without its extras and other groups than "dev", with
 * what is installed. Nothing is asked of an index; what is named by a place alone is left out.
 *
 * @throws {Fault} E_CONFIG where a file of the project is not understood
 */
export async function checkProject(session: Session, place: Place): Promise<Finding[]> {
  if (!place.isProjects || !session.project.exists) return [];
  const { environment, interpreter } = place;
  const byName = new Map(environment.installed().map((one) => [one.name, one]));
  const sets = await session.project.sets();
  const selection = selectionOf(sets, {});
  return sets
    .filter((set) => isSelected(set, selection))
    .flatMap(({ requirements }) => requirements)
    .flatMap(({ requirement }): Finding[] => {
      if (requirement === undefined) return [];
      const { name, extras, specifier, url, marker } = requirement;
      if (marker !== undefined && !evaluateMarker(marker, interpreter.markers)) return [];
      const wanted = requirementToString({ name, extras, specifier, url });
      const found = byName.get(name);
      if (found === undefined) {
        const message = `the project asks for "${wanted}", which is not installed`;
        return [{ kind: "unmet", message, packages: [] }];
      }
      if (specifier.contains(found.version, { prereleases: true })) return [];
      const message = `the project asks for "${wanted}", and ${found.version} is installed`;
      return [{ kind: "conflict", message, packages: [name] }];
    });
}
