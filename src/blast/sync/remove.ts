/** Removing by name: out of the project's files, and with what only it needed. */
import { basename } from "node:path";
import { suggest } from "../../kit/cli/suggest.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { InstalledDistribution } from "../env/installed.ts";
import { metadataOf } from "../env/installed-metadata.ts";
import { evaluateMarker } from "../pep/marker.ts";
import type { MarkerEnvironment } from "../pep/marker-environment.ts";
import type { PackageName } from "../pep/name.ts";
import { changeEnvironment } from "./change.ts";
import type { ProjectChange } from "./install-in-project.ts";
import type { Place } from "./place.ts";
import { openProject } from "./project.ts";
import { type RecordPlace, withoutRequirements } from "./record.ts";
import { askerOf, refuseElsewhere } from "./recorded-elsewhere.ts";
import type { Session } from "./session.ts";
import { isLocking, syncProject } from "./sync-project.ts";

/** What to remove. */
export interface RemoveRequest {
  readonly names: readonly PackageName[];
  readonly place: RecordPlace;
  readonly dryRun: boolean;
  readonly command: string;
}

/**
 * Removes packages, and what was installed only because they need it. In a project whose files
 * name them, those files and the lock file change with it.
 *
 * @throws {Fault} E_NOT_FOUND what is neither recorded nor installed; E_REFUSED what something
 *   that stays still needs, or what is recorded in another place of the project
 */
export async function removePackages(
  session: Session,
  place: Place,
  request: RemoveRequest,
): Promise<ProjectChange> {
  if (place.isProjects) {
    await refuseElsewhere(session.project, request.place, request.names);
    await tellListed(session, request.names);
  }
  if (place.isProjects && isLocking(session.project)) {
    const edit = await withoutRequirements(session.project, request.place, request.names);
    if (edit.missing.length < request.names.length) {
      return removeRecorded(session, place, request, edit);
    }
  }
  return { outcome: await removeInstalled(session, place, request), files: [] };
}

/** requirements.txt is never edited: what it lists comes back with the next sync. */
async function tellListed(session: Session, names: readonly PackageName[]): Promise<void> {
  const { project, printer } = session;
  if (project.files.requirements === undefined || project.pyproject?.project !== undefined) return;
  const listed = (await project.sets())
    .flatMap(({ requirements }) => requirements)
    .find(({ name, origin }) => {
      return (
        name !== undefined && names.includes(name) && !/^(?:blast|pyproject)\.toml/.test(origin)
      );
    });
  if (listed === undefined) return;
  const hint = "take it out of that file as well";
  printer.warn(`${listed.origin} asks for ${listed.name}, and brings it back`, hint);
}

async function removeRecorded(
  session: Session,
  place: Place,
  request: RemoveRequest,
  edit: Awaited<ReturnType<typeof withoutRequirements>>,
): Promise<ProjectChange> {
  const installed = place.environment.installed();
  const [missing] = edit.missing;
  if (missing !== undefined)
    throw notThere(missing, `recorded in ${basename(edit.path)}`, installed);
  const named = new Set(request.names);
  const graph = needsOf(installed, place.interpreter.markers);
  const goes = orphansOf(installed, graph, named);
  const texts = new Map([[edit.path, edit.after]]);
  const project = await openProject(session.project.folder, session.environment, {
    exactly: true,
    texts,
  });
  const change = await syncProject(session, place, {
    flags: {},
    exact: false,
    remove: installed.filter(({ name }) => goes.has(name)),
    unmark: (name) => named.has(name),
    locked: false,
    frozen: false,
    dryRun: request.dryRun,
    compileBytecode: false,
    command: request.command,
    edits: [edit],
    project,
  });
  const removed = new Set(change.outcome.removed.map(({ name }) => name));
  for (const name of named) {
    if (removed.has(name) || !goes.has(name)) continue;
    const needer = [...graph].find(([one, needs]) => !removed.has(one) && needs.has(name))?.[0];
    const asker = needer === undefined ? await askerOf(project, name) : undefined;
    if (needer === undefined && asker === undefined) continue;
    const why = asker === undefined ? `${needer} needs it` : `${asker} asks for it`;
    session.printer.note(`${name} stays installed, because ${why}`);
  }
  return change;
}

async function removeInstalled(session: Session, place: Place, request: RemoveRequest) {
  const installed = place.environment.installed();
  const named = new Set(request.names);
  for (const name of named) {
    if (!installed.some((one) => one.name === name)) throw notThere(name, "installed", installed);
  }
  const graph = needsOf(installed, place.interpreter.markers);
  for (const distribution of installed) {
    if (named.has(distribution.name)) continue;
    const needed = [...(graph.get(distribution.name) ?? [])].find((name) => named.has(name));
    const isKept = distribution.requested || isNeededBy(distribution.name, graph, named);
    if (needed === undefined || !isKept) continue;
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot remove "${needed}": ${distribution.name} needs it`,
      hint: `remove ${distribution.name} as well`,
    });
  }
  const goes = orphansOf(installed, graph, named);
  return changeEnvironment(session, place, {
    seen: installed,
    wanted: [],
    exact: false,
    remove: installed.filter((one) => goes.has(one.name)),
    dryRun: request.dryRun,
    compileBytecode: false,
    command: request.command,
  });
}

type Needs = ReadonlyMap<PackageName, ReadonlySet<PackageName>>;

/** Who needs what in this environment; extras count, since somebody may have asked for them. */
function needsOf(installed: readonly InstalledDistribution[], markers: MarkerEnvironment): Needs {
  const needs = new Map<PackageName, Set<PackageName>>();
  for (const distribution of installed) {
    const found = new Set<PackageName>();
    needs.set(distribution.name, found);
    const metadata = metadataOf(distribution);
    if (metadata === undefined) continue;
    const { requiresDist, providesExtra } = metadata;
    const extras = new Set<string>(["", ...providesExtra]);
    for (const { name, marker } of requiresDist) {
      if (marker === undefined || evaluateMarker(marker, markers, extras)) found.add(name);
    }
  }
  return needs;
}

/** Whether something that stays needs it, however far up. */
function isNeededBy(name: PackageName, needs: Needs, going: ReadonlySet<PackageName>): boolean {
  return [...needs].some(([needer, set]) => !going.has(needer) && needer !== name && set.has(name));
}

/** The named ones, and what nobody asked for and nothing that stays needs. */
function orphansOf(
  installed: readonly InstalledDistribution[],
  needs: Needs,
  named: ReadonlySet<PackageName>,
): ReadonlySet<PackageName> {
  const below = new Set<PackageName>();
  const visit = (name: PackageName): void => {
    for (const inner of needs.get(name) ?? []) {
      if (below.has(inner)) continue;
      below.add(inner);
      visit(inner);
    }
  };
  for (const name of named) visit(name);
  const stays = new Set<PackageName>();
  const keep = (name: PackageName): void => {
    if (stays.has(name) || named.has(name)) return;
    stays.add(name);
    for (const inner of needs.get(name) ?? []) keep(inner);
  };
  for (const { name, requested } of installed) if (requested || !below.has(name)) keep(name);
  return new Set(installed.map(({ name }) => name).filter((name) => !stays.has(name)));
}

function notThere(
  name: PackageName,
  how: string,
  installed: readonly InstalledDistribution[],
): Fault {
  const near = suggest(
    name,
    installed.map((one) => ({ word: one.name })),
  );
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot remove "${name}": it is not ${how}`,
    hint:
      near === undefined || near === name
        ? "`blast list` shows what is installed"
        : `did you mean "${near}"?`,
  });
}
