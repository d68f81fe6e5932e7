/** Newer versions of what is installed. */
import { pythonRange } from "../pep/specifier.ts";
import { compareVersions, parseVersion, type Version } from "../pep/version.ts";
import { parseWheelName } from "../pep/wheel-name.ts";
import type { IndexFile, Project as IndexProject } from "../resolve/port.ts";
import { useFileOptions } from "./file-options.ts";
import { installedGraph } from "./installed-graph.ts";
import type { Place } from "./place.ts";
import type { Session } from "./session.ts";
import { targetOf } from "./target.ts";

/** A package of which there is a newer version. */
export interface OutdatedPackage {
  readonly name: string;
  readonly version: string;
  readonly newest: string;
  /** Who requires it in a way that the newest does not fit: packages, and files of the project. */
  readonly forbiddenBy: readonly string[];
}

/** Asks the index for every installed package, all at the same time. */
export async function outdatedPackages(
  session: Session,
  place: Place,
  options: { readonly pre: boolean },
): Promise<OutdatedPackage[]> {
  const installed = place.environment.installed().filter(({ directUrl }) => !directUrl);
  if (place.isProjects) await useFileOptions(session);
  const index = await session.index(place.interpreter);
  const { tags } = targetOf(place.interpreter);
  const python = parseVersion(place.interpreter.version);
  const graph = installedGraph(installed, place.interpreter.markers);
  const roots = (await session.project.sets()).flatMap(({ requirements }) => requirements);
  const isUsable = (file: IndexFile): boolean => {
    if (file.yanked !== false) return false;
    if (file.requiresPython !== undefined && !fitsPython(file.requiresPython, python)) return false;
    return file.kind === "sdist" || tags.priority(parseWheelName(file.filename).tags) !== undefined;
  };
  const found = await Promise.all(
    installed.map(async ({ name, version }) => {
      const project = await index.project(name);
      const newest = newestOf(project, isUsable, options.pre || version.isPrerelease);
      if (newest === undefined || compareVersions(newest, version) <= 0) return undefined;
      const refuses = (specifier: { contains(v: Version, o: object): boolean }): boolean =>
        !specifier.contains(newest, { prereleases: true });
      const forbiddenBy = [
        ...graph
          .neededBy(name)
          .filter(({ requirement }) => refuses(requirement.specifier))
          .map(({ from }) => from),
        ...roots
          .filter((root) => root.name === name && root.requirement !== undefined)
          .filter((root) => root.requirement !== undefined && refuses(root.requirement.specifier))
          .map(({ origin }) => origin),
      ];
      return {
        name,
        version: version.toString(),
        newest: newest.toString(),
        forbiddenBy: [...new Set(forbiddenBy)],
      };
    }),
  );
  return found.filter((one) => one !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function newestOf(
  project: IndexProject | undefined,
  isUsable: (file: IndexFile) => boolean,
  preReleases: boolean,
): Version | undefined {
  return project?.versions.find(
    (one) => (preReleases || !one.version.isPrerelease) && one.files().some(isUsable),
  )?.version;
}

function fitsPython(text: string, python: Version): boolean {
  try {
    return pythonRange(text).contains(python);
  } catch {
    // What cannot be read forbids nothing.
    return true;
  }
}
