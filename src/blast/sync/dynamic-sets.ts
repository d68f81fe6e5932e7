/**
 * The parts of a project, with what its pyproject.toml leaves to the build: `dynamic =
 * ["dependencies"]` says that a backend knows them, and not that there are none (PEP 621).
 */
import type { PackageName } from "../pep/name.ts";
import type { Pylock } from "../project/pylock.ts";
import type { Interpreter } from "../python/probe.ts";
import type { Place } from "./place.ts";
import type { Project, RequirementSet } from "./project.ts";
import type { Session } from "./session.ts";

/**
 * All parts, the base first. Asks the build backend for those that are dynamic, as installing the
 * project editable does; it is asked once in a run.
 *
 * @throws {Fault} E_BUILD, E_NETWORK, E_UNSATISFIABLE where the backend cannot be asked: what is
 *   not known is never nothing
 */
export async function setsFor(
  session: Session,
  interpreter: Interpreter,
  project: Project = session.project,
): Promise<readonly RequirementSet[]> {
  const sets = await project.sets();
  if (project.dynamic.length === 0) return sets;
  const { askBackend, withDynamic } = await import("./backend-sets.ts");
  return withDynamic(sets, project, await askBackend(session, interpreter, project));
}

/**
 * The project's own install, where its backend tells something else of it by now: files that
 * nobody watches may be where it has its dependencies from.
 *
 * @throws {Fault} as {@link setsFor}
 */
export async function staleSelf(
  session: Session,
  { environment, interpreter }: Place,
  project: Project,
): Promise<PackageName | undefined> {
  const own = project.pyproject?.project?.name;
  const installed = environment.installed().find(({ name }) => name === own);
  if (project.dynamic.length === 0 || installed === undefined) return undefined;
  const { askBackend, saysOther } = await import("./backend-sets.ts");
  return saysOther(installed, await askBackend(session, interpreter, project)) ? own : undefined;
}

/** The parts as a lock file knows them, which is taken as it is: nobody is asked. */
export function setsOfLock(
  sets: readonly RequirementSet[],
  lock: Pylock,
): readonly RequirementSet[] {
  const known = sets.filter(({ kind }) => kind === "extra").map(({ name }) => name);
  const more = lock.extras.filter((name) => !known.includes(name));
  return [...sets, ...more.map((name) => ({ kind: "extra" as const, name, requirements: [] }))];
}
