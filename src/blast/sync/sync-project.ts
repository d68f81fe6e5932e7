/** Makes an environment what its project asks for. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import type { InstalledDistribution } from "../env/installed.ts";
import type { PackageName } from "../pep/name.ts";
import type { ChangeOutcome } from "./change.ts";
import { staleSelf } from "./dynamic-sets.ts";
import { useFileOptions } from "./file-options.ts";
import type { ProjectChange } from "./install-in-project.ts";
import type { Place } from "./place.ts";
import { preferencesOf } from "./preferences.ts";
import {
  dynamicParts,
  isSelected,
  type Project,
  type SelectionFlags,
  selectionOf,
} from "./project.ts";
import type { ResolveFlags } from "./question.ts";
import type { RecordEdit } from "./record.ts";
import type { Session } from "./session.ts";
import { isUpToDate, noteSynced } from "./up-to-date.ts";

/** How to sync. */
export interface SyncRequest {
  readonly flags: ResolveFlags & SelectionFlags;
  /** Remove what nothing asks for. */
  readonly exact: boolean;
  readonly locked: boolean;
  readonly frozen: boolean;
  /** Pins to let go of. */
  readonly upgrade?: "all" | ReadonlySet<string>;
  /** Install these anew although they are there in this version. */
  readonly reinstall?: (name: PackageName) => boolean;
  readonly dryRun: boolean;
  readonly compileBytecode: boolean;
  readonly command: string;
  /** What has to go unless it is still wanted. */
  readonly remove?: readonly InstalledDistribution[];
  /** Of what stays: what nobody asks for by name any more. */
  readonly unmark?: (name: PackageName) => boolean;
  /** Files of the project that change with the environment. */
  readonly edits?: readonly RecordEdit[];
  /** The project as those edits make it. */
  readonly project?: Project;
}

/**
 * Brings the lock file up to date, where the project has one or is one that gets one, and the
 * environment with it.
 *
 * @throws {Fault} whatever stands in the way; environment and files are as they were then
 */
export async function syncProject(
  session: Session,
  place: Place,
  request: SyncRequest,
): Promise<ProjectChange> {
  const project = request.project ?? session.project;
  const isPlain = request.upgrade === undefined && request.edits === undefined && !request.locked;
  if (isPlain && !request.frozen && isUpToDate(session, place, request.flags, request.exact)) {
    const kept = place.environment.installed().length;
    return { outcome: { installed: [], removed: [], kept, notes: [] }, files: [] };
  }
  const common = {
    exact: request.exact,
    dryRun: request.dryRun,
    compileBytecode: request.compileBytecode,
    command: request.command,
  };
  if (request.exact && !request.frozen) checkKnown(project, place);
  if (!isLocking(project)) {
    if (request.locked || request.frozen) throw noLock(project);
    return { outcome: await syncDirectly(session, place, project, request), files: [] };
  }
  const [{ lockProject }, { changeEnvironment }, { readBounds }] = await Promise.all([
    import("./lock-project.ts"),
    import("./change.ts"),
    import("./inputs.ts"),
  ]);
  const locked = await lockProject(session, place.interpreter, project, {
    upgrade: request.upgrade ?? new Set(),
    flags: request.flags,
    locked: request.locked,
    frozen: request.frozen,
    isEdited: (request.edits ?? []).length > 0,
    ...(await readBounds(request.flags, session)),
  });
  const lockEdit = await locked.editFor(project);
  const edits = [...(request.edits ?? []), ...(lockEdit === undefined ? [] : [lockEdit])];
  const changed = edits.filter(({ before, after }) => before !== after);
  const selection = selectionOf(locked.sets, request.flags);
  const wanted = await locked.wanted(place.interpreter, selection);
  const stale = request.frozen ? undefined : await staleSelf(session, place, project);
  const outcome = await changeEnvironment(session, place, {
    ...common,
    wanted,
    manifests: changed,
    reinstall: (name) => name === stale || request.reinstall?.(name) === true,
    ...(request.remove === undefined ? {} : { remove: request.remove }),
    ...(request.unmark === undefined ? {} : { unmark: request.unmark }),
  });
  if (!request.dryRun && isPlain && !request.frozen) {
    noteSynced(session, place, request.flags, { exact: request.exact, wanted, project });
  }
  return { outcome, files: changed.map(({ path }) => basename(path)) };
}

/** A requirements.txt alone gets a lock file only by `blast lock`. */
export function isLocking(project: Project): boolean {
  const { files, pyproject } = project;
  return (
    files.pylock !== undefined || pyproject?.project !== undefined || files.blastToml !== undefined
  );
}

/**
 * Where only a build could tell what the project asks for, and nothing says how to build it, what
 * is installed is not taken for superfluous.
 *
 * @throws {Fault} E_REFUSED
 */
function checkKnown({ files, folder, pyproject, dynamic }: Project, place: Place): void {
  const isUntold = dynamicParts(pyproject).length > dynamic.length;
  const { blastToml, requirements, pylock } = files;
  const isOld =
    pyproject?.project === undefined &&
    [blastToml, requirements, pylock].every((path) => path === undefined) &&
    (pyproject?.buildSystem !== undefined || existsSync(join(folder, "setup.py")));
  if (!(isUntold || isOld) || place.environment.installed().length === 0) return;
  throw new Fault({
    code: "E_REFUSED",
    message: isUntold
      ? `Cannot sync "${folder}": its dependencies are dynamic, and nothing says how to build it`
      : `Cannot sync "${folder}": only its build knows what it depends on`,
    hint: isUntold
      ? "[build-system] in pyproject.toml says it; --inexact removes nothing"
      : "[project] in pyproject.toml says it; --inexact removes nothing",
  });
}

async function syncDirectly(
  session: Session,
  place: Place,
  project: Project,
  request: SyncRequest,
): Promise<ChangeOutcome> {
  const options = await useFileOptions(session, project);
  const sets = await project.sets();
  const selection = selectionOf(sets, request.flags);
  const requirements = sets
    .filter((set) => isSelected(set, selection))
    .flatMap((set) => set.requirements);
  const nothing = { installed: [], removed: [], kept: 0, notes: [] };
  if (requirements.length === 0 && !request.exact) return nothing;
  const { installDirect } = await import("./install-direct.ts");
  const { readInputs } = await import("./inputs.ts");
  const { constraint = [], override = [] } = request.flags;
  const { folder, environment } = session;
  const context = { folder, environment, pip: await session.pip() };
  const bounds = await readInputs({ words: [], constraint, override }, context);
  return installDirect(session, place, {
    requirements,
    constraints: [...options.constraints, ...project.constraints, ...bounds.constraints],
    overrides: [...project.overrides, ...bounds.overrides],
    flags: options.over(request.flags),
    upgrade: request.upgrade !== undefined,
    ...preferencesFor(place, request.upgrade),
    noDependencies: false,
    requireHashes: bounds.requireHashes || options.hashed !== undefined,
    ...(bounds.requireHashes || options.hashed === undefined ? {} : { hashed: options.hashed }),
    exact: request.exact,
    dryRun: request.dryRun,
    compileBytecode: request.compileBytecode,
    command: request.command,
  });
}

/** What is installed, but for what is to be let go of. */
function preferencesFor(place: Place, upgrade: SyncRequest["upgrade"]) {
  if (upgrade === undefined || upgrade === "all") return {};
  const kept = place.environment.installed().filter(({ name }) => !upgrade.has(name));
  return { preferences: preferencesOf(kept) };
}

function noLock(project: Project): Fault {
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot use the lock file: there is no pylock.toml in "${project.folder}"`,
    hint: "`blast lock` writes it",
  });
}
