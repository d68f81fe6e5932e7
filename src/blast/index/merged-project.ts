import { compareVersions } from "../pep/version.ts";
import type { IndexFile, Project, ProjectVersion } from "../resolve/port.ts";

/**
 * One project out of several places, best place first: of a version that more than one has, the
 * files of the better one come first.
 */
export function mergeProjects(projects: readonly Project[]): Project | undefined {
  const [first, ...rest] = projects;
  return first === undefined ? undefined : rest.reduce(mergeTwo, first);
}

/** Both are sorted, newest first. */
function mergeTwo(left: Project, right: Project): Project {
  const versions: ProjectVersion[] = [];
  let rightIndex = 0;
  for (const version of left.versions) {
    let other = right.versions[rightIndex];
    while (other !== undefined && compareVersions(other.version, version.version) > 0) {
      versions.push(other);
      rightIndex += 1;
      other = right.versions[rightIndex];
    }
    if (other !== undefined && compareVersions(other.version, version.version) === 0) {
      versions.push(both(version, other));
      rightIndex += 1;
    } else {
      versions.push(version);
    }
  }
  versions.push(...right.versions.slice(rightIndex));
  return { name: left.name, versions };
}

function both(left: ProjectVersion, right: ProjectVersion): ProjectVersion {
  let files: readonly IndexFile[] | undefined;
  return {
    version: left.version,
    files: () => {
      files ??= [...left.files(), ...right.files()];
      return files;
    },
  };
}
